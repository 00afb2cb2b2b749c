"""Parses files of external series, in a child process."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import openpyxl

from survey.untrusted.parsing import check_archive
from survey.untrusted.protocol import MEBIBYTE, FileRefusedError
from survey.untrusted.spreadsheet import document_of

MOST_COLUMNS = 50
MOST_PARTS = 400
LARGEST_UNPACKED = 60 * MEBIBYTE


def series_lines(content: bytes, workbook: bool, lines: int) -> Iterator[Any]:
    """The first ``lines`` lines of a CSV or Excel file as a list. Raises FileRefusedError: no workbook, or a too large one."""
    rows = _excel(content) if workbook else _csv(content)
    yield [[document_of(cell) for cell in row[:MOST_COLUMNS]] for row in itertools.islice(rows, lines)]


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    return csv.reader(io.StringIO(text))


def _excel(content: bytes) -> Iterable[tuple[Any, ...]]:
    check_archive(content, most_parts=MOST_PARTS, largest_unpacked=LARGEST_UNPACKED)
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows: Iterable[tuple[Any, ...]] = workbook.worksheets[0].iter_rows(
            max_col=MOST_COLUMNS, values_only=True
        )
    except MemoryError:
        raise
    except Exception as error:  # openpyxl does not wrap the errors of its zip and XML readers
        raise FileRefusedError("not_excel") from error
    return rows
