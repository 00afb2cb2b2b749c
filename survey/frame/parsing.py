"""Parses uploaded files (spreadsheets, CSV or Parquet) as rows of text, in a child process. Pure.

Files are not trusted: the type is detected from the first bytes, the parts and the unpacked size of an archive are
checked before it is opened, and the number of rows, the number of columns and the length of a cell are limited.
"""

import datetime as dt
import io
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from survey.frame.headers import find_header
from survey.spreadsheets.cells import BookLimits, Cell, to_document
from survey.spreadsheets.numbers import plain, significant
from survey.spreadsheets.parsing import open_book
from survey.untrusted.protocol import FileRefusedError

LARGEST_FILE = 40 * 1024 * 1024
LARGEST_UNPACKED = 400 * 1024 * 1024
MOST_PARTS = 400
MOST_ROWS = 300_000
MOST_COLUMNS = 60
LONGEST_CELL = 500
_BATCH = 1_000


type Value = str | Cell
WITHOUT_VALUE = frozenset({"error", "uncalculated"})


@dataclass(frozen=True)
class Table:
    """The header and the rows of a file; ``rows`` yields (line number, cells) without blank rows.

    A value is text; a cell stands for an error, for a formula without result, and for a number that hides digits.
    """

    format: str  # csv, xlsx, xls, ods, parquet
    encoding: str
    header: list[str]
    rows: Iterator[tuple[int, list[Value]]]
    sheet: str = ""
    line: int = 1  # of the header


def read_table(content: bytes, kind: str = "units") -> Table:
    """Open a file. Raises FileRefusedError, also while the rows are iterated."""
    if len(content) > LARGEST_FILE:
        raise FileRefusedError("too_large", limit=LARGEST_FILE // 1024 // 1024)
    return _parquet(content) if content[:4] == b"PAR1" else _spreadsheet(content, kind)


def table_parts(content: bytes, kind: str = "units") -> Iterator[Any]:
    """Format, encoding, header, sheet and line of the header, then the rows in batches. Raises FileRefusedError."""
    table = read_table(content, kind)
    yield [table.format, table.encoding, table.header, table.sheet, table.line]
    for batch in itertools.batched(table.rows, _BATCH, strict=False):
        yield [[line, [_document(value) for value in values]] for line, values in batch]


def _document(value: Value) -> Any:
    return value if isinstance(value, str) else to_document(value)


def _limited(rows: Iterator[tuple[int, list[Value]]]) -> Iterator[tuple[int, list[Value]]]:
    for number, (line, cells) in enumerate(rows):
        if number >= MOST_ROWS:
            raise FileRefusedError("too_many_rows", limit=MOST_ROWS)
        yield line, cells


def _header(cells: list[str]) -> list[str]:
    if len(cells) > MOST_COLUMNS:
        raise FileRefusedError("too_many_columns", limit=MOST_COLUMNS)
    return cells


# ---- spreadsheets --------------------------------------------------------------------------------------


def _spreadsheet(content: bytes, kind: str) -> Table:
    """The rows below the header of the sheet that fits the kind of file."""
    limits = BookLimits(LARGEST_UNPACKED, MOST_PARTS, MOST_COLUMNS, LONGEST_CELL)
    book = open_book(content, limits)
    header = find_header(book.sheets, kind)
    if header is None:
        raise FileRefusedError("empty")
    rows = (
        (line, [_value(cell) for cell in cells]) for line, cells in header.sheet.rows() if line > header.line
    )
    return Table(
        book.format, book.encoding, _header(header.texts), _limited(rows), header.sheet.name, header.line
    )


def _value(cell: Cell | None) -> Value:
    """The text of a cell; a cell without a value, or one that hides digits, as it is."""
    if cell is None:
        return ""
    return cell if cell.kind in WITHOUT_VALUE or cell.stored else cell.text


# ---- Parquet -----------------------------------------------------------------------------------------


def _parquet(content: bytes) -> Table:
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        metadata = file.metadata
        unpacked = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError):
        raise FileRefusedError("damaged") from None
    if unpacked > LARGEST_UNPACKED:
        raise FileRefusedError("unpacks_too_large", limit=LARGEST_UNPACKED // 1024 // 1024)
    if metadata.num_rows > MOST_ROWS:
        raise FileRefusedError("too_many_rows", limit=MOST_ROWS)
    header = _header(list(file.schema_arrow.names))
    if not header:
        raise FileRefusedError("empty")
    return Table("parquet", "", header, _parquet_rows(file, len(header)))


def _parquet_rows(file: Any, width: int) -> Iterator[tuple[int, list[Value]]]:
    line = 1
    try:
        for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
            columns = [batch.column(index).to_pylist() for index in range(width)]
            for cells in zip(*columns, strict=True):
                line += 1
                yield line, [text_of(cell) for cell in cells]
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError):
        raise FileRefusedError("damaged") from None


def text_of(value: Any) -> str:
    """The value of a cell as text, as a user would enter it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and math.isfinite(value):
        return plain(significant(value))
    return str(value)[: LONGEST_CELL + 1]


SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d{2}")
