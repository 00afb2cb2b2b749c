"""A section as rows for the page: fields with their texts, last year, findings, comments.

Templates only lay out these values.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from survey.questionnaires.answering import units
from survey.questionnaires.answering.answers import (
    MISSING_REASONS,
    AnswerError,
    format_as_entered,
    format_cell,
    number_of,
)
from survey.questionnaires.answering.special_values import missing_reasons_of
from survey.questionnaires.definition import NUMERIC_TYPES, Column, Item, Section
from survey.questionnaires.edits import Finding
from survey.questionnaires.guidance.paragraphs import texts_of
from survey.questionnaires.routing import prefilled_cells
from survey.submissions import cells
from survey.submissions.lifecycle.saving.conflicts import Conflict
from survey.submissions.models import Explanation
from survey.submissions.page.expectations import expectations_of
from survey.submissions.page.remarks import (
    change_text,
    control_of,
    entered_choice,
    options_of,
    read_back,
    suggestions_for,
)
from survey.submissions.page.rows import ConflictView, Field, FindingView, Grid, Option, Row
from survey.submissions.page.unit_options import unit_options
from survey.submissions.refused import REFUSED, RefusedValue
from survey.submissions.selectors import Sheet, earlier_answers

WIDE_TABLE = 4  # columns; wider tables show the unit in the header and accept other units as typed text


class RowBuilder:
    """Builds the rows of one sheet; ``typed``, ``errors`` and ``conflicts`` come from a refused save."""

    def __init__(
        self,
        sheet: Sheet,
        *,
        typed: Mapping[str, Mapping[str, Any]] | None = None,
        errors: Mapping[str, AnswerError] | None = None,
        conflicts: Mapping[str, Conflict] | None = None,
        blank_rows: Mapping[str, Collection[str]] | None = None,
        with_required: bool = False,
        reader: Any = None,
    ) -> None:
        self.sheet = sheet
        self.language = get_language() or "zh-hans"
        self.typed = typed or {}
        self.errors = errors or {}
        self.conflicts = conflicts or {}
        self.blank_rows = blank_rows or {}
        self.with_required = with_required
        self.reader = reader  # whose remarks are editable; None: remarks are not read

    @cached_property
    def refused(self) -> dict[str, RefusedValue]:
        """Values that could not be read: those of the sheet, and those of this save."""
        now = {key: RefusedValue.of(self.typed.get(key), error) for key, error in self.errors.items()}
        return {**self.sheet.refused, **now}

    @cached_property
    def _history(self) -> list[tuple[int, dict[str, Any]]]:
        """Accepted answers of the years before last year."""
        return earlier_answers(self.sheet.submission) if self.sheet.previous else []

    @cached_property
    def _register(self) -> dict[str, Any]:
        """Prefilled cells of the unit."""
        return prefilled_cells(self.sheet.definition, self.sheet.context)

    def section(self, section: Section, only: Collection[str] | None = None) -> list[Row]:
        """Rows of a section in form order; ``only`` keeps some item codes."""
        return [self.row(code) for code in section.items if only is None or code in only]

    def row(self, code: str) -> Row:
        """One item."""
        item = self.sheet.item(code)
        row = Row(item, id=cells.element_id(code), shown=code in self.sheet.relevant)
        if not row.shown:
            return row
        row.about = texts_of(self.sheet.definition, item, self.sheet.relevant, self.language)
        cell = self.sheet.cell(code)
        last = (self.sheet.previous or {}).get(code)
        row.previous = format_as_entered(item, last, self.language) if last and "rows" not in last else ""
        row.text = format_as_entered(item, cell, self.language)
        row.change = change_text(item, cell, last)
        refused = {key for key in self.refused if cells.item_of(key) == code}
        if not refused or item.type == "table":  # findings belong to the value that is shown
            row.findings = self.findings(code, main=self._main_items(code))
        row.queries = self.sheet.queries_of(code)
        if self.reader is not None:
            remarks = self.sheet.notes.get(code, [])
            row.notes = [remark for remark in remarks if remark.by_id != self.reader.pk]
            row.note = next((remark.text for remark in remarks if remark.by_id == self.reader.pk), "")
        if item.computed or item.read_only:
            row.value = format_cell(item, cell, self.language)
        elif item.type == "table":
            row.grid = self._grid(item, cell)
            row.field = self._missing_only(item, cell)
        else:
            row.field = self._field(code, item)
        if row.field and (item.type not in {"text", "yesno"} or row.field.missing):
            missing = row.field.missing
            row.missing_reasons = [
                Option(reason, MISSING_REASONS[reason].get(self.language), reason == missing)
                for reason in missing_reasons_of(item)
            ]
        if row.field:
            row.expectations = expectations_of(
                self.sheet, item, self.language, self.sheet.submission.round.year, self._history
            )
        row.from_register = bool(item.prefilled and row.field and cell and cell == self._register.get(code))
        if not refused:
            self._remarks(row, cell, last)
        row.errors = [
            (cells.element_id(key), value.error.message(self.language))
            for key, value in self.refused.items()
            if cells.item_of(key) == code
        ]
        return row

    def findings(self, code: str, main: Mapping[str, str]) -> list[FindingView]:
        """Findings at an item; blank required items are only included with ``with_required``."""
        views = []
        for finding in self.sheet.findings_of(code):
            if finding.edit.startswith(REFUSED):  # stands at its cell
                continue
            if finding.edit.startswith("REQ-") and not self.with_required:
                continue
            view = self.finding(finding)
            view.main = main.get(finding.edit, "")
            views.append(view)
        return views

    def _main_items(self, code: str) -> dict[str, str]:
        """By edit: the other item of this section that shows the full finding.

        A sum rule refers to every part of the sum; the message is shown once, the parts link to it.
        """
        section = self.sheet.definition.section_of(code)
        first = {}
        for finding in self.sheet.findings_of(code):
            shown = [item for item in section.items if item in finding.items and item in self.sheet.relevant]
            if shown and shown[0] != code:
                first[finding.edit] = shown[0]
        return first

    def finding(self, finding: Finding) -> FindingView:
        """A finding with its explanation; a refused explanation is shown but not valid."""
        stored = self.sheet.explanations.get(finding.edit)
        current = stored if stored and stored.fingerprint == finding.fingerprint else None
        refused = bool(current and current.verdict == Explanation.Verdict.REFUSED)
        return FindingView(finding, finding.message.get(self.language), current, refused)

    def _field(self, key: str, item: Item | Column) -> Field:
        cell = cells.get(self.sheet.answers, key) or {}
        result = Field(
            key,
            cells.element_id(key),
            control_of(item),
            item,
            missing=cell.get("missing", ""),
            base=self.sheet.submission.revision,
            label=item.label.get(self.language),
        )
        result.shown = format_as_entered(item, cell, self.language)
        result.text, chosen, unit = self._texts(item, cell)
        typed, refused = self.typed.get(key), self.refused.get(key)
        if typed is not None and (key in self.errors or key in self.conflicts):
            result.text = str(typed.get("value") or "")
            chosen = _as_list(typed.get("value"))
            unit = str(typed.get("unit") or unit)
            result.missing = str(typed.get("missing") or "")
        elif refused is not None:
            result.text, unit, chosen, result.missing = refused.text, refused.unit or unit, [], ""
        result.options = [Option(*option) for option in options_of(item, chosen, self.language)]
        result.units = unit_options(item.units, unit, self.language)
        if len(result.units) <= 1:
            result.factor = "".join(option.factor for option in unit_options([item.unit], "", self.language))
            result.unit, result.units = units.unit_label(item.unit, self.language), []
        self._add_last_year(result, item)
        if refused is not None:
            result.refused, result.error = True, refused.error.message(self.language)
        if key in self.conflicts:
            result.conflict = self._conflict(item, self.conflicts[key])
        return result

    def _add_last_year(self, field: Field, item: Item | Column) -> None:
        last = cells.get(self.sheet.previous or {}, field.key)
        if not last or "value" not in last:
            return
        if isinstance(item, Column):
            field.previous = format_cell(item, last, self.language)
        elif item.type not in NUMERIC_TYPES or (item.type == "count" and item.period == "stock"):
            text, chosen, field.last_unit = self._texts(item, last)
            field.last = text or "|".join(chosen)

    def _texts(self, item: Item | Column, cell: Mapping[str, Any]) -> tuple[str, list[str], str]:
        """(text of the input, chosen codes, unit)."""
        value = cell.get("value")
        if value is None:
            # A table cell has no select for missing reasons: its input contains the reason as text.
            reason = cell.get("missing") if isinstance(item, Column) else None
            return MISSING_REASONS[reason].get(self.language) if reason else "", [], item.unit
        if isinstance(value, bool):
            return "", ["true" if value else "false"], ""
        if isinstance(value, list):
            return "", [str(code) for code in value], ""
        if item.type in {"quantity", "money", "count", "ratio"}:
            entered = Decimal(cell.get("entered") or value)
            return units.format_number(entered), [], str(cell.get("unit") or item.unit)
        return entered_choice(item, str(value), self.language), [str(value)], ""

    def _conflict(self, item: Item | Column, conflict: Conflict) -> ConflictView:
        mine, theirs, base = (
            format_as_entered(item, cell, self.language) or _("blank")
            for cell in (conflict.mine, conflict.theirs, conflict.base)
        )
        own = self.reader is not None and conflict.by_id == self.reader.pk
        return ConflictView(mine, theirs, base, conflict.by, own)

    def _missing_only(self, item: Item, cell: Mapping[str, Any] | None) -> Field:
        # A complete table can be "not applicable"; its numbers are fields of their own.
        result = self._field(item.code, item)
        result.control = "none"
        result.missing = (cell or {}).get("missing", "")
        return result

    def _grid(self, item: Item, cell: Mapping[str, Any] | None) -> Grid:
        grid = item.rows
        if grid is None:
            raise ValueError(f"{item.code} is a table without rows")
        filled = (cell or {}).get("rows", {})
        if grid.kind == "fixed":
            lines = [(row.id, row.label.get(self.language)) for row in grid.entries]
        else:
            blank = (row_id for row_id in self.blank_rows.get(item.code, ()) if row_id not in filled)
            ids = [*filled, *blank]
            lines = [(row_id, str(number)) for number, row_id in enumerate(ids, 1)]
        rows = []
        wide = len(item.columns) > WIDE_TABLE
        for row_id, label in lines:
            fields = [self._field(cells.join(item.code, row_id, c.code), c) for c in item.columns]
            for field in fields:
                field.label = f"{label} {field.label}"
                if wide:
                    _without_unit(field)
            rows.append((row_id, label, fields))
        totals = [self._total(column, filled) for column in item.columns]
        heads = [
            (c.label.get(self.language), units.unit_label(c.unit, self.language) if wide else "")
            for c in item.columns
        ]
        most = grid.max_rows if grid.kind == "open" else 0
        return Grid(heads, rows, totals if any(totals) else [], grid.kind == "open", wide, most)

    def _total(self, column: Column, rows: Mapping[str, Mapping[str, Any]]) -> str:
        numbers = [number_of(column, row.get(column.code)) for row in rows.values()]
        answered = [number for number in numbers if number is not None]
        if not answered or column.type not in {"quantity", "money", "count"}:
            return ""
        unit = units.unit_label(column.unit, self.language)
        return f"{units.format_number(sum(answered, Decimal(0)), 4)} {unit}".strip()

    def _remarks(self, row: Row, cell: Any, last: Any) -> None:
        item = row.item
        if row.field and row.field.control == "list" and row.field.text and not row.field.error:
            row.read_back = row.text
        if row.grid:
            suggestions = suggestions_for(item, cell, last, self.language)
            for field in (field for _id, _label, line in row.grid.rows for field in line):
                field.suggestions = [entry for entry in suggestions if entry.key == field.key]
        elif cell and item.is_numeric and row.field:
            row.read_back = read_back(item, cell, last, self.language)
            row.suggestions = suggestions_for(item, cell, last, self.language)


def _without_unit(field: Field) -> None:
    """Removes the unit select of a cell in a wide table; a unit other than the column's becomes part of the text."""
    chosen = next((option.code for option in field.units if option.chosen), "")
    if field.text and not field.error and chosen and chosen != field.item.unit:
        field.text = f"{field.text} {chosen}"
    field.units, field.unit = [], ""


def _as_list(value: Any) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list | tuple) else [str(value or "")]
