"""The questionnaire of one unit as a typed workbook: definitions, drop-downs, last year, locked cells.

Hidden keys identify the answer cells (``layout``): column A has the key of a row, row 1 the codes of the columns. The
hidden worksheet "about" has the version of this layout, the hash of the definition, the unit and the revision.
"""

import re
import secrets
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override
from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from survey.questionnaires.answering import units
from survey.questionnaires.answering.answers import MISSING_REASONS, format_cell
from survey.questionnaires.definition import Codelist, Column, Item
from survey.questionnaires.guidance.formulas import formula_in_words
from survey.questionnaires.guidance.paragraphs import Paragraph, heading_before, paragraphs
from survey.submissions.selectors import Sheet
from survey.submissions.workbook.layout import (
    ABOUT,
    FIRST_ROW,
    LAYOUT,
    LISTS,
    MARKS,
    MOST_OPTIONS,
    OPTION,
    ROW,
    TICK,
)

EXACT_DIGITS = 15  # precision of spreadsheets; longer numbers are written as text
YES_NO = ("true", "false")
LONGEST_TITLE = 31  # of a worksheet
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\']")
_ACCENT, _INPUT, _LOCKED = "12467F", "EAF2FB", "F4F5F7"
_LINE = Border(bottom=Side(style="thin", color="D5DAE1"))
_NUMBER = "#,##0.############"


class WorkbookWriter:
    """Writes the workbook of one sheet in one language."""

    def __init__(self, sheet: Sheet, language: str) -> None:
        self.sheet, self.language = sheet, language
        self.book = Workbook()
        self.form: Worksheet = self.book.active
        self.form.title = worksheet_title(_("Questionnaire"))
        self.lists = self.book.create_sheet(LISTS)
        self.ranges: dict[tuple[str, ...], str] = {}  # a drop-down list -> its range

    def to_bytes(self) -> bytes:
        """The file."""
        self._form()
        for item in self.sheet.definition.items.values():
            if item.type == "table" and item.rows is not None:
                self._table(item)
        self._about()
        self.lists.sheet_state = "hidden"
        stream = BytesIO()
        self.book.save(stream)
        return stream.getvalue()

    def _about(self) -> None:
        page = self.book.create_sheet(ABOUT)
        submission = self.sheet.submission
        facts = {
            "layout": LAYOUT,
            "definition": self.sheet.definition.content_hash,
            "form": self.sheet.definition.form_no,
            "sheet": submission.pk,
            "uscc": submission.unit.uscc,
            "year": submission.round.year,
            "revision": submission.revision,
            "language": self.language,
        }
        for row, (name, value) in enumerate(facts.items(), 1):
            _text(page.cell(row, 1), name)
            _text(page.cell(row, 2), str(value))
        page.sheet_state = "hidden"
        _lock(page)

    # ---- the form ------------------------------------------------------------------------------------------

    def _form(self) -> None:
        page, submission = self.form, self.sheet.submission
        definition = self.sheet.definition
        for column, mark in enumerate(MARKS, 1):
            _text(page.cell(1, column), mark)
        _text(
            page.cell(2, 2), f"{definition.form_no} {definition.title.get(self.language)}", bold=True, size=14
        )
        _text(page.cell(3, 2), f"{submission.unit.name} · {submission.unit.uscc} · {submission.round.year}")
        reasons = ", ".join(text.get(self.language) for text in MISSING_REASONS.values())
        hint = _(
            "Fill the blue cells. Write a figure with its unit (3.2 PB); 0 is a figure, a blank means not "
            "answered. Where there is no figure write one of: %(marks)s."
        )
        _text(page.cell(4, 2), hint % {"marks": reasons})
        heads = (
            "",
            _("Code"),
            _("Item"),
            _("Last year"),
            str(submission.round.year),
            _("Unit"),
            _("Definition"),
        )
        for column, head in enumerate(heads, 1):
            _head(page.cell(FIRST_ROW - 1, column), head)
        row = FIRST_ROW
        for section in definition.sections:
            _text(page.cell(row, 2), f"{section.code} {section.title.get(self.language)}", bold=True)
            row += 1
            for code in section.items:
                item = definition.items[code]
                if heading := heading_before(definition, item, definition.items, self.language):
                    _text(page.cell(row, 3), heading, bold=True)
                    row += 1
                self._item(row, item)
                row += 1
                if _has_ticks(item):
                    row = self._options(row, item)
        for letter, width in zip("ABCDEFG", (4, 8, 44, 20, 22, 12, 70), strict=True):
            page.column_dimensions[letter].width = width
        page.column_dimensions["A"].hidden = page.row_dimensions[1].hidden = True
        page.freeze_panes = page.cell(FIRST_ROW, 5)
        _print_setup(page)
        _lock(page)

    def _item(self, row: int, item: Item) -> None:
        page = self.form
        label = item.label.get(self.language) + (" *" if item.required and not item.computed else "")
        last = (self.sheet.previous or {}).get(item.code)
        _text(page.cell(row, 2), item.code)
        _text(page.cell(row, 3), label)
        _text(
            page.cell(row, 4), format_cell(item, last, self.language) if last and "rows" not in last else ""
        )
        _text(page.cell(row, 7), self._explanation(item))
        for column in range(2, 8):
            page.cell(row, column).border = _LINE
            page.cell(row, column).alignment = Alignment(wrap_text=True, vertical="top")
        answer, unit = page.cell(row, 5), page.cell(row, 6)
        cell = self.sheet.cell(item.code)
        if item.type == "table":
            title = self._table_title(item)
            _text(answer, _("see worksheet %(name)s") % {"name": title})
            answer.hyperlink = f"#'{title}'!A1"
            return
        _text(unit, units.unit_label(item.unit, self.language))
        if item.computed or item.read_only:
            _text(answer, format_cell(item, cell, self.language))
            answer.fill = PatternFill("solid", fgColor=_LOCKED)
            return
        _text(page.cell(row, 1), item.code)
        if _has_ticks(item) and not (cell and "missing" in cell):
            _open(answer)  # labels may be written here instead of ticks below
            answer.number_format = "@"
        else:
            self._answer(answer, item, cell)
        if len(item.units) > 1:
            _text(unit, str((cell or {}).get("unit") or item.unit))
            self._choose(page, unit, item.units)
            _open(unit)

    def _options(self, row: int, item: Item) -> int:
        """A row to tick for each option of a multiple choice; returns the next row."""
        page, chosen = self.form, (self.sheet.cell(item.code) or {}).get("value", ())
        for entry in item.choices.entries if item.choices is not None else ():
            _text(page.cell(row, 1), f"{item.code}{OPTION}{entry.code}")
            _text(page.cell(row, 3), f"{entry.code} {entry.label.get(self.language)}")
            page.cell(row, 3).alignment = Alignment(wrap_text=True, vertical="top", indent=2)
            answer = page.cell(row, 5)
            _text(answer, TICK if entry.code in chosen else "")
            self._choose(page, answer, (TICK,), strict=False)
            _open(answer)
            row += 1
        return row

    def _table_title(self, item: Item) -> str:
        return worksheet_title(f"{item.code} {item.label.get(self.language)}")

    def _explanation(self, item: Item) -> str:
        first, *others = paragraphs(self.sheet.definition, item, self.language) or [Paragraph("", "")]
        parts = [first.text, *(f"{paragraph.lead}{paragraph.text}" for paragraph in others)]
        if item.computed:
            parts.append(f"= {formula_in_words(self.sheet.definition, item, self.language)}")
        if _has_ticks(item):
            parts.append(_("Tick the options below with ✓, or write them here, separated by semicolons."))
        elif item.type == "multi" and item.choices:
            parts.append(
                _("Several options separated by semicolons: %(codes)s") % {"codes": self._codes(item.choices)}
            )
        return "\n".join(part for part in parts if part)

    def _codes(self, choices: Codelist) -> str:
        return "; ".join(f"{entry.code} {entry.label.get(self.language)}" for entry in choices.entries)

    # ---- tables --------------------------------------------------------------------------------------------

    def _table(self, item: Item) -> None:
        page: Worksheet = self.book.create_sheet(self._table_title(item))
        grid = item.rows
        cell = self.sheet.answers.get(item.code) or {}
        page.cell(1, 1).value, page.cell(1, 2).value = item.code, ROW
        _text(page.cell(2, 2), f"{item.code} {item.label.get(self.language)}", bold=True, size=14)
        _text(page.cell(3, 2), self._explanation(item))
        page.cell(3, 2).alignment = Alignment(wrap_text=False)
        _head(page.cell(5, 2), "")
        for position, column in enumerate(item.columns, 3):
            unit = units.unit_label(column.unit, self.language)
            page.cell(1, position).value = column.code
            _head(page.cell(5, position), column.label.get(self.language) + (f" ({unit})" if unit else ""))
            page.column_dimensions[get_column_letter(position)].width = 22 if len(item.columns) < 6 else 13
        filled = cell.get("rows", {})
        if grid is not None and grid.kind == "fixed":
            rows = [(row.id, row.label.get(self.language)) for row in grid.entries]
        else:
            # Ids are random, so that rows of two workbooks do not collide.
            free = max(0, (grid.max_rows if grid else 0) - len(filled))
            spare = [f"x{secrets.token_hex(4)}" for _number in range(free)]
            rows = [(row, str(position)) for position, row in enumerate([*filled, *spare], 1)]
        for position, (row, label) in enumerate(rows, 6):
            page.cell(position, 1).value = row
            _text(page.cell(position, 2), label)
            for at, column in enumerate(item.columns, 3):
                self._answer(
                    page.cell(position, at), column, filled.get(row, {}).get(column.code), in_table=True
                )
        page.column_dimensions["A"].hidden = page.row_dimensions[1].hidden = True
        page.column_dimensions["B"].width = 24
        page.freeze_panes = page.cell(6, 3)
        _print_setup(page)
        _lock(page)

    # ---- one answer ----------------------------------------------------------------------------------------

    def _answer(self, target: Cell | Any, item: Item | Column, cell: Any, *, in_table: bool = False) -> None:
        _open(target)
        page = target.parent
        if item.type == "yesno":
            self._choose(page, target, tuple(self._yes_no(item, code) for code in YES_NO))
        elif item.type == "choice" and item.choices is not None:
            choices = item.choices
            labels = tuple(f"{e.code} {choices.name_of(e, self.language)}" for e in choices.entries)
            # In a long list nobody scrolls: a name or a code alone is understood too, so it can be typed.
            self._choose(page, target, labels, strict=not choices.tabular)
        if not cell:
            return
        if "missing" in cell:
            _text(target, MISSING_REASONS[cell["missing"]].get(self.language))
        elif isinstance(cell["value"], bool):
            _text(target, self._yes_no(item, "true" if cell["value"] else "false"))
        elif isinstance(cell["value"], list):
            _text(target, "; ".join(cell["value"]))
        elif item.type in {"quantity", "money", "count", "ratio"}:
            self._number(target, item, cell, in_table)
        elif item.type == "choice" and item.choices and (entry := item.choices.get(cell["value"])):
            _text(target, f"{entry.code} {item.choices.name_of(entry, self.language)}")
        else:
            _text(target, str(cell["value"]))

    def _yes_no(self, item: Item | Column, code: str) -> str:
        return format_cell(item, {"value": code == "true"}, self.language)

    def _number(self, target: Cell, item: Item | Column, cell: dict[str, Any], in_table: bool) -> None:
        """In a table, which has no unit column, a unit other than the column's is part of the text."""
        text, unit = str(cell.get("entered") or cell["value"]), cell.get("unit") or item.unit
        if in_table and unit != item.unit:
            _text(target, f"{text} {unit}")
        elif len(text.replace(".", "").replace("-", "").lstrip("0")) > EXACT_DIGITS:
            _text(target, text)
        else:
            target.value, target.number_format = Decimal(text), _NUMBER
        target.alignment = Alignment(horizontal="right", vertical="top")

    def _choose(
        self, page: Worksheet, target: Cell, options: tuple[str, ...], *, strict: bool = True
    ) -> None:
        rule = DataValidation(
            "list", formula1=self._range(options), allow_blank=True, showErrorMessage=strict
        )
        page.add_data_validation(rule)
        rule.add(target)

    def _range(self, options: tuple[str, ...]) -> str:
        """A column of the hidden sheet of lists; each list is written once."""
        if options not in self.ranges:
            column = len(self.ranges) + 1
            for row, option in enumerate(options, 1):
                _text(self.lists.cell(row, column), option)
            letter = get_column_letter(column)
            self.ranges[options] = f"'{LISTS}'!${letter}$1:${letter}${len(options)}"
        return self.ranges[options]


def worksheet_title(text: str) -> str:
    """A text as the name of a worksheet."""
    return _NOT_IN_TITLES.sub(" ", text)[:LONGEST_TITLE].strip()


def _has_ticks(item: Item) -> bool:
    """Whether the options of an item have a row each."""
    return (
        item.type == "multi"
        and item.choices is not None
        and not item.choices.open_prefix
        and len(item.choices.entries) <= MOST_OPTIONS
        and not (item.computed or item.read_only)
    )


def _text(target: Any, text: str, *, bold: bool = False, size: int = 11) -> None:
    """Writes text as a string cell: a leading = is not a formula."""
    target.value = text
    target.data_type = "s" if text else target.data_type
    target.font = Font(bold=bold, size=size)
    target.number_format = "@"


def _head(target: Any, text: str) -> None:
    _text(target, text, bold=True)
    target.font = Font(bold=True, color="FFFFFF")
    target.fill = PatternFill("solid", fgColor=_ACCENT)
    target.alignment = Alignment(wrap_text=True, vertical="center")


def _open(target: Any) -> None:
    target.protection = Protection(locked=False)
    target.fill = PatternFill("solid", fgColor=_INPUT)
    target.border = _LINE
    target.alignment = Alignment(wrap_text=True, vertical="top")


def _lock(page: Worksheet) -> None:
    """Protects a worksheet against accidental changes; uploads are validated anyway."""
    page.protection.sheet = True
    page.protection.formatColumns = page.protection.formatRows = False


def _print_setup(page: Worksheet) -> None:
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = 9
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = "5:5"


def write_workbook(sheet: Sheet, language: str) -> bytes:
    """The workbook of a sheet with its current answers."""
    with override(language):
        return WorkbookWriter(sheet, language).to_bytes()
