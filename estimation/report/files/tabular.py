"""CSV of every table and of all cells, described by CSV on the Web metadata. Pure.

RFC 4180 in UTF-8. A cell that could start a formula in a spreadsheet is led by an apostrophe.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from estimation.releases.content.content import Content, FrozenTable
from estimation.report.files.observations import number_of, positions_of, short, shown_cells, year_of
from estimation.report.grid import grid_of

CELL_COLUMNS: tuple[tuple[str, str, str, str], ...] = (
    ("key", "键", "Key", "string"),
    ("table", "表", "Table", "string"),
    ("row", "行", "Row", "string"),
    ("column", "列", "Column", "integer"),
    ("year", "年份", "Year", "gYear"),
    ("label_zh", "名称", "Name (Chinese)", "string"),
    ("label_en", "英文名称", "Name (English)", "string"),
    ("unit_zh", "单位", "Unit (Chinese)", "string"),
    ("unit_en", "英文单位", "Unit (English)", "string"),
    ("status", "状态", "Status", "string"),
    ("printed", "印刷值", "As printed", "string"),
    ("value", "数值", "Value", "number"),
    ("standard_error", "标准误", "Standard error", "number"),
    ("cv", "变异系数", "Coefficient of variation", "number"),
    ("lower", "95%下限", "Lower bound, 95 %", "number"),
    ("upper", "95%上限", "Upper bound, 95 %", "number"),
    ("sample", "样本数", "Sample", "integer"),
    ("grade", "质量等级", "Grade", "string"),
    ("reason", "不显示的原因", "Why nothing is shown", "string"),
)


def escape_formula(text: str) -> str:
    """Text that no spreadsheet takes for a formula. A lone dash and numbers stay as they are."""
    if text[:1] in "=+-@\t\r" and text not in ("-", "") and not _is_number(text):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([escape_formula(entry) for entry in row] for row in rows)
    return buffer.getvalue().encode()


def cells_csv(content: Content) -> bytes:
    """Every cell with its errors, one line per cell."""
    positions = positions_of(content)
    rows = []
    for cell in shown_cells(content):
        position = positions.get(cell.key)
        value = number_of(cell)
        rows.append(
            (
                cell.key,
                position.table if position else "",
                position.row if position else "",
                str(position.column) if position else "",
                str(year_of(cell, content.year)),
                cell.label.zh,
                cell.label.en,
                cell.unit.zh,
                cell.unit.en,
                str(cell.status),
                cell.printed,
                "" if value is None else f"{value:.15g}",
                short(cell.se),
                short(cell.cv),
                short(cell.lower),
                short(cell.upper),
                "" if cell.n is None else str(cell.n),
                cell.grade,
                cell.reason,
            )
        )
    return _csv([name for name, *_ in CELL_COLUMNS], rows)


def table_csv(content: Content, table: FrozenTable) -> bytes:
    """A table in its printed layout: codes and names of the rows, then its columns."""
    rows = []
    for row in table.rows:
        entries = []
        for key in row.keys:
            cell = content.cells.get(key)
            value = number_of(cell) if cell else None
            entries.append(
                f"{value:.15g}" if value is not None else "×" if cell and cell.status == "withheld" else ""
            )
        rows.append((row.code, row.label.zh, row.label.en, *entries))
    return _csv(("row", "label_zh", "label_en", *(f"c{at}" for at in range(1, len(table.columns) + 1))), rows)


def _column(name: str, zh: str, en: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "titles": {"zh": [zh], "en": [en]}, "datatype": kind, **more}


def metadata(content: Content) -> bytes:
    """CSV on the Web metadata of the folder: a description of every file and column."""
    tables: list[dict[str, Any]] = [
        {
            "url": "cells.csv",
            "dc:title": content.title.zh,
            "tableSchema": {"columns": [_column(*column) for column in CELL_COLUMNS], "primaryKey": "key"},
        }
    ]
    for table in content.every_table:
        heads = [grid_of(content, table, language).heads for language in ("zh", "en")]
        spans = [_over(grid_of(content, table, language).spans) for language in ("zh", "en")]
        columns = [
            _column("row", "行代码", "Row code", "string"),
            _column("label_zh", table.stub.zh, f"{table.stub.en} (Chinese)", "string"),
            _column("label_en", f"{table.stub.zh}（英文）", table.stub.en, "string"),
        ]
        for at in range(len(table.columns)):
            titles = [f"{over[at]} {head[at]}".strip() for over, head in zip(spans, heads, strict=True)]
            columns.append(_column(f"c{at + 1}", titles[0], titles[1], "number", null=["", "×"]))
        tables.append(
            {
                "url": f"{table.code}.csv",
                "dc:title": table.title.zh,
                "notes": [{"zh": note.zh, "en": note.en} for note in table.notes],
                "tableSchema": {"columns": columns, "primaryKey": "row"},
            }
        )
    document = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "zh"}],
        "dc:title": content.title.zh,
        "dc:description": "synthetic" if content.is_synthetic else "",
        "dc:identifier": content.digest(),
        "tables": tables,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _over(spans: Sequence[tuple[str, int]]) -> list[str]:
    labels = [text for text, count in spans for _ in range(count)]
    return labels or [""] * 99


def csv_files(content: Content) -> dict[str, bytes]:
    """The folder: cells, tables, metadata."""
    files = {"cells.csv": cells_csv(content), "csv-metadata.json": metadata(content)}
    for table in content.every_table:
        files[f"{table.code}.csv"] = table_csv(content, table)
    return files
