"""The cells and tables of a release during assembly, and their source material. Pure.

A cell that cannot be computed is retained, with the reason. Every cell carries its lineage: the stored estimates and
external values that it was made of, also through other published numbers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from estimation.releases.content.content import CellStatus, FrozenCell, FrozenTable, Text
from estimation.releases.content.estimates import Cell, CoverageRow, Source
from estimation.units import english

NOTES = {
    "external": Text("外部序列，无抽样误差", "external series, no sampling error"),
    "combined": Text(
        "由多项估计合成，联合误差未知", "made of several estimates, their joint error is not known"
    ),
    "bounded": Text(
        "误差为上界：各组成部分的协方差未存储",
        "the error is an upper bound: covariances of the components are not stored",
    ),
}


Names = Callable[[str, str], Text]  # domain kind, code -> name


@dataclass(frozen=True)
class Material:
    """The source material of a release.

    source : estimates and external values; units : unit of every item; external_units, external_labels : by code;
    coverage : rows of tables 3 and 4 by table code; name : label of a domain
    """

    year: int
    source: Source
    units: Mapping[str, str]
    external_units: Mapping[str, str]
    external_labels: Mapping[str, Text]
    coverage: Mapping[str, Sequence[CoverageRow]]
    name: Names


@dataclass
class Draft:
    """Cells and tables during assembly."""

    cells: dict[str, FrozenCell] = field(default_factory=dict)
    tables: list[FrozenTable] = field(default_factory=list)
    crossings: list[FrozenTable] = field(default_factory=list)

    def add(self, cell: FrozenCell) -> str:
        """Add a cell; returns its key."""
        self.cells[cell.key] = cell
        return cell.key


def unit_text(unit: str) -> Text:
    """A printed unit in both languages."""
    return Text(unit, english(unit))


def freeze_cell(
    key: str,
    label: Text,
    unit: str,
    cell: Cell,
    decimals: int,
    estimator: str,
    lineage: Iterable[str],
    note: str = "",
) -> FrozenCell:
    """A computed cell in its frozen form."""
    if cell.value is None:
        return FrozenCell(
            key,
            label,
            unit_text(unit),
            "—",
            CellStatus.ABSENT,
            decimals=decimals,
            reason=cell.reason,
            estimator=estimator,
            lineage=tuple(lineage),
        )
    status = CellStatus.NIL if cell.value == 0 else CellStatus.SHOWN
    return FrozenCell(
        key,
        label,
        unit_text(unit),
        "0" if status is CellStatus.NIL else cell.text,
        status,
        cell.value,
        decimals,
        cell.se,
        cell.cv,
        cell.lower,
        cell.upper,
        cell.n,
        cell.grade,
        note=NOTES.get(note or cell.note),
        estimator=estimator,
        lineage=tuple(lineage),
    )


def absent(key: str, label: Text, unit: str, decimals: int, reason: str) -> FrozenCell:
    return FrozenCell(key, label, unit_text(unit), "—", CellStatus.ABSENT, decimals=decimals, reason=reason)
