"""The cells of a content in a row, for files that machines read. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from estimation.releases.content.content import CellStatus, Content, FrozenCell
from estimation.releases.content.freezing import as_printed, read


@dataclass(frozen=True, slots=True)
class TablePosition:
    """Where a table shows a cell. ``column`` counts from 1."""

    table: str
    row: str
    column: int


def number_of(cell: FrozenCell) -> float | None:
    """The published number as a number: as printed, not with hidden digits. None where nothing is shown."""
    if cell.status not in (CellStatus.SHOWN, CellStatus.NIL):
        return None
    number = read(cell.printed)
    return cell.value if number is None else number


def short(value: float | None) -> str:
    """An error or a bound with six significant digits, "" for none."""
    return "" if value is None else f"{value:.6g}"


def year_of(cell: FrozenCell, year: int) -> int:
    """The year of a cell: written in its key, else the year of the release."""
    for part in cell.key.split("."):
        if len(part) == 4 and part.isdecimal():
            return int(part)
    return year


def shown_cells(content: Content) -> Iterator[FrozenCell]:
    """Every cell in the order of its key. A withheld or absent one has that status and no number."""
    for key in sorted(content.cells):
        yield as_printed(content.cells[key])  # releases of earlier programs froze more digits


def positions_of(content: Content) -> dict[str, TablePosition]:
    """Where the tables show each cell; the first position of a cell that is in several."""
    positions: dict[str, TablePosition] = {}
    for table in content.every_table:
        for row in table.rows:
            for column, key in enumerate(row.keys, 1):
                positions.setdefault(key, TablePosition(table.code, row.code, column))
    return positions
