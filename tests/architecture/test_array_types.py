"""The types of arrays are defined in one module, and nothing else spells them out."""

import re
from pathlib import Path

from tests.architecture.source import ROOT
from tests.architecture.test_layout import tracked

OWNER = "estimation/methods/arrays.py"
SPELT = re.compile(
    r"NDArray\[np\.(?:float64|int64|intp|bool_|complex128)\]|^type (?:Floats|Ints|Indices|Bools)\b", re.M
)


def spelt_out(paths: list[Path]) -> list[str]:
    """Files beside the owner that write such a type out."""
    return [str(path) for path in paths if SPELT.search(path.read_text(encoding="utf-8"))]


def test_array_types_are_defined_once() -> None:
    assert spelt_out(tracked("estimation/*.py")) == [str(ROOT / OWNER)]


def test_a_planted_array_type_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("def total(y: npt.NDArray[np.float64]) -> float: ...\n")
    assert spelt_out([planted]) == [str(planted)]
