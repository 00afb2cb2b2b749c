"""Detects likely unit errors: right digits in a wrong unit or order of magnitude. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from survey.questionnaires.answering import units
from survey.questionnaires.answering.answers import number_of
from survey.questionnaires.definition import NUMERIC_TYPES, Column, Item

# Units differ by a factor of 1,000 or more: a value 100 times off may be a unit error, within 5 times is plausible.
SUSPECT = Decimal(100)
PLAUSIBLE = Decimal(5)
# An item with a single unit can be off by a numeral of the language: thousand, 万, million, 亿. The digits are the
# only evidence, so the corrected value must be closer to last year's.
POWERS = (Decimal(10) ** 3, Decimal(10) ** 4, Decimal(10) ** 6, Decimal(10) ** 8)
CLOSE = Decimal(2)


@dataclass(frozen=True, slots=True)
class LikelyEntry:
    """The entry that the respondent probably meant; ``unit`` is empty for an item with a single unit."""

    entered: Decimal
    unit: str = ""


def likely_entry(
    item: Item | Column, cell: Mapping[str, Any] | None, previous: Mapping[str, Any] | None
) -> LikelyEntry | None:
    """The entry whose value is close to last year's, when the present value is far off.

    The other units of the item are tried, or powers of ten for an item with a single unit.
    """
    if not cell or item.type not in NUMERIC_TYPES or item.type == "ratio":
        return None
    value, last = number_of(item, cell), number_of(item, previous)
    if not value or not last or value < 0 or last < 0 or distance(value, last) < SUSPECT:
        return None
    if len(item.units) > 1:
        return _other_unit(item, cell, last)
    return _other_power(item, value, last)


def _other_unit(item: Item | Column, cell: Mapping[str, Any], last: Decimal) -> LikelyEntry | None:
    entered = Decimal(cell.get("entered") or cell["value"])
    present = cell.get("unit") or item.unit
    near = {
        unit: distance(units.convert(entered, unit, item.unit), last)
        for unit in item.units
        if unit != present
    }
    best = min(near, key=lambda unit: near[unit])
    return LikelyEntry(entered, best) if near[best] <= PLAUSIBLE else None


def _other_power(item: Item | Column, value: Decimal, last: Decimal) -> LikelyEntry | None:
    for power in POWERS:
        for meant in (value / power, value * power):
            possible = item.type != "count" or meant == meant.to_integral_value()
            if possible and distance(meant, last) <= CLOSE:
                return LikelyEntry(meant)
    return None


def distance(first: Decimal, second: Decimal) -> Decimal:
    """The ratio of the larger value to the smaller."""
    return max(first / second, second / first)


def change_factor(
    item: Item | Column, cell: Mapping[str, Any] | None, previous: Mapping[str, Any] | None
) -> Decimal | None:
    """This year divided by last year, for two positive numbers."""
    value, last = number_of(item, cell), number_of(item, previous)
    if value is None or not last or last < 0 or item.type == "yesno":
        return None
    return value / last
