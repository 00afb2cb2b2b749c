"""Reads an uploaded workbook: a child process parses it, this one finds the answers and their items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from survey.exceptions import FileRefused
from survey.questionnaires.definition import NUMERIC_TYPES, Column, Item, Questionnaire
from survey.request_values import whole_number
from survey.spreadsheets.cells import Cell
from survey.submissions import cells
from survey.submissions.workbook.choices import codes_in, is_ticked
from survey.submissions.workbook.layout import FIRST_LAYOUT, FORM, LAYOUT, MARKS, OPTION
from survey.submissions.workbook.messages import COLUMNS, FILE
from survey.submissions.workbook.parsing import workbook_cells
from survey.submissions.workbook.worksheets import Marked, Place, Worksheet, facts, first_form, marked
from survey.untrusted.messages import DAMAGED
from survey.untrusted.protocol import MEBIBYTE, FileRefusedError, Limits
from survey.untrusted.reading import read

LARGEST_FILE = 5 * 1024 * 1024
LIMITS = Limits(processor_seconds=8, seconds=20, memory=256 * MEBIBYTE, output=16 * MEBIBYTE)


@dataclass(frozen=True, slots=True)
class CellFault:
    """A cell that is not read: where it stands, and code and parameters of the sentence. ``key`` may be blank."""

    place: Place
    code: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True)
class Rounded:
    """A cell that shows fewer digits than it stores: what it shows is read."""

    place: Place
    shown: str
    stored: str


@dataclass(slots=True)
class WorkbookContent:
    """The content of a workbook: its metadata, the raw answers by cell key, and what is not read."""

    sheet: str
    uscc: str
    year: str
    definition: str
    revision: int
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    faults: list[CellFault] = field(default_factory=list)
    rounded: dict[str, Rounded] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)  # items that the workbook no longer has


def read_workbook(data: bytes, definition: Questionnaire) -> WorkbookContent:
    """Read an uploaded file. Raises FileRefused with a message when it is not a workbook of this site, Overloaded."""
    if len(data) > LARGEST_FILE:
        raise FileRefused(_("The file is larger than 5 MB."))
    parsed = read(workbook_cells, data, LIMITS)
    try:
        sheets = [Worksheet.of_document(document) for document in parsed]
        return _content(sheets, definition)
    except FileRefusedError as error:
        text = FILE.get(error.code)
        raise FileRefused(text % error.parameters if text else DAMAGED()) from error
    except (LookupError, TypeError, ValueError) as error:  # not what the parser yields
        raise FileRefused(DAMAGED()) from error
    finally:
        parsed.close()


def _content(sheets: Sequence[Worksheet], definition: Questionnaire) -> WorkbookContent:
    about = facts(sheets)
    if not about:
        raise FileRefusedError("foreign")
    revision = whole_number(about.get("revision", ""))
    if about.get("layout") not in {LAYOUT, FIRST_LAYOUT} or revision is None:
        raise FileRefusedError("other_layout")
    sheet, uscc, year, definition_hash = (
        about.get(name, "") for name in ("sheet", "uscc", "year", "definition")
    )
    content = WorkbookContent(sheet, uscc, year, definition_hash, revision)
    if content.definition != definition.content_hash:
        raise FileRefusedError("other_definition")
    is_first = about["layout"] == FIRST_LAYOUT
    form = first_form(sheets, FORM, year, definition.items) if is_first else marked(sheets, FORM, MARKS)
    if form is None:
        raise FileRefusedError("no_form")
    for code, title in COLUMNS.items():
        if code not in form.columns:
            raise FileRefusedError("no_column", column=str(title), sheet=form.sheet.name)
    _Form(form, definition, content).read()
    for code, item in definition.items.items():
        if item.type == "table" and item.rows is not None:
            table = marked(sheets, code, [column.code for column in item.columns])
            if table is None:
                content.missing.append(code)
            else:
                _read_table(table, item, content)
    return content


class _Form:
    """Reads the worksheet of the questions."""

    def __init__(self, form: Marked, definition: Questionnaire, content: WorkbookContent) -> None:
        self.form, self.definition, self.content = form, definition, content
        self.seen: set[str] = set()
        self.ticks: dict[str, list[str]] = {}

    def read(self) -> None:
        """Assign the answers to the items; collect what is not read."""
        for number, key in self.form.lines():
            code, _mark, option = key.partition(OPTION)
            item = self.definition.items.get(code)
            if item is not None and _is_answered(item):
                self._line(number, key, item, option)
            elif not key:
                self._without_key(number)
        for code, options in self.ticks.items():
            self._choose(code, options)
        self.content.missing += [
            code
            for code, item in self.definition.items.items()
            if _is_answered(item) and code not in self.seen
        ]

    def _line(self, number: int, key: str, item: Item, option: str) -> None:
        written = self.form.text(number, "code")
        place = self.form.place(number, "answer")
        if (key if option else written) != (key if option else item.code):
            self.content.faults.append(CellFault(place, "mixed_row", {"code": item.code}, item.code))
            self.seen.add(item.code)
        elif key in self.seen:
            self.content.faults.append(CellFault(place, "repeated_row"))
        elif option:
            self.seen.add(key)
            self._option(number, item, option)
        else:
            self.seen.add(key)
            unit = self.form.text(number, "unit") if len(item.units) > 1 else ""
            _assign(self.content, item.code, item, self.form.cell(number, "answer"), place, unit)

    def _option(self, number: int, item: Item, option: str) -> None:
        cell, place = self.form.cell(number, "answer"), self.form.place(number, "answer")
        ticked = is_ticked(cell.text) if cell is not None else False
        if ticked is None:
            self.content.changes.pop(item.code, None)
            self.content.faults.append(CellFault(place, "not_a_tick", key=item.code))
        else:
            options = self.ticks.setdefault(item.code, [])
            options += [option] if ticked else []

    def _choose(self, code: str, options: list[str]) -> None:
        """Add the ticked options to those that are written. Without a row for each option nothing is said of the item."""
        choices = self.definition.items[code].choices
        entries = choices.entries if choices is not None else ()
        if any(f"{code}{OPTION}{entry.code}" not in self.seen for entry in entries):
            self.content.changes.pop(code, None)
            self.content.missing.append(code)
        elif change := self.content.changes.get(code):
            change["value"] = list(dict.fromkeys([*options, *change["value"]]))

    def _without_key(self, number: int) -> None:
        """A row that belongs to no question: titles of sections, calculated items, and rows that were inserted."""
        cell = self.form.cell(number, "answer")
        if cell is not None and not self.form.text(number, "code"):
            place = self.form.place(number, "answer")
            self.content.faults.append(CellFault(place, "stray", {"value": cell.text[:40]}))


def _is_answered(item: Item) -> bool:
    return item.type != "table" and not item.computed and not item.read_only


def _read_table(table: Marked, item: Item, content: WorkbookContent) -> None:
    for column in item.columns:
        if column.code not in table.columns:
            title = column.label.get(get_language() or "zh-hans")
            raise FileRefusedError("no_column", column=title, sheet=table.sheet.name)
    fixed = item.rows.ids if item.rows is not None and item.rows.kind == "fixed" else None
    seen: set[str] = set()
    for number, name in table.lines():
        known = bool(name) and (fixed is None or name in fixed)
        for column in item.columns:
            cell, place = table.cell(number, column.code), table.place(number, column.code)
            if known and name not in seen:
                _assign(content, cells.join(item.code, name, column.code), column, cell, place)
            elif cell is not None and known:
                content.faults.append(CellFault(place, "repeated_row"))
            elif cell is not None and seen:  # below the heads
                content.faults.append(CellFault(place, "stray", {"value": cell.text[:40]}))
        if known:
            seen.add(name)
    content.missing += [f"{item.code} {name}" for name in fixed or () if name not in seen]


def _assign(
    content: WorkbookContent, key: str, item: Item | Column, cell: Cell | None, place: Place, unit: str = ""
) -> None:
    """The raw answer of a cell, or its fault."""
    content.places[key] = place
    if cell is not None and (fault := _fault(item, cell)):
        content.faults.append(CellFault(place, *fault, key))
        return
    content.changes[key] = {"value": _raw(item, cell), "unit": unit, "missing": ""}
    if cell is not None and cell.stored:
        content.rounded[key] = Rounded(place, cell.text, cell.stored)


def _fault(item: Item | Column, cell: Cell) -> tuple[str, dict[str, str]] | None:
    if cell.kind == "error":
        return "cell_error", {"error": cell.text}
    if cell.kind == "uncalculated":
        return "uncalculated", {}
    if item.type in NUMERIC_TYPES and cell.kind in {"date", "time"}:
        return "is_date", {"value": cell.text}
    return None


def _raw(item: Item | Column, cell: Cell | None) -> Any:
    """The raw value as the section page would send it."""
    text = cell.text.strip() if cell is not None else ""
    if item.type == "multi":
        return codes_in(item.choices, text)
    if cell is not None and item.type == "date" and cell.kind == "date":
        return text[:7]
    if cell is not None and cell.kind == "boolean":
        return text.lower()
    return text
