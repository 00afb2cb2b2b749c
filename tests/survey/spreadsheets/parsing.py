"""A parser that yields the cells of the first sheet, for the tests of the one reader of cells."""

from collections.abc import Iterator
from typing import Any

from survey.spreadsheets.cells import BookLimits, to_document
from survey.spreadsheets.parsing import open_book


def first_sheet(content: bytes, columns: int = 80) -> Iterator[Any]:
    """Format, encoding and names of the sheets, then the rows of the first one."""
    book = open_book(content, BookLimits(columns=columns))
    yield [book.format, book.encoding, [sheet.name for sheet in book.sheets]]
    for number, cells in book.sheets[0].rows():
        yield [number, [to_document(cell) for cell in cells]]
