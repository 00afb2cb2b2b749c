"""The sample as a file for the field: CSV, XLSX, Parquet, each with the hash of the design it belongs to. Pure."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from survey.frame.files import BOM, escape_formula

COLUMNS = (
    "uscc", "name", "category", "region", "division_code", "industry", "section", "size_class", "stratum_kind",
    "take_all_reason", "stratum_category", "stratum_region", "stratum_section", "stratum_size", "population",
    "drawn", "probability", "random_number",
)  # fmt: skip
_TEXTS = 14  # the first columns are text, the rest are numbers


def sample_bytes(rows: Sequence[tuple[Any, ...]], form: str, facts: dict[str, str]) -> bytes:
    """The file. ``facts`` (design, sha256, ...) are its first line, in Parquet the metadata of the schema."""
    title = "# " + "; ".join(f"{name}: {value}" for name, value in facts.items())
    if form == "csv":
        buffer = io.StringIO()
        buffer.write(f"{BOM}{title}\r\n")
        writer = csv.writer(buffer)
        writer.writerow(COLUMNS)
        # A spreadsheet would round a credit code of digits alone; ="..." would be a formula, a tab is not.
        writer.writerows((_text_cell(row[0]), *map(_cell, row[1:])) for row in rows)
        return buffer.getvalue().encode()
    if form == "xlsx":
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("sample")
        sheet.append([title])
        sheet.append(COLUMNS)
        for row in rows:
            sheet.append([_cell(value) for value in row])
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
    types = [pa.string()] * _TEXTS + [pa.int64()] * 2 + [pa.float64()] * 2
    table = pa.table(
        {name: pa.array(column, kind) for name, column, kind in zip(COLUMNS, columns, types, strict=True)}
    ).replace_schema_metadata(facts)
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return escape_formula(value) if isinstance(value, str) else value


def _text_cell(code: str) -> str:
    """A credit code that a spreadsheet keeps as text: it is followed by a tab."""
    return f"{code}\t" if code.isdigit() else code
