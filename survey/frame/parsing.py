"""Parses uploaded files (CSV, XLSX or Parquet) as rows of text, in a child process. Pure.

Files are not trusted: the type is detected from the first bytes, the parts and the unpacked size of an archive are checked before
it is opened, and the number of rows, the number of columns and the length of a cell are limited.
"""

import csv
import datetime as dt
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from survey.untrusted.parsing import check_archive
from survey.untrusted.protocol import FileRefusedError

LARGEST_FILE = 40 * 1024 * 1024
LARGEST_UNPACKED = 400 * 1024 * 1024
MOST_PARTS = 400
MOST_ROWS = 300_000
MOST_COLUMNS = 60
LONGEST_CELL = 500
_BATCH = 1_000


@dataclass(frozen=True)
class Table:
    """The header and the rows of a file as text; ``rows`` yields (line number, cells) without blank rows."""

    format: str  # csv, xlsx, parquet
    encoding: str
    header: list[str]
    rows: Iterator[tuple[int, list[str]]]


def read_table(content: bytes) -> Table:
    """Open a file. Raises FileRefusedError, also while the rows are iterated."""
    if len(content) > LARGEST_FILE:
        raise FileRefusedError("too_large", limit=LARGEST_FILE // 1024 // 1024)
    if not content.strip():
        raise FileRefusedError("empty")
    if content[:4] == b"PK\x03\x04":
        return _xlsx(content)
    if content[:4] == b"PAR1":
        return _parquet(content)
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise FileRefusedError("old_excel")
    return _csv(content)


def table_parts(content: bytes) -> Iterator[Any]:
    """Format, encoding and header of a file, then its rows in batches. Raises FileRefusedError."""
    table = read_table(content)
    yield [table.format, table.encoding, table.header]
    yield from map(list, itertools.batched(table.rows, _BATCH, strict=False))


def _limited(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    for number, (line, cells) in enumerate(rows):
        if number >= MOST_ROWS:
            raise FileRefusedError("too_many_rows", limit=MOST_ROWS)
        yield line, cells


def _header(cells: list[str]) -> list[str]:
    if len(cells) > MOST_COLUMNS:
        raise FileRefusedError("too_many_columns", limit=MOST_COLUMNS)
    return cells


# ---- CSV ---------------------------------------------------------------------------------------------


def decoded(content: bytes) -> tuple[str, str]:
    """Text and the name of its encoding: UTF-8 or UTF-16 with a byte order mark, UTF-8, else GB 18030 (which holds GBK).

    Raises FileRefusedError for another encoding and for binary data.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif content.startswith(b"\xef\xbb\xbf"):
        candidates = ["utf-8-sig"]
    else:
        candidates = ["utf-8", "gb18030"]
    for encoding in candidates:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text or content.startswith(b"%PDF"):
            raise FileRefusedError("not_a_table")
        return text, {"utf-8-sig": "UTF-8", "gb18030": "GBK"}.get(encoding, encoding.upper())
    raise FileRefusedError("encoding")


def _csv(content: bytes) -> Table:
    text, encoding = decoded(content)
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    delimiter = max(",;\t", key=first.count)
    rows = _limited(_csv_rows(text, delimiter))
    try:
        header = _header(next(rows)[1])
    except StopIteration:
        raise FileRefusedError("empty") from None
    return Table("csv", encoding, header, rows)


def _csv_rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begins, header = 1, True
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a quote that never closes makes one cell of the rest of the file
            raise FileRefusedError("broken_csv", line=begins) from None
        line, begins = begins, reader.line_num + 1
        if not any(cell.strip() for cell in cells) or (header and cells[0].startswith("#")):
            continue
        header = False
        yield line, [cell[: LONGEST_CELL + 1] for cell in cells[: MOST_COLUMNS + 1]]


# ---- XLSX --------------------------------------------------------------------------------------------


def _xlsx(content: bytes) -> Table:
    names = check_archive(content, most_parts=MOST_PARTS, largest_unpacked=LARGEST_UNPACKED)
    if "xl/workbook.xml" not in names:
        raise FileRefusedError("not_a_table")
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
    except MemoryError:
        raise
    except Exception:  # the parser raises many exceptions for a malformed workbook
        raise FileRefusedError("damaged") from None
    rows = _limited(_xlsx_rows(sheet))
    try:
        header = _header(next(rows)[1])
    except StopIteration:
        raise FileRefusedError("empty") from None
    return Table("xlsx", "", header, rows)


def _xlsx_rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    cells_of = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1)
    line, header = 0, True
    while True:
        try:
            cells = next(cells_of)
        except StopIteration:
            return
        except MemoryError:
            raise
        except Exception:  # see above: the parser of a damaged part
            raise FileRefusedError("damaged") from None
        line += 1
        texts = [text_of(cell) for cell in cells]
        if not any(texts) or (header and texts[0].startswith("#")):
            continue
        while header and texts and not texts[-1]:
            texts.pop()
        header = False
        yield line, texts


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


def _parquet_rows(file: Any, width: int) -> Iterator[tuple[int, list[str]]]:
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
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)[: LONGEST_CELL + 1]


SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d{2}")
