"""Reads an uploaded workbook: checks the package, then reads the cells by their keys.

A workbook is an untrusted ZIP file. Its size, parts and unpacked size are checked before it is opened; macros,
links to other files and document types in its XML are refused.
"""

import re
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.utils.translation import gettext_lazy as _
from openpyxl import load_workbook

from survey.exceptions import FileRefused
from survey.questionnaires.definition import Column, Item, Questionnaire
from survey.submissions import cells
from survey.submissions.workbook.layout import ABOUT, FIRST_ROW, FORM, LAYOUT

LARGEST_FILE = 5 * 1024 * 1024
LARGEST_UNPACKED = 60 * 1024 * 1024
MOST_PARTS = 400
MOST_ROWS = 2000
MOST_COLUMNS = 80
_FORBIDDEN = re.compile(r"vbaProject|\.bin$|externalLinks/|embeddings/|activeX|macrosheets/", re.IGNORECASE)
_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


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
    """Read an uploaded file. Raises FileRefused with a message when it is not a workbook of this site."""
    check_package(data)
    try:
        book = load_workbook(BytesIO(data), read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises errors of many types for damaged parts
        raise FileRefused(_("The file is damaged: it cannot be opened as a workbook.")) from error
    if ABOUT not in book.sheetnames or FORM not in book.sheetnames:
        raise FileRefused(_("This is another workbook. Download the questionnaire here and fill that file."))
    facts = {
        str(row[0]): str(row[1]) for row in book[ABOUT].iter_rows(max_row=20, max_col=2, values_only=True)
    }
    if facts.get("layout") != LAYOUT or not facts.get("revision", "").isdigit():
        raise FileRefused(_("This workbook was made by another version of this site. Download it again."))
    content = WorkbookContent(
        facts.get("sheet", ""),
        facts.get("uscc", ""),
        facts.get("year", ""),
        facts.get("definition", ""),
        int(facts["revision"]),
    )
    if content.definition != definition.content_hash:
        raise FileRefused(_("The questionnaire has changed since this workbook was made. Download it again."))
    _read_form(book[FORM], definition, content.changes)
    for name in book.sheetnames:
        item = definition.items.get(name)
        if item is not None and item.type == "table":
            _read_table(book[name], item, content.changes)
    return content


def check_package(data: bytes) -> None:
    """Check size and parts of a package. Raises FileRefused."""
    if len(data) > LARGEST_FILE:
        raise FileRefused(_("The file is larger than 5 MB."))
    try:
        package = zipfile.ZipFile(BytesIO(data))
        parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise FileRefused(_("This is no workbook of the kind .xlsx.")) from error
    names = [part.filename for part in parts]
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise FileRefused(_("This is no workbook of the kind .xlsx."))
    if any(_FORBIDDEN.search(name) for name in names):
        raise FileRefused(_("The workbook holds macros or embedded files. Save it as a plain .xlsx."))
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise FileRefused(_("The workbook unpacks to more than this site opens."))
    unpacked = 0
    for part in parts:
        with package.open(part) as stream:
            head = stream.read(4096)
            if _DOCTYPE.search(head):
                raise FileRefused(_("The workbook holds macros or embedded files. Save it as a plain .xlsx."))
            unpacked += len(head)
            while chunk := stream.read(1 << 20):  # the sizes in the directory may be wrong
                unpacked += len(chunk)
                if unpacked > LARGEST_UNPACKED:
                    raise FileRefused(_("The workbook unpacks to more than this site opens."))


def _read_form(page: Any, definition: Questionnaire, changes: dict[str, dict[str, Any]]) -> None:
    for row in page.iter_rows(min_row=FIRST_ROW, max_row=MOST_ROWS, max_col=6, values_only=True):
        key, value, unit = row[0], row[4] if len(row) > 4 else None, row[5] if len(row) > 5 else None
        item = definition.items.get(str(key)) if key else None
        if item is None or item.type == "table" or item.computed or item.read_only:
            continue
        chosen = str(unit).strip() if unit and len(item.units) > 1 else ""
        changes[item.code] = {"value": _raw(item, value), "unit": chosen, "missing": ""}


def _read_table(page: Any, item: Item, changes: dict[str, dict[str, Any]]) -> None:
    lines = page.iter_rows(min_row=1, max_row=MOST_ROWS, max_col=MOST_COLUMNS, values_only=True)
    codes = [str(code) if code else "" for code in next(lines, ())]
    for row in lines:
        name = str(row[0]) if row and row[0] is not None else ""
        if not name or (item.rows is not None and item.rows.kind == "fixed" and name not in item.rows.ids):
            continue
        for index, value in enumerate(row[2:], 2):
            column = item.column(codes[index]) if index < len(codes) else None
            if column is not None:
                key = cells.join(item.code, name, column.code)
                changes[key] = {"value": _raw(column, value), "unit": "", "missing": ""}


def _raw(item: Item | Column, value: Any) -> Any:
    """The raw value as the section page would send it."""
    text = _plain(value)
    if item.type == "choice" and item.choices is not None and text:
        code = text.split(" ", 1)[0]
        return code if item.choices.accepts(code) else text
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
