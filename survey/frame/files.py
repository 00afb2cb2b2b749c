"""Files for download: templates and the list of faults. Pure but for the language."""

import csv
import io
from collections.abc import Iterable, Sequence

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from survey.frame.columns import template_rows

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


def escape_formula(text: str) -> str:
    """Prefix a text with an apostrophe if a spreadsheet would evaluate it as a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """CSV as UTF-8 with a byte order mark, which Excel needs for Chinese."""
    buffer = io.StringIO()
    buffer.write(BOM)
    writer = csv.writer(buffer)
    writer.writerows([escape_formula(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode()


def xlsx_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """One sheet of text cells."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("frame")
    for row in rows:
        cells = [openpyxl.cell.WriteOnlyCell(sheet, value=cell) for cell in row]
        for cell in cells:
            cell.number_format = "@"
        sheet.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def template_bytes(kind: str, form: str) -> bytes:
    """An empty file of a kind with one example line."""
    rows = template_rows(kind)
    if form == "csv":
        return csv_bytes(rows)
    if form == "xlsx":
        return xlsx_bytes(rows)
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: [cell] for name, cell in zip(*rows, strict=True)}), buffer)
    return buffer.getvalue()
