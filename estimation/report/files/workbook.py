"""Excel workbook: one sheet per table, a sheet of all cells, a sheet of notes. Pure.

Numbers are numbers with a format; every sheet opens with a head that a machine can read (code, title, unit,
digest), text is written as text and never as a formula.
"""

import datetime as dt
import io
import re
from typing import Any

import xlsxwriter

from estimation.releases.content.content import CellStatus, Content, FrozenCell, FrozenTable
from estimation.report.files.observations import number_of, positions_of, shown_cells, year_of
from estimation.report.files.tabular import CELL_COLUMNS, escape_formula
from estimation.report.grid import Grid, grid_of
from estimation.report.outline import Outline
from estimation.report.wording import SYMBOLS, word

ACCENT = "#12467f"
FIRST_ROW = 6  # of the head of a table, counted from 0


def workbook(content: Content, outline: Outline) -> bytes:
    """The bytes of the workbook in the language of the outline; the same content gives the same bytes."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    workbook.set_properties(
        {"title": outline.title, "comments": outline.digest, "created": _epoch(content.year)}
    )
    formats = _formats(workbook)
    language = outline.language
    tables = {table.code: table for table in content.every_table}
    names = _names(outline, list(tables))
    titles = {code: table.title.get(language) for code, table in tables.items()}
    _notes_sheet(workbook, formats, outline, names, titles)
    for code, table in tables.items():
        _table_sheet(workbook, formats, content, table, names[code], language)
    _cells_sheet(workbook, formats, content, language)
    workbook.close()
    return buffer.getvalue()


def _epoch(year: int) -> dt.datetime:
    return dt.datetime(year + 1, 1, 1)


def _formats(workbook: Any) -> dict[str, Any]:
    base = {"font_name": "Arial", "font_size": 10, "valign": "vcenter"}
    stub = {
        **base,
        "bold": True,
        "bg_color": "#eef3f8",
        "font_color": ACCENT,
        "text_wrap": True,
        "top": 2,
        "bottom": 1,
        "border_color": ACCENT,
    }
    ruled = {**base, "bottom": 4, "border_color": "#cfd8e2"}
    looks: dict[str, dict[str, Any]] = {
        "title": {**base, "font_size": 14, "bold": True, "font_color": ACCENT},
        "meta": {**base, "font_color": "#4f5f6f"},
        "warn": {**base, "bold": True, "font_color": "#5c4300", "bg_color": "#fff7d6"},
        "stub": stub,
        "head": {**stub, "align": "right"},
        "text": ruled,
        "sign": {**ruled, "align": "right"},
        "wrap": {**base, "text_wrap": True, "valign": "top"},
        "plain": base,
    }
    for decimals in range(7):
        looks[f"n{decimals}"] = {**ruled, "align": "right", "num_format": f"#,##0{_fraction(decimals)}"}
    above = {"bold": True, "top": 1, "border_color": ACCENT}
    looks |= {
        f"total {name}": {**look, **above}
        for name, look in looks.items()
        if name in ("text", "sign") or name[0] == "n"
    }
    return {name: workbook.add_format(look) for name, look in looks.items()}


def _fraction(decimals: int) -> str:
    return f".{'0' * decimals}" if decimals else ""


def _names(outline: Outline, codes: list[str]) -> dict[str, str]:
    """Sheet names: the code of the table, which is short, unique and the same in both languages."""
    return {code: re.sub(r"[\[\]:*?/\\]", "_", code)[:31] for code in codes}


def _notes_sheet(
    workbook: Any, formats: dict[str, Any], outline: Outline, names: dict[str, str], titles: dict[str, str]
) -> None:
    language = outline.language
    sheet = workbook.add_worksheet("说明" if language == "zh" else "Notes")
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 100)
    sheet.hide_gridlines(2)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    rows: list[tuple[str, str, str]] = [("", outline.title, "title")]
    if outline.is_synthetic:
        rows.append(("", word("synthetic_long", language), "warn"))
    rows += [
        ("", word("symbols", language), "wrap"),
        ("SHA-256", outline.digest, "meta"),
        (word("code_version", language), outline.code_version, "meta"),
    ]
    rows += [(f"{note.number}", note.text, "wrap") for note in outline.footnotes]
    for at, (first, text, style) in enumerate(rows):
        sheet.write_string(at, 0, escape_formula(first), formats["meta"])
        sheet.write_string(at, 1, escape_formula(text), formats[style])
    at = len(rows) + 1
    sheet.write_string(at, 1, word("contents", language), formats["title"])
    for code, name in names.items():
        at += 1
        sheet.write_url(at, 0, f"internal:'{name}'!A1", formats["plain"], code)
        sheet.write_string(at, 1, escape_formula(_title_of(outline, code) or titles[code]), formats["plain"])


def _title_of(outline: Outline, code: str) -> str:
    for section in outline.sections:
        for part in section.parts:
            if part.kind == "table" and part.grid.code == code:  # type: ignore[union-attr]  # kind "table" has a grid
                return f"{part.number} {part.grid.title}".strip()  # type: ignore[union-attr]  # a table has a number
    return ""  # a crossing, which the document does not print


def _table_sheet(
    workbook: Any, formats: dict[str, Any], content: Content, table: FrozenTable, name: str, language: str
) -> None:
    grid = grid_of(content, table, language)
    sheet = workbook.add_worksheet(name)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, escape_formula(f"{table.code}  {grid.title}"), formats["title"])
    head = (
        ("code", table.code),
        ("year", str(content.year)),
        ("unit", grid.unit or "-"),
        ("sha256", content.digest()),
    )
    for at, (key, text) in enumerate(head, 1):
        sheet.write_string(at, 0, key, formats["meta"])
        sheet.write_string(at, 1, text, formats["meta"])
    if content.is_synthetic:
        sheet.write_string(5, 0, word("synthetic", language), formats["warn"])
    _heads(sheet, formats, grid)
    at = FIRST_ROW + 1
    for row, printed_row in zip(table.rows, grid.rows, strict=True):
        look = "total " if row.is_total else ""
        sheet.write_string(
            at, 0, escape_formula("　" * row.level + printed_row.label), formats[f"{look}text"]
        )
        for column, key in enumerate(row.keys, 1):
            _write(sheet, formats, at, column, content.cells.get(key), look)
        at += 1
    for note in grid.notes:
        at += 1
        sheet.write_string(at, 0, escape_formula(note), formats["meta"])
    wide = len(grid.heads) > 12
    sheet.set_column(0, 0, 20 if wide else 44)
    sheet.set_column(1, len(grid.heads), 13 if wide else 17)
    sheet.freeze_panes(FIRST_ROW + 1, 1)
    sheet.repeat_rows(FIRST_ROW)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _heads(sheet: Any, formats: dict[str, Any], grid: Grid) -> None:
    over = [text for text, count in grid.spans for _ in range(count)] or [""] * len(grid.heads)
    sheet.write_string(FIRST_ROW, 0, escape_formula(grid.stub), formats["stub"])
    for column, (group, head) in enumerate(zip(over, grid.heads, strict=True), 1):
        sheet.write_string(FIRST_ROW, column, escape_formula(f"{group} {head}".strip()), formats["head"])
    sheet.set_row(FIRST_ROW, 44)


def _write(
    sheet: Any, formats: dict[str, Any], at: int, column: int, cell: FrozenCell | None, look: str = ""
) -> None:
    value = number_of(cell) if cell is not None else None
    if cell is None or value is None:
        withheld = cell is not None and cell.status is CellStatus.WITHHELD
        sheet.write_string(at, column, SYMBOLS["withheld" if withheld else "absent"], formats[f"{look}sign"])
        return
    sheet.write_number(at, column, value, formats[f"{look}n{_decimals(cell.printed)}"])


def _decimals(printed: str) -> int:
    return min(len(printed.partition(".")[2]), 6)


def _cells_sheet(workbook: Any, formats: dict[str, Any], content: Content, language: str) -> None:
    sheet = workbook.add_worksheet("cells")
    positions = positions_of(content)
    for column, (name, *_) in enumerate(CELL_COLUMNS):
        sheet.write_string(0, column, name, formats["stub"])
    for at, cell in enumerate(shown_cells(content), 1):
        position = positions.get(cell.key)
        entries: tuple[Any, ...] = (
            cell.key,
            position.table if position else "",
            position.row if position else "",
            position.column if position else None,
            year_of(cell, content.year),
            cell.label.zh,
            cell.label.en,
            cell.unit.zh,
            cell.unit.en,
            str(cell.status),
            cell.printed,
            number_of(cell),
            cell.se,
            cell.cv,
            cell.lower,
            cell.upper,
            cell.n,
            cell.grade,
            cell.reason,
        )
        for column, entry in enumerate(entries):
            if isinstance(entry, str):
                sheet.write_string(at, column, escape_formula(entry), formats["plain"])
            elif entry is not None:
                sheet.write_number(at, column, entry, formats["plain"])
    sheet.set_column(0, 0, 26)
    sheet.set_column(5, 6, 34)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(content.cells), len(CELL_COLUMNS) - 1)
