"""Rules about files that a machine can check: top level, length, dependencies, what the numeric core loads."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT as ROOT  # many tests import it from here

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


def tracked(*patterns: str) -> list[Path]:
    """Files that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return [ROOT / name for name in names if name and (ROOT / name).exists()]


def test_top_level_is_what_was_fixed() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def long_files(files: list[Path]) -> dict[str, int]:
    """Files of program text over 400 lines, with their lines."""
    return {path.name: lines for path in files if (lines := path.read_text("utf-8").count("\n")) > 400}


def test_no_file_is_over_400_lines() -> None:
    files = [path for path in tracked("*.py", "*.html", "*.css", "*.js") if "migrations" not in path.parts]
    assert len(files) > 40
    assert long_files(files) == {}


def test_a_long_file_is_found(tmp_path: Path) -> None:
    for name, lines in (("short.py", 400), ("long.py", 401)):
        (tmp_path / name).write_text("x = 1\n" * lines)
    assert long_files(sorted(tmp_path.iterdir())) == {"long.py": 401}


def frameworks_loaded(root: Path) -> list[str]:
    """Frameworks that are in memory after every module of the numeric core was imported in a process of its own."""
    folders = ("estimation/methods", "estimation/runs/compute")
    names = [
        path.relative_to(root).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for folder in folders
        for path in sorted((root / folder).rglob("*.py"))
    ]
    assert len(names) > 30
    # The lists of categories and regions are pure, and what the core takes from the survey.
    survey = "{name for name in sys.modules if name.startswith('survey.')} - {'survey.classification'}"
    loaded = f"sorted({{'django', 'celery', 'rest_framework', 'config'}} & sys.modules.keys() | ({survey}))"
    probe = f"import sys, {', '.join(names)}; print(*{loaded})"
    done = subprocess.run([sys.executable, "-c", probe], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_numeric_core_loads_without_django() -> None:
    assert frameworks_loaded(ROOT) == []


def test_django_in_the_numeric_core_is_found(tmp_path: Path) -> None:
    (tmp_path / "estimation").mkdir()
    for name in ("__init__.py", "methods", "runs", "design", "units.py"):
        if (ROOT / "estimation" / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / "estimation" / name, tmp_path / "estimation" / name, ignore=ignore)
        elif (ROOT / "estimation" / name).exists():
            shutil.copy(ROOT / "estimation" / name, tmp_path / "estimation" / name)
    lists = "survey/questionnaires/definitions/codelists"
    shutil.copytree(ROOT / lists, tmp_path / lists)
    for name in ("survey/__init__.py", "survey/classification.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    with (tmp_path / "estimation/methods/rounding.py").open("a") as file:
        file.write("\nfrom django.utils.translation import gettext\n")
    assert frameworks_loaded(tmp_path) == ["django"]


def test_every_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    block = text.split("dependencies = [", 1)[1].split("\n[tool.uv]", 1)[0]
    entries = [line for line in block.splitlines() if line.strip().startswith('"')]
    assert len(entries) > 20
    uncommented = [line.strip() for line in entries if "#" not in line]
    assert [line for line in uncommented if not line.startswith('"types-')] == []


LAID_OUT_BY_HAND = "# fmt: " + "skip"
MOST_LAID_OUT_BY_HAND = 60  # tables of data; everything else is the formatter's


def laid_out_by_hand(paths: list[Path]) -> int:
    """How many statements the formatter leaves as they are."""
    return sum(path.read_text(encoding="utf-8").count(LAID_OUT_BY_HAND) for path in paths)


def test_only_tables_of_data_are_laid_out_by_hand(tmp_path: Path) -> None:
    assert 0 < laid_out_by_hand(tracked("*.py")) < MOST_LAID_OUT_BY_HAND
    planted = tmp_path / "planted.py"
    planted.write_text(f"x = [1,\n     2]  {LAID_OUT_BY_HAND}\n" * MOST_LAID_OUT_BY_HAND)
    assert laid_out_by_hand([planted]) == MOST_LAID_OUT_BY_HAND
