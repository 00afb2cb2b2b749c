"""The contracts of import-linter, checked on the program, and each broken by a violation planted in a copy of it."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture.source import PROGRAM, ROOT

# Contract -> file, import that is appended to it, and the violation that is reported.
PLANTED = {
    "The survey never imports the estimation": (
        "survey/review/services.py",
        "import estimation.runs.models",
        "survey.review.services -> estimation.runs.models",
    ),
    "A package of the survey imports only the stages before it": (
        "survey/collection/services.py",
        "import survey.review.bulk.models",
        "survey.collection.services -> survey.review.bulk.models",
    ),
    "A package of the estimation imports only the stages before it": (
        "estimation/runs/views.py",
        "import estimation.releases.content.tables",
        "estimation.runs.views -> estimation.releases.content.tables",
    ),
    "Numbers are made without Django and without the survey, also indirectly": (
        "estimation/runs/compute/levels.py",
        "import estimation.design.models",
        "estimation.runs.compute.levels -> estimation.design.models",
    ),
    "The survey makes no numbers: arrays belong to the estimation": (
        "survey/review/scores/peers.py",
        "import numpy",
        "survey.review.scores.peers -> numpy",
    ),
}


def lint(root: Path) -> tuple[int, str]:
    """Exit status and output of import-linter for the program below ``root``, with its lines joined."""
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as c; c()",
        "--no-cache",
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
    return done.returncode, " ".join(done.stdout.split())


def copy(target: Path) -> Path:
    """The program's Python files and the contracts, without anything else."""
    shutil.copy(ROOT / "pyproject.toml", target)
    for folder in PROGRAM:
        for path in (ROOT / folder).rglob("*.py"):
            copied = target / path.relative_to(ROOT)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copied)
    return target


def test_the_program_keeps_the_contracts_and_a_planted_fault_breaks_each(tmp_path: Path) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == PLANTED.keys()
    root = copy(tmp_path)
    status, output = lint(root)
    assert status == 0, output
    for path, statement, _fault in PLANTED.values():
        with (root / path).open("a") as file:
            file.write(f"\n{statement}\n")
    (root / "survey/new").mkdir()
    (root / "survey/new/__init__.py").write_text("")
    status, output = lint(root)
    assert status == 1
    for name, (_path, _statement, fault) in PLANTED.items():
        assert f"{name} BROKEN" in output
        assert fault in output
    # A new package must be added to the layers.
    assert "survey.new" in output
