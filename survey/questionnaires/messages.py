"""Sentences of findings with the numbers filled in, in both languages.

Placeholders: {P01} the answer of an item, {previous:P01} last year's, {name} a named value of the
edit, {unit_name} a register value, {expr:P02 + P03} an expression written in place.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from survey.questionnaires import units
from survey.questionnaires.answers import MISSING_REASONS, AnswerError, Cell, format_value
from survey.questionnaires.definition import DefinitionError, Item, Text
from survey.questionnaires.expressions import NOT_EVALUATED, compile_expression, evaluate

if TYPE_CHECKING:
    from survey.questionnaires.plan import CompiledEdit
    from survey.questionnaires.routing import Sheet

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_BLANK = "—"
_SHOWN_DECIMALS = 4


def required_message(item: Item) -> Text:
    """An item that must be answered is blank."""
    zero = item.is_numeric
    return Text(
        f"“{item.label.zh}”未填写。" + ("确实没有的请填 0，空白表示未填。" if zero else ""),
        f"“{item.label.en}” is blank."
        + (" Enter 0 if there is none; a blank means not answered." if zero else ""),
    )


def missing_message(item: Item, reason: str) -> Text:
    """A required item carries a missing mark."""
    mark = MISSING_REASONS[reason]
    return Text(
        f"“{item.label.zh}”标为“{mark.zh}”，请说明原因。",
        f"“{item.label.en}” is marked “{mark.en}”. Please explain why.",
    )


def marks_message(item: Item, count: int) -> Text:
    """Cells of a table are marked "not known"."""
    mark = MISSING_REASONS["unknown"]
    return Text(
        f"“{item.label.zh}”有 {count} 个单元格标为“{mark.zh}”，请说明原因。",
        f"“{item.label.en}”: {count} cells are marked “{mark.en}”. Please explain why.",
    )


def invalid_message(item: Item, error: AnswerError) -> Text:
    """A stored cell cannot be read."""
    return Text(f"“{item.label.zh}”：{error.text.zh}", f"“{item.label.en}”: {error.text.en}")


def placeholders(message: Text) -> frozenset[str]:
    """Names in braces of both languages."""
    return frozenset(PLACEHOLDER.findall(message.zh)) | frozenset(PLACEHOLDER.findall(message.en))


def fill_message(sheet: Sheet, compiled: CompiledEdit) -> Text:
    """The message of a failed edit with its numbers."""
    named = dict(compiled.values)

    def filled(template: str, language: str) -> str:
        def value(match: re.Match[str]) -> str:
            return _placeholder(sheet, named, match[1], template[match.end() :], language)

        return PLACEHOLDER.sub(value, template)

    message = compiled.edit.message
    return Text(filled(message.zh, "zh-hans"), filled(message.en, "en"))


def _placeholder(sheet: Sheet, named: dict[str, Any], name: str, after: str, language: str) -> str:
    items = sheet.questionnaire.items
    if name.startswith("previous:"):
        code = name.removeprefix("previous:")
        return _answer(items[code], sheet.previous_cells.get(code), after, language)
    if name in named:
        return _number(evaluate(named[name], sheet.environment))
    if name in items:
        return _answer(items[name], sheet.cells.get(name), after, language)
    if name.startswith("expr:"):
        return _number(evaluate(compile_expression(name.removeprefix("expr:")), sheet.environment))
    if name in sheet.environment.values:
        return _number(sheet.environment.values[name])
    raise DefinitionError("unknown_placeholder", name, f"nothing fills {{{name}}}")


def _answer(item: Item, cell: Cell | None, after: str, language: str) -> str:
    """An answer; the unit is left out when the sentence itself goes on with one."""
    if not cell or "rows" in cell:
        return _BLANK
    if "missing" in cell:
        return MISSING_REASONS[cell["missing"]].get(language)
    text = format_value(item, cell.get("value"), language)
    if item.is_numeric and item.unit and _goes_on_with_unit(item.unit, after):
        number = text.split(" ")[0]
        return number.removesuffix("%")
    return text


def _goes_on_with_unit(unit: str, after: str) -> bool:
    rest = after.lstrip(" (（")
    names = {unit, units.base_code(unit), units.unit_label(unit, "zh"), units.unit_label(unit, "en")}
    return any(name and rest.startswith(name) for name in names)


def _number(value: Any) -> str:
    if value is NOT_EVALUATED or value is None:
        return _BLANK
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    exact = Decimal(repr(float(value)))
    places = _SHOWN_DECIMALS if not exact or exact.adjusted() > -_SHOWN_DECIMALS else 2 - exact.adjusted()
    return units.format_number(exact, places)
