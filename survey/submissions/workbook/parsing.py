"""Parses an uploaded workbook in a child process: yields the cells of its worksheets."""

import itertools
from collections.abc import Iterator
from typing import Any

from survey.spreadsheets.cells import BookLimits, to_document
from survey.spreadsheets.parsing import open_book

MOST_SHEETS = 60
MOST_ROWS = 2000
LIMITS = BookLimits(columns=80)


def workbook_cells(content: bytes) -> Iterator[Any]:
    """Each worksheet as its name and the rows that have cells with their numbers. Raises FileRefusedError."""
    for sheet in open_book(content, LIMITS).sheets[:MOST_SHEETS]:
        rows = itertools.takewhile(lambda row: row[0] <= MOST_ROWS, sheet.rows())
        yield [sheet.name, [[number, [to_document(cell) for cell in cells]] for number, cells in rows]]
