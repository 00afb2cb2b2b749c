"""The targets of the mutation tests are there: a folder or test that moved would be tried no more."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGETS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutation"]


def missing(targets: dict[str, Any]) -> list[str]:
    """Paths of the configuration that do not exist, or folders without a module."""
    gone = [path for one in targets.values() for path in one["tests"] if not (ROOT / path).exists()]
    return gone + [
        path for one in targets.values() for path in one["mutate"] if not [*(ROOT / path).glob("*.py")]
    ]


def test_targets_exist() -> None:
    assert missing(TARGETS) == []


def test_a_target_that_moved_is_seen() -> None:
    moved = {"gone": {"mutate": ["estimation/methods/gone"], "tests": ["tests/gone.py"]}}
    assert missing(moved) == ["tests/gone.py", "estimation/methods/gone"]


def test_a_change_is_made_in_memory_and_a_sample_repeats_itself(tmp_path: Path) -> None:
    mutants = pytest.importorskip("tests.mutation.mutants", reason="uv run --group mutation")
    file = tmp_path / "limits.py"
    file.write_text(
        'def over(value: int | None) -> bool:\n    """Past the limit."""\n    return value > 10\n'
    )
    targets = mutants.all_mutants(tmp_path, ["."])
    # Nothing in the annotation; 10 becomes 11 and 9.
    assert [(target.line, target.operator) for target in targets] == [
        (3, "ReplaceComparisonOperator_Gt_GtE"),
        (3, "NumberReplacer"),
        (3, "NumberReplacer"),
    ]
    source, change = mutants.changed(tmp_path, targets[0])
    assert "return value >= 10" in source and change == "- return value > 10\n+ return value >= 10"
    assert "return value > 10" in file.read_text()
    assert mutants.sampled(targets, 0.7, "1") == mutants.sampled(targets, 0.7, "1")
    assert len(mutants.sampled(targets, 0.7, "1")) == 2
