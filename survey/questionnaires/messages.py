"""Sentences of findings with the numbers filled in, in both languages.

Placeholders: {P01} the answer of an item, {previous:P01} last year's, {change:P01} the change between them in words,
{name} a named value of the edit, {unit_name} a register value, {expr:P02 + P03} an expression written in place.
``fill_message`` puts the numbers of a sheet in; ``message_with_names`` puts the names of the values in, for readers of the rules.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from survey.exceptions import DefinitionError
from survey.questionnaires.answering import units
from survey.questionnaires.answering.answers import (
    MISSING_REASONS,
    AnswerError,
    Cell,
    format_value,
    number_of,
)
from survey.questionnaires.definition import Edit, Item, Questionnaire, Text
from survey.questionnaires.rules.expressions import NOT_EVALUATED, compile_expression, evaluate

if TYPE_CHECKING:
    from survey.questionnaires.routing import Sheet
    from survey.questionnaires.rules.plan import CompiledEdit

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_BLANK = "—"
_SHOWN_DECIMALS = 4
_PREVIOUS = re.compile(r'previous\("(\w+)"\)')
_DISTANCE = re.compile(r"\babs\(((?:[^()]|\([^()]*\))*)\)")
_CALL = re.compile(r"[a-z_]+\(")
_CODE = re.compile(r"\b[A-Z]{1,2}[0-9]{2}[a-z]?\b")
_TRAILING_ZERO = re.compile(r"(\d)\.0\b")
_LAST_YEAR = Text("上年", "last year's")
_CHANGE = Text("与上年相比的变动", "change on last year")
_HUNDREDTH = Decimal("0.01")
# A growing number is a multiple of last year's, a falling one a share of it, a small share a fraction.
_TIMES = Text("是上年的 {} 倍", "{} times last year's")
_SHARE = Text("为上年的 {}%", "{}% of last year's")
_FRACTION = Text("约为上年的 1/{}", "about 1/{} of last year's")
_TO_ZERO = Text("降为 0", "down to 0")
_WORKED_OUT = Text("由 {} 算出", "worked out from {}")
_WHOLE_SHEET = Text("全表", "the whole sheet")
# Labels of the register variables that messages may use.
_REGISTER = {
    "unit_category": Text("填报类别", "category"), "unit_year": Text("年份", "year"),
    "unit_uscc": Text("统一社会信用代码", "credit code"), "unit_name": Text("单位名称", "name of the unit"),
    "unit_region": Text("地区", "region"), "unit_division_code": Text("区划代码", "division code"),
    "unit_industry": Text("行业", "industry"), "unit_section": Text("行业门类", "section"),
    "unit_institution_type": Text("机构类型", "kind of institution"),
}  # fmt: skip


def required_message(item: Item) -> Text:
    """An item that must be answered is blank."""
    zero = item.is_numeric
    return Text(
        f"“{item.label.zh}”未填写。" + ("确实没有的请填 0，空白表示未填。" if zero else ""),
        f"“{item.label.en}” is blank."
        + (" Enter 0 if there is none; a blank means not answered." if zero else ""),
    )


def missing_message(item: Item, reason: str) -> Text:
    """A required item is answered with a missing reason."""
    label = MISSING_REASONS[reason]
    return Text(
        f"“{item.label.zh}”标为“{label.zh}”，请说明原因。",
        f"“{item.label.en}” is marked “{label.en}”. Please explain why.",
    )


def unknown_cells_message(item: Item, count: int) -> Text:
    """Cells of a table are answered "not known"."""
    label = MISSING_REASONS["unknown"]
    return Text(
        f"“{item.label.zh}”有 {count} 个单元格标为“{label.zh}”，请说明原因。",
        f"“{item.label.en}”: {count} cells are marked “{label.en}”. Please explain why.",
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


def message_with_names(questionnaire: Questionnaire, edit: Edit) -> Text:
    """The message of an edit with the names of its numbers in brackets: "[P01 Data produced]", "[S03 + S04]".

    A label that the message already contains is not repeated. Raises DefinitionError("unknown_placeholder").
    """
    named = dict(edit.values)

    def named_text(template: str, language: str) -> str:
        return PLACEHOLDER.sub(
            lambda match: f"[{_placeholder_name(questionnaire, named, match[1], template, language)}]",
            template,
        )

    return Text(named_text(edit.message.zh, "zh-hans"), named_text(edit.message.en, "en"))


def _placeholder_name(
    questionnaire: Questionnaire, named: dict[str, str], name: str, template: str, language: str
) -> str:
    last_year = _LAST_YEAR.get(language)
    if name.startswith("change:"):
        return _CHANGE.get(language)
    if name.startswith("previous:"):
        return f"{last_year} {name.removeprefix('previous:')}"
    if name in named or name.startswith("expr:"):
        text = named.get(name) or name.removeprefix("expr:")
        text = _PREVIOUS.sub(lambda match: f"{last_year} {match[1]}", text)
        text = _DISTANCE.sub(r"|\1|", text)
        if _CALL.search(text):
            inputs = dict.fromkeys(code for code in _CODE.findall(text) if code in questionnaire.items)
            return _WORKED_OUT.get(language).format(", ".join(inputs) or _WHOLE_SHEET.get(language))
        return _TRAILING_ZERO.sub(r"\1", text).replace("*", "×").replace("/", "÷")
    if name in questionnaire.items:
        label = questionnaire.items[name].label.get(language)
        repeated = label.removeprefix("其中：").removeprefix("of which ") in template
        return name if repeated else f"{name} {label}"
    if name in _REGISTER:
        return _REGISTER[name].get(language)
    raise DefinitionError("unknown_placeholder", name, f"nothing fills {{{name}}}")


def _placeholder(sheet: Sheet, named: dict[str, Any], name: str, after: str, language: str) -> str:
    items = sheet.questionnaire.items
    if name.startswith("previous:"):
        code = name.removeprefix("previous:")
        return _answer(items[code], sheet.previous_cells.get(code), after, language)
    if name.startswith("change:"):
        code = name.removeprefix("change:")
        now = number_of(items[code], sheet.cells.get(code))
        before = number_of(items[code], sheet.previous_cells.get(code))
        return change_in_words(now, before, language)
    if name in named:
        return _number(evaluate(named[name], sheet.environment))
    if name in items:
        return _answer(items[name], sheet.cells.get(name), after, language)
    if name.startswith("expr:"):
        return _number(evaluate(compile_expression(name.removeprefix("expr:")), sheet.environment))
    if name in sheet.environment.values:
        return _number(sheet.environment.values[name])
    raise DefinitionError("unknown_placeholder", name, f"nothing fills {{{name}}}")


def change_in_words(now: Decimal | None, before: Decimal | None, language: str) -> str:
    """This year's number against last year's with the direction in words; a dash where there is nothing to compare."""
    if now is None or before is None or before <= 0 or now < 0:
        return _BLANK
    factor = now / before
    if factor >= 1:
        return _TIMES.get(language).format(units.format_number(factor, 2))
    if factor >= _HUNDREDTH:
        return _SHARE.get(language).format(units.format_number(factor * 100, 2))
    if factor > 0:
        return _FRACTION.get(language).format(units.format_number(before / now, 0))
    return _TO_ZERO.get(language)


def _answer(item: Item, cell: Cell | None, after: str, language: str) -> str:
    """An answer; without its unit when the message text continues with that unit."""
    if not cell or "rows" in cell:
        return _BLANK
    if "missing" in cell:
        return MISSING_REASONS[cell["missing"]].get(language)
    text = format_value(item, cell.get("value"), language)
    if item.is_numeric and item.unit and _followed_by_unit(item.unit, after):
        number = text.split(" ")[0]
        return number.removesuffix("%")
    return text


def _followed_by_unit(unit: str, after: str) -> bool:
    rest = after.lstrip(" (（")
    names = {unit, units.base_code(unit), units.unit_label(unit, "zh"), units.unit_label(unit, "en")}
    return any(name and rest.startswith(name) for name in names)


def _number(value: Any) -> str:
    if value is NOT_EVALUATED or value is None:
        return _BLANK
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    exact = Decimal(repr(float(value)))
    decimals = _SHOWN_DECIMALS if not exact or exact.adjusted() > -_SHOWN_DECIMALS else 2 - exact.adjusted()
    return units.format_number(exact, decimals)
