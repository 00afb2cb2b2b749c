"""The house rules that a machine can check."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    "manage.py",
    "pyproject.toml",
    "README.md",
    "config",
    "survey",
    "estimation",
    "templates",
    "tests",
    "uv.lock",
    "LICENSE",
}
PURE = [
    "survey.questionnaires.definition",
    "survey.questionnaires.document",
    "survey.questionnaires.answering.answers",
    "survey.questionnaires.answering.units",
    "survey.questionnaires.rules.syntax",
    "survey.submissions.lifecycle.states",
    "estimation.methods",
]


def tracked(*patterns: str) -> list[Path]:
    """Files that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return [ROOT / name for name in names if name and (ROOT / name).exists()]


def test_top_level_is_what_was_fixed() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_no_file_is_over_400_lines() -> None:
    files = [path for path in tracked("*.py", "*.html", "*.css", "*.js") if "migrations" not in path.parts]
    assert len(files) > 40
    long = {str(path.relative_to(ROOT)): lines for path in files if (lines := _lines(path)) > 400}
    assert long == {}


def _lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def test_no_drawer_for_odd_things() -> None:
    forbidden = {"utils", "helpers", "common", "core", "misc"}
    found = [str(path) for path in tracked("*.py") if path.stem in forbidden or forbidden & set(path.parts)]
    assert found == []


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_load_without_django(module: str) -> None:
    probe = f"import sys, {module}; sys.exit('django' in sys.modules or 'numpy' in sys.modules and 2)"
    allowed = {0, 2} if module.startswith("estimation.") else {0}
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode in allowed, done.stderr


def test_every_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    block = text.split("dependencies = [", 1)[1].split("\n[tool.uv]", 1)[0]
    entries = [line for line in block.splitlines() if line.strip().startswith('"')]
    assert len(entries) > 20
    silent = [line.strip() for line in entries if "#" not in line]
    assert [line for line in silent if not line.startswith('"types-')] == []
