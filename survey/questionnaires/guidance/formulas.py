"""The formula of a computed item in words: labels and operators instead of an expression."""

from __future__ import annotations

from decimal import Decimal

from survey.questionnaires.answering.units import format_number
from survey.questionnaires.definition import Item, Questionnaire, Text
from survey.questionnaires.guidance.references import short_label
from survey.questionnaires.rules.expressions import compile_expression
from survey.questionnaires.rules.syntax import Binary, Call, Literal, Name, Node, Ternary, Unary, walk

_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}
_WORDS = {
    ">": Text("大于", "is above"), ">=": Text("不小于", "is at least"),
    "<": Text("小于", "is below"), "<=": Text("不大于", "is at most"),
    "==": Text("等于", "is"), "!=": Text("不等于", "is not"),
    "&&": Text("且", "and"), "||": Text("或", "or"),
}  # fmt: skip
_WORKED_OUT = Text("由 {}确定", "worked out from {}")
_COMPARED = Text("{}{} {}", "{} {} {}")
_OTHERWISE = Text("{yes}（{condition} 时；否则为 {no}）", "{yes} (if {condition}; otherwise {no})")
_COMMA = Text("、", ", ")


def formula_in_words(questionnaire: Questionnaire, item: Item, language: str) -> str:
    """ "D01 … ÷ S02 … × 100"; empty for an item that is not computed."""
    if not item.computed:
        return ""
    tree = compile_expression(item.computed).tree
    if any(isinstance(node, Call) for node in walk(tree)):
        names = dict.fromkeys(node.name for node in walk(tree) if isinstance(node, Name))
        inputs = [_label(questionnaire, name, language) for name in names]
        return _WORKED_OUT.get(language).format(_COMMA.get(language).join(inputs))
    return _words(questionnaire, tree, language)


def _label(questionnaire: Questionnaire, name: str, language: str) -> str:
    item = questionnaire.items.get(name)
    return f"{name} {short_label(item).get(language)}" if item else name


def _words(questionnaire: Questionnaire, node: Node, language: str) -> str:
    match node:
        case Name(name):
            return _label(questionnaire, name, language)
        case Literal(value) if isinstance(value, int | float) and not isinstance(value, bool):
            return format_number(Decimal(repr(value)))
        case Ternary(condition, yes, no):
            parts = {
                name: _words(questionnaire, part, language)
                for name, part in (("yes", yes), ("condition", condition), ("no", no))
            }
            return _OTHERWISE.get(language).format(**parts)
        case Binary(op, left, right) if op in _SIGNS:
            sides = [
                _in_brackets(questionnaire, side, op, language, strict=side is right)
                for side in (left, right)
            ]
            return f"{sides[0]} {_SIGNS[op]} {sides[1]}"
        case Binary(op, left, right) if op in _WORDS:
            sides = [_words(questionnaire, side, language) for side in (left, right)]
            return _COMPARED.get(language).format(sides[0], _WORDS[op].get(language), sides[1])
        case Unary("-", operand):
            return f"−{_words(questionnaire, operand, language)}"
        case _:
            raise ValueError(f"no words for {node}")


def _in_brackets(questionnaire: Questionnaire, node: Node, op: str, language: str, *, strict: bool) -> str:
    text = _words(questionnaire, node, language)
    if isinstance(node, Ternary):
        return f"({text})"
    weaker = isinstance(node, Binary) and _STRENGTH.get(node.op, 0) < _STRENGTH[op] + strict
    return f"({text})" if weaker else text
