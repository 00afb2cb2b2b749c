"""The targets of the mutation tests are there: a folder or test that moved would be tried no more."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.replacement import replace_functions

ROOT = Path(__file__).resolve().parents[2]
TARGETS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutation"]


def missing(targets: dict[str, Any]) -> list[str]:
    """Paths of the configuration that do not exist, or folders without a module."""
    gone = [path for target in targets.values() for path in target["tests"] if not (ROOT / path).exists()]
    return gone + [
        path for target in targets.values() for path in target["mutate"] if not [*(ROOT / path).glob("*.py")]
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


def test_a_statement_of_several_lines_is_reached_by_all_of_them(tmp_path: Path) -> None:
    mutants = pytest.importorskip("tests.mutation.mutants", reason="uv run --group mutation")
    (tmp_path / "sums.py").write_text(
        "def total(a):\n    if a >\\\n       1:\n        return (a +\n            1)\n"
    )

    def lines(line: int) -> tuple[int, int]:
        return mutants.lines_of_statement(tmp_path, mutants.Mutant("sums.py", line, 0, "NumberReplacer", 0))

    assert [lines(line) for line in (1, 2, 3, 4, 5)] == [(1, 1), (2, 3), (2, 3), (4, 5), (4, 5)]


def test_what_runs_during_the_import_is_known_without_a_measurement(tmp_path: Path) -> None:
    mutants = pytest.importorskip("tests.mutation.mutants", reason="uv run --group mutation")
    (tmp_path / "loaded.py").write_text(SOURCE)
    lines = [
        line
        for line in range(1, SOURCE.count("\n") + 1)
        if mutants.runs_during_import(tmp_path, mutants.Mutant("loaded.py", line, 0, "NumberReplacer", 0))
    ]
    text = SOURCE.split("\n")
    assert [text[line - 1].strip() for line in lines if text[line - 1]] == [
        "from functools import cache, wraps",
        "LIMIT = 10",
        "def logged(function):",
        "@logged",
        "def over(value):",
        "@cache",
        "def doubled(value):",
        "class Box:",
        "side = 3",
        "def area(self):",
    ]


SOURCE = """
from functools import cache, wraps

LIMIT = 10

def logged(function):
    @wraps(function)
    def call(*args):
        return function(*args)
    return call

@logged
def over(value):
    return value > LIMIT

@cache
def doubled(value):
    return [item * 2 for item in value]

class Box:
    side = 3
    def area(self):
        return (lambda side: side * side)(self.side)
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("value > LIMIT", "value >= LIMIT", (True, (4, 6), 9)),
        ("item * 2", "item * 3", (False, (6, 9), 9)),
        ("side * side", "side + side", (False, (4, 6), 6)),
        # These run when the module is imported.
        ("LIMIT = 10", "LIMIT = 9", None),
        ("side = 3", "side = 4", None),
        ("@cache\n", "", None),
    ],
)
def test_loaded_functions_run_the_changed_source(
    tmp_path: Path, old: str, new: str, expected: tuple[object, ...] | None
) -> None:
    path = tmp_path / "loaded.py"
    module: dict[str, Any] = {}
    exec(compile(SOURCE, str(path), "exec"), module)  # noqa: S102 the source above
    over, doubled, box = module["over"], module["doubled"], module["Box"]()
    assert (over(10), tuple(doubled((2, 3))), box.area()) == (False, (4, 6), 9)  # the cache is filled
    assert replace_functions(path, SOURCE, SOURCE.replace(old, new, 1)) is (expected is not None)
    assert (over(10), tuple(doubled((2, 3))), box.area()) == (expected or (False, (4, 6), 9))
