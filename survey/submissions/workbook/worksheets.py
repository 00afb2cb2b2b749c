"""Finds the answers in the worksheets of an uploaded workbook by their marks. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from survey.spreadsheets.cells import Cell, address, of_document
from survey.submissions.workbook.layout import MARKS

MARKED_WITHIN = 12  # rows and columns in which the marks are looked for


@dataclass(slots=True)
class Worksheet:
    """Name and cells of one worksheet."""

    name: str
    rows: dict[int, list[Cell | None]] = field(default_factory=dict)

    @classmethod
    def of_document(cls, document: Any) -> "Worksheet":
        """The worksheet that the parser yields. Raises ValueError, TypeError for anything else."""
        name, rows = document
        return cls(str(name), {int(number): [of_document(cell) for cell in cells] for number, cells in rows})

    def cell(self, row: int, column: int) -> Cell | None:
        """The cell, or None for a blank."""
        cells = self.rows.get(row, ())
        return cells[column] if 0 <= column < len(cells) else None

    def text(self, row: int, column: int) -> str:
        """The text of a cell without surrounding blanks."""
        cell = self.cell(row, column)
        return cell.text.strip() if cell is not None else ""


class Place(NamedTuple):
    """Where a cell stands: worksheet and address."""

    sheet: str
    address: str


@dataclass(slots=True)
class Marked:
    """A worksheet whose marks were found: the column of each code, and the rows of its keys."""

    sheet: Worksheet
    columns: dict[str, int]
    first_row: int
    key_column: int

    def lines(self) -> Iterator[tuple[int, str]]:
        """Numbers and keys of the rows below the marks; the key of a row that has none is blank."""
        for number in sorted(self.sheet.rows):
            if number > self.first_row:
                yield number, self.sheet.text(number, self.key_column)

    def cell(self, row: int, code: str) -> Cell | None:
        """The cell in the column of a code."""
        return self.sheet.cell(row, self.columns[code]) if code in self.columns else None

    def text(self, row: int, code: str) -> str:
        """The text in the column of a code."""
        return self.sheet.text(row, self.columns[code]) if code in self.columns else ""

    def place(self, row: int, code: str) -> Place:
        """Where the cell in the column of a code stands."""
        return Place(self.sheet.name, address(row, self.columns[code]))


def marked(sheets: Sequence[Worksheet], mark: str, codes: Collection[str]) -> Marked | None:
    """The worksheet that has ``mark`` where its rows and columns of marks begin, with some of the ``codes`` beside it."""
    for sheet in sheets:
        for row in sorted(sheet.rows)[:MARKED_WITHIN]:
            for column in range(MARKED_WITHIN):
                if sheet.text(row, column) == mark:
                    cells = enumerate(sheet.rows[row])
                    columns = {
                        cell.text.strip(): at for at, cell in cells if cell is not None and at != column
                    }
                    if not columns.keys().isdisjoint(codes):
                        return Marked(sheet, columns, row, column)
    return None


def first_form(sheets: Sequence[Worksheet], name: str, year: str, keys: Mapping[str, Any]) -> Marked | None:
    """The form of a workbook of the first layout, which has no codes of columns: the year heads the answers."""
    sheet = next((sheet for sheet in sheets if sheet.name == name), None)
    if sheet is None:
        return None
    for row in sorted(sheet.rows)[:MARKED_WITHIN]:
        heads = [sheet.text(row, column) for column in range(len(sheet.rows[row]))]
        if year in heads and heads.count(year) == 1:
            key = _column_of_keys(sheet, row, keys)
            if key is None:
                return None
            at = heads.index(year)
            columns = dict(zip(MARKS[1:4], range(key + 1, key + 4), strict=True))
            return Marked(sheet, columns | {"answer": at, "unit": at + 1}, row, key)
    return None


def _column_of_keys(sheet: Worksheet, above: int, keys: Mapping[str, Any]) -> int | None:
    """The first column that has keys of items below the heads."""
    for column in range(MARKED_WITHIN):
        if any(sheet.text(row, column) in keys for row in sheet.rows if row > above):
            return column
    return None


def facts(sheets: Sequence[Worksheet]) -> dict[str, str]:
    """Names and values of the worksheet about the workbook; empty for a foreign one."""
    for sheet in sheets:
        texts = {sheet.text(row, 0): sheet.text(row, 1) for row in sorted(sheet.rows)[:20]}
        if "layout" in texts and "definition" in texts:
            return texts
    return {}
