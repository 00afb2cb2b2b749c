"""Reads an uploaded workbook: a child process parses it, this one assigns the values to the cells of the sheet."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from survey.exceptions import FileRefused
from survey.questionnaires.definition import Column, Item, Questionnaire
from survey.request_values import whole_number
from survey.submissions import cells
from survey.submissions.workbook.layout import LAYOUT
from survey.submissions.workbook.parsing import FORM_COLUMNS, workbook_cells
from survey.untrusted.messages import DAMAGED
from survey.untrusted.protocol import MEBIBYTE, FileRefusedError, Limits
from survey.untrusted.reading import read
from survey.untrusted.spreadsheet import value_of

LARGEST_FILE = 5 * 1024 * 1024
LIMITS = Limits(processor_seconds=8, seconds=20, memory=256 * MEBIBYTE, output=16 * MEBIBYTE)
REFUSALS = {
    "not_xlsx": _("This is no workbook of the kind .xlsx."),
    "macros": _("The workbook holds macros or embedded files. Save it as a plain .xlsx."),
    "unpacks": _("The workbook unpacks to more than this site opens."),
    "not_opened": _("The file is damaged: it cannot be opened as a workbook."),
    "foreign": _("This is another workbook. Download the questionnaire here and fill that file."),
}
type Rows = list[list[Any]]


@dataclass(slots=True)
class WorkbookContent:
    """The content of a workbook: its metadata and the raw answers by cell key."""

    sheet: str
    uscc: str
    year: str
    definition: str
    revision: int
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_workbook(data: bytes, definition: Questionnaire) -> WorkbookContent:
    """Read an uploaded file. Raises FileRefused with a message when it is not a workbook of this site, Overloaded."""
    if len(data) > LARGEST_FILE:
        raise FileRefused(_("The file is larger than 5 MB."))
    tables = [code for code, item in definition.items.items() if item.type == "table"]
    parsed = read(workbook_cells, data, LIMITS, tables=tables)
    try:
        return _content(parsed, definition)
    except FileRefusedError as error:
        raise FileRefused(REFUSALS.get(error.code, DAMAGED())) from error
    except (LookupError, TypeError, ValueError, StopIteration) as error:  # not what the parser yields
        raise FileRefused(DAMAGED()) from error
    finally:
        parsed.close()


def _content(parsed: Iterator[Any], definition: Questionnaire) -> WorkbookContent:
    facts = dict(next(parsed))
    revision = whole_number(str(facts.get("revision", "")))
    if facts.get("layout") != LAYOUT or revision is None:
        raise FileRefused(_("This workbook was made by another version of this site. Download it again."))
    content = WorkbookContent(
        facts.get("sheet", ""),
        facts.get("uscc", ""),
        facts.get("year", ""),
        facts.get("definition", ""),
        revision,
    )
    if content.definition != definition.content_hash:
        raise FileRefused(_("The questionnaire has changed since this workbook was made. Download it again."))
    _read_form(_rows(next(parsed)), definition, content.changes)
    for name, rows in parsed:
        _read_table(_rows(rows), definition.items[str(name)], content.changes)
    return content


def _rows(documents: Any) -> Rows:
    """Rows of spreadsheet values. Raises ValueError, TypeError for anything else."""
    return [[value_of(document) for document in row] for row in documents]


def _read_form(rows: Rows, definition: Questionnaire, changes: dict[str, dict[str, Any]]) -> None:
    for row in rows:
        key, _code, _label, _hint, value, unit = (row + [None] * FORM_COLUMNS)[:FORM_COLUMNS]
        item = definition.items.get(str(key)) if key else None
        if item is None or item.type == "table" or item.computed or item.read_only:
            continue
        chosen = str(unit).strip() if unit and len(item.units) > 1 else ""
        changes[item.code] = {"value": _raw(item, value), "unit": chosen, "missing": ""}


def _read_table(rows: Rows, item: Item, changes: dict[str, dict[str, Any]]) -> None:
    codes = [str(code) if code else "" for code in rows[0]] if rows else []
    for row in rows[1:]:
        name = str(row[0]) if row and row[0] is not None else ""
        if not name or (item.rows is not None and item.rows.kind == "fixed" and name not in item.rows.ids):
            continue
        values = row + [None] * (len(codes) - len(row))  # blank cells at the end of a row
        for index, code in enumerate(codes[2:], 2):
            column, value = item.column(code), values[index]
            if column is not None:
                key = cells.join(item.code, name, column.code)
                changes[key] = {"value": _raw(column, value), "unit": "", "missing": ""}


def _raw(item: Item | Column, value: Any) -> Any:
    """The raw value as the section page would send it."""
    text = _plain(value)
    if item.type == "multi":
        return [part.strip().split(" ", 1)[0] for part in re.split(r"[;；、,]", text) if part.strip()]
    if item.type == "date" and hasattr(value, "strftime"):
        return str(value.strftime("%Y-%m"))
    return text


def _plain(value: Any) -> str:
    """A spreadsheet value as text: the shortest text of a double is exact for up to 15 digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return str(value).strip()
