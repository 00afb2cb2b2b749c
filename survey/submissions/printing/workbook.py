"""The content of a filed form as a workbook for reading: one line for each answer, as typed and as stored. Pure."""

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from survey.questionnaires.answering import units
from survey.questionnaires.answering.answers import format_as_entered, number_of
from survey.questionnaires.definition import Questionnaire
from survey.submissions import cells
from survey.submissions.page.remarks import change_text

DIGITS = 15  # that a spreadsheet holds; longer numbers are written as text
WIDTHS = (16, 10, 46, 24, 22, 26, 20, 14, 24, 12, 60)
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def filed_workbook(
    facts: Sequence[tuple[str, str]],
    names: Sequence[str],
    lines: Iterator[Sequence[Any]],
    titles: tuple[str, str],
    moment: datetime,
) -> bytes:
    """A workbook of two sheets: facts of the filing, and its answers. Equal content gives equal bytes.

    ``facts`` are pairs of name and value, ``names`` the columns of ``lines``; ``moment`` is written as its creation.
    """
    import xlsxwriter  # few processes write workbooks; the others start without it

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, OPTIONS)
    book.set_properties({"created": moment.replace(tzinfo=None)})
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    first, second = (book.add_worksheet(title) for title in titles)
    first.set_column(0, 0, 24, bold)
    first.set_column(1, 1, 80)
    for position, (name, value) in enumerate(facts):
        first.write_string(position, 0, name)
        first.write_string(position, 1, value)
    for position, (name, width) in enumerate(zip(names, WIDTHS, strict=True)):
        second.set_column(position, position, width, wrapped)
        second.write_string(0, position, name, bold)
    second.freeze_panes(1, 0)
    for number, line in enumerate(lines, 1):
        for position, value in enumerate(line):
            _write(second, number, position, value)
    book.close()
    return stream.getvalue()


def _write(page: Any, row: int, column: int, value: Any) -> None:
    if not isinstance(value, Decimal):
        page.write_string(row, column, value)
    elif len(value.normalize().as_tuple().digits) <= DIGITS:
        page.write_number(row, column, float(value))
    else:
        page.write_string(row, column, units.plain(value))


def answer_lines(
    definition: Questionnaire,
    answers: Mapping[str, Any],
    previous: Mapping[str, Any],
    reasons: Mapping[str, list[str]],
    language: str,
) -> Iterator[list[Any]]:
    """One line for each answered cell in form order.

    Section, code, item, row and column of a table, answer as typed, stored number and its unit, last year, change,
    reasons.
    """
    for section in definition.sections:
        for code in section.items:
            item, last = definition.items[code], cells.flatten(code, previous.get(code))
            rows = {row.id: row.label.get(language) for row in item.rows.entries} if item.rows else {}
            for key, cell in cells.flatten(code, answers.get(code)).items():
                _code, row, column_code = cells.split(key)
                field = (item.column(column_code) if column_code else None) or item
                number = None if field.type == "yesno" else number_of(field, cell)
                yield [
                    section.title.get(language),
                    code,
                    item.label.get(language),
                    rows.get(row or "", row or ""),
                    "" if field is item else field.label.get(language),
                    format_as_entered(field, cell, language),
                    "" if number is None else number,
                    "" if number is None else units.unit_label(field.unit, language),
                    format_as_entered(field, last.get(key), language),
                    change_text(field, cell, last.get(key)),
                    "\n".join(reasons.get(code, [])),
                ]
