"""Fills the workbook of a questionnaire."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from openpyxl import load_workbook

FIRST_TABLE_ROW = 6


def filled_workbook(data: bytes, answers: Mapping[str, Any]) -> bytes:
    """The downloaded workbook with these answers by cell key in its blue cells; all other blue cells are emptied."""
    book = load_workbook(BytesIO(data))
    form = book.worksheets[0]
    for row in form.iter_rows(min_row=2, max_col=6):
        key = row[0].value
        if not key:
            continue
        cell = answers.get(str(key))
        row[4].value = written_value(cell)
        if cell and cell.get("unit") and row[5].value:
            row[5].value = cell["unit"]
    for page in book.worksheets[1:]:
        if page["B1"].value == "row":  # the hidden first cell of a table sheet holds its item
            _fill_table(page, page["A1"].value, answers)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _fill_table(page: Any, code: str, answers: Mapping[str, Any]) -> None:
    columns = [cell.value for cell in page[1]]
    for line in page.iter_rows(min_row=FIRST_TABLE_ROW):
        for cell, column in zip(line[2:], columns[2:], strict=True):
            if line[0].value and column:
                cell.value = written_value(answers.get(f"{code}/{line[0].value}/{column}"))


def written_value(cell: Mapping[str, Any] | None) -> str | None:
    """The text of an answer in a spreadsheet cell."""
    if not cell:
        return None
    value = cell.get("entered", cell["value"])
    if isinstance(value, bool):
        return "是" if value else "否"
    return "; ".join(value) if isinstance(value, list) else str(value)
