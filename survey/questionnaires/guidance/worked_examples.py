"""Worked examples as data: an expression of amounts with units, and the answer that is entered.

    working: 1.2 PB + 820 TB + 40 TB
    answer: 2088.8 TB

The expression knows + - * / and brackets. Amounts of one family of units are converted; only equal kinds of
units are added, and one side of a product has no unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from survey.questionnaires.answering import units
from survey.questionnaires.definition import Example, Item

_TOKEN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?:\s*(?P<unit>[^\s\d+*/()-]+))?|(?P<sign>[-+*/()]))")
_SIGNS = {"*": "×", "/": "÷", "-": "−", "+": "+"}
_COLONS = {"zh": "：", "en": ": "}
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in the smallest unit of its kind; the kind is a family of units, a unit without family, or empty."""

    number: Fraction
    kind: str = ""


class ExampleError(ValueError):
    """An expression that cannot be read or computed."""


def worth(expression: str) -> Amount:
    """The value of an expression. Raises ExampleError."""
    return _Expression(expression).value()


def _amount(number: str, unit: str) -> Amount:
    family = units.family_of(unit)
    if family is None:
        return Amount(Fraction(number), unit)
    smallest = units.convert(Decimal(number), unit, family.codes[0])
    return Amount(Fraction(smallest), family.name)


class _Expression:
    def __init__(self, text: str) -> None:
        self.text, self.position = text.strip(), 0
        self.tokens: list[re.Match[str]] = []
        while self.position < len(self.text):
            match = _TOKEN.match(self.text, self.position)
            if match is None:
                raise ExampleError(f"{self.text!r} cannot be read")
            self.tokens.append(match)
            self.position = match.end()
        self.position = 0

    def value(self) -> Amount:
        result = self.sum()
        if self.position < len(self.tokens):
            raise ExampleError(f"{self.text!r} goes on after its end")
        return result

    def take(self, signs: str) -> str:
        if self.position < len(self.tokens):
            sign = self.tokens[self.position]["sign"]
            if sign and sign in signs:
                self.position += 1
                return str(sign)
        return ""

    def sum(self) -> Amount:
        result = self.product()
        while sign := self.take("+-"):
            other = self.product()
            if other.kind != result.kind:
                raise ExampleError(f"{self.text!r} adds different kinds of units")
            number = result.number + other.number if sign == "+" else result.number - other.number
            result = Amount(number, result.kind)
        return result

    def product(self) -> Amount:
        result = self.factor()
        while sign := self.take("*/"):
            other = self.factor()
            if sign == "*" and not (result.kind and other.kind):
                result = Amount(result.number * other.number, result.kind or other.kind)
            elif sign == "/" and other.number and other.kind in {"", result.kind}:
                result = Amount(result.number / other.number, "" if other.kind else result.kind)
            else:
                raise ExampleError(f"{self.text!r} multiplies or divides units that do not fit")
        return result

    def factor(self) -> Amount:
        if self.take("("):
            result = self.sum()
            if not self.take(")"):
                raise ExampleError(f"a bracket of {self.text!r} is not closed")
            return result
        if self.position == len(self.tokens) or not self.tokens[self.position]["number"]:
            raise ExampleError(f"{self.text!r} lacks an amount")
        match = self.tokens[self.position]
        self.position += 1
        return _amount(match["number"], match["unit"] or "")


def written(expression: str, language: str) -> str:
    """An expression for readers: thousands separators, signs of arithmetic, names of units."""
    parts = []
    for match in _TOKEN.finditer(expression):
        if match["sign"]:
            parts.append(_SIGNS.get(match["sign"], match["sign"]))
        else:
            number = units.format_number(Decimal(match["number"]))
            label = units.unit_label(match["unit"] or "", language)
            parts.append(f"{number}%" if label == "%" else units.with_label(number, label))
    return " ".join(parts).replace("( ", "(").replace(" )", ")")


def sentence(example: Example, language: str) -> str:
    """The example as a sentence: the given facts, the calculation and the answer."""
    english = language.lower().startswith("en")
    answer = written(example.answer, language)
    if example.working:
        colon = _COLONS["en" if english else "zh"]
        text = f"{example.text.get(language)}{colon}{written(example.working, language)} = {answer}"
    else:
        text = f"{example.text.get(language)}" + (f": enter {answer}" if english else f"，填 {answer}")
    return text + ("." if english else "。")


def example_fault(item: Item) -> str:
    """Why the example of an item is wrong; empty when its arithmetic and its unit are right."""
    example = item.example
    if example is None:
        return ""
    targets = item.columns or (item,)
    numeric = [target for target in targets if target.type in {"quantity", "money", "count", "ratio"}]
    match = _TOKEN.fullmatch(example.answer)
    if match is None or not match["number"]:
        return f"the answer {example.answer!r} is not an amount"
    unit = match["unit"] or ""
    matching = [target for target in numeric if unit in (target.unit, *target.units)]
    if not matching:
        return f"the unit of the answer {example.answer!r} cannot be chosen"
    if all(target.type == "count" for target in matching) and "." in match["number"]:
        return f"the answer {example.answer!r} is not a whole number"
    return _working_fault(example.working, example.answer)


def _working_fault(working: str, answer: str) -> str:
    if not working:
        return ""
    try:
        computed, stated = worth(working), worth(answer)
    except ExampleError as error:
        return str(error)
    if not computed.kind and stated.kind == "%":
        computed = Amount(computed.number * _PERCENT, "%")
    number_only = not computed.kind and not any(family == stated.kind for family in units.FAMILIES)
    if computed.number != stated.number or (computed.kind != stated.kind and not number_only):
        return f"{working} is not {answer}"
    return ""
