"""Finds the sheet and the row that hold the header of a frame file. Pure.

Files have title rows above the header and sheets with instructions: the first row of the first sheet that names all
needed columns is the header, else the row that names most of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from survey.frame.columns import column_positions
from survey.spreadsheets.cells import Row, Worksheet

LOOKED_AT = 40  # rows of a sheet


@dataclass(frozen=True, slots=True)
class Header:
    """The sheet, the number of the row and its texts."""

    sheet: Worksheet
    line: int
    texts: list[str]


def find_header(sheets: Sequence[Worksheet], kind: str) -> Header | None:
    """The header for a kind of file, visible sheets first; None when every sheet is blank."""
    best: tuple[tuple[bool, bool, int], Header] | None = None
    for sheet in sorted(sheets, key=lambda sheet: not sheet.is_visible):
        for line, cells in _first_rows(sheet):
            texts = [cell.text if cell is not None else "" for cell in cells]
            positions, missing, _unknown = column_positions(kind, texts)
            # A remark is a header only when there is nothing else.
            fitness = (not missing, not texts[0].startswith("#"), len(positions))
            if best is None or fitness > best[0]:
                best = fitness, Header(sheet, line, texts)
            if not missing:
                break
    return best[1] if best is not None else None


def _first_rows(sheet: Worksheet) -> list[Row]:
    rows: list[Row] = []
    for row in sheet.rows():
        rows.append(row)
        if len(rows) == LOOKED_AT:
            break
    return rows
