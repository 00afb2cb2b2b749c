"""Answers in tables of figures: the number in a cell, and its text. Pure but for the reader's language."""

from decimal import Decimal
from typing import Any

from django.utils.translation import get_language

from survey.questionnaires.answering.answers import format_cell, number_of
from survey.questionnaires.definition import NUMERIC_TYPES, Column, Item


def answer_number(item: Item | Column, cell: Any) -> Decimal | None:
    """The number in a cell; None for blanks and non-numeric items."""
    if getattr(item, "type", "") not in NUMERIC_TYPES:
        return None
    return number_of(item, cell)


def shown(item: Item | Column, cell: Any) -> str:
    """An answer for a table of figures: grouped digits without the unit, anything else in words."""
    number = answer_number(item, cell)
    if number is None:
        return format_cell(item, cell, get_language() or "zh-hans") if cell else ""
    return plain(number)


def plain(number: Decimal) -> str:
    """Grouped digits, at most four decimals, no trailing zeros: 3276.8 gives 3,276.8."""
    text = f"{number:,.4f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
