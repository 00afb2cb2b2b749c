"""The questionnaire engine can be imported where Django is not allowed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WITH_DJANGO = {"models", "services", "selectors", "views", "api", "urls"}  # the standard names
NEEDS_SETTINGS = {"statutory"}  # the header of a form names the authority of the installation

PROGRAM = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    if "django" in sys.modules:
        sys.exit(name + " imports Django")
"""


def engine() -> list[str]:
    """Dotted names of every pure module of the questionnaires, at any depth."""
    files = sorted((ROOT / "survey" / "questionnaires").rglob("*.py"))
    return [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in files
        if file.stem not in {"__init__", *WITH_DJANGO, *NEEDS_SETTINGS}
    ]


def imported(names: list[str]) -> subprocess.CompletedProcess[str]:
    """Imports modules in a process of their own, which ends in an error at the first that needs Django."""
    command = [sys.executable, "-c", PROGRAM, *names]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_modules_import_without_django() -> None:
    names = engine()
    assert len(names) > 20
    done = imported([*names, "survey.frame.uscc"])
    assert done.returncode == 0, done.stderr


def test_module_that_imports_django_is_reported() -> None:
    done = imported(["survey.questionnaires.models"])
    assert done.returncode != 0
