"""Regions by sections for the explorer: selection of lines and shades of cells, no computation. Pure."""

from dataclasses import dataclass

from estimation.public.arrangement import RowView, table_view
from estimation.releases.content.content import CellStatus, Content, FrozenCell, FrozenTable, Text
from estimation.releases.content.crossings import ALL

SHADES = 5


@dataclass(frozen=True, slots=True)
class Shaded:
    """A cell with its shade, 1 lightest to 5 darkest by rank among the shown ones of the table, 0 for none."""

    cell: FrozenCell
    shade: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A whole table: lines of a region with its cells, the sum of the line last."""

    table: FrozenTable
    lines: tuple[tuple[RowView, tuple[Shaded, ...]], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A region through all sections, or a section through all regions.

    label : of the region or section; entries : label, code, cell and whether it is the sum
    """

    table: FrozenTable
    label: Text
    entries: tuple[tuple[Text, str, Shaded, bool], ...]


def choose(content: Content, code: str) -> FrozenTable | None:
    """The crossing of a code, the first one when nothing is asked; None when there is no such table."""
    if not code:
        return content.crossings[0] if content.crossings else None
    return next((table for table in content.crossings if table.code == code), None)


def sections_of(table: FrozenTable) -> list[tuple[str, Text]]:
    """Code and name of every column but the sum."""
    codes = (key.rpartition(".")[2] for key in table.rows[0].keys)
    return [(code, label) for code, label in zip(codes, table.columns, strict=True) if code != ALL]


def regions_of(table: FrozenTable) -> list[tuple[str, Text]]:
    """Code and name of every row but the sum."""
    return [(row.code, row.label) for row in table.rows if not row.is_total]


def grid(content: Content, table: FrozenTable) -> Grid:
    """The table with its shades."""
    shades = _shades(content, table)
    rows = table_view(content, table).rows
    return Grid(table, tuple((row, tuple(_shaded(cell, shades) for cell in row.cells)) for row in rows))


def region_line(content: Content, table: FrozenTable, code: str) -> Line | None:
    """One region through all sections; None for an unknown one."""
    shades = _shades(content, table)
    row = next((candidate for candidate in table.rows if candidate.code == code), None)
    if row is None:
        return None
    entries = []
    for label, key in zip(table.columns, row.keys, strict=True):
        section = key.rpartition(".")[2]
        entries.append((label, section, _shaded(content.cells[key], shades), section == ALL))
    return Line(table, row.label, tuple(entries))


def section_line(content: Content, table: FrozenTable, code: str) -> Line | None:
    """One section through all regions; None for an unknown one."""
    shades = _shades(content, table)
    codes = [key.rpartition(".")[2] for key in table.rows[0].keys]
    if code not in codes:
        return None
    at = codes.index(code)
    entries = tuple(
        (row.label, row.code, _shaded(content.cells[row.keys[at]], shades), row.is_total)
        for row in table.rows
    )
    return Line(table, table.columns[at], entries)


def _shades(content: Content, table: FrozenTable) -> dict[str, int]:
    inner = [
        cell
        for row in table.rows
        if not row.is_total
        for key in row.keys
        if (cell := content.cells[key]).status is CellStatus.SHOWN and not key.endswith(f".{ALL}")
    ]
    order = sorted(inner, key=lambda cell: (cell.value or 0.0, cell.key))
    return {cell.key: 1 + SHADES * at // len(order) for at, cell in enumerate(order)}


def _shaded(cell: FrozenCell, shades: dict[str, int]) -> Shaded:
    return Shaded(cell, shades.get(cell.key, 0))
