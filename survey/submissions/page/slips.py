"""Likely slips of magnitude: the figure is right, the unit is not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from survey.questionnaires.answering import units
from survey.questionnaires.answering.answers import number_of
from survey.questionnaires.definition import NUMERIC_TYPES, Column, Item

# A unit jumps by 1,000 or more, so a value 100 times off may be a slip; one within 5 times is plausible.
SUSPECT = Decimal(100)
PLAUSIBLE = Decimal(5)
# Where the item has one unit only, the slip is a power of ten of the language: thousand, 万, million, 亿.
# Nothing but the digits is left to go by, so the repaired figure must lie closer to last year's.
POWERS = (Decimal(10) ** 3, Decimal(10) ** 4, Decimal(10) ** 6, Decimal(10) ** 8)
CLOSE = Decimal(2)


@dataclass(frozen=True, slots=True)
class Slip:
    """What the respondent probably meant; ``unit`` is empty where the item leaves no choice."""

    entered: Decimal
    unit: str = ""


def likely_slip(
    place: Item | Column, cell: Mapping[str, Any] | None, previous: Mapping[str, Any] | None
) -> Slip | None:
    """The reading in which the figure resembles last year's, when as it stands it is far off.

    Ratios near 1,000^k and 1,024^k are told by trying the other units of the item.
    """
    if not cell or place.type not in NUMERIC_TYPES or place.type == "ratio":
        return None
    value, last = number_of(place, cell), number_of(place, previous)
    if not value or not last or value < 0 or last < 0 or distance(value, last) < SUSPECT:
        return None
    if len(place.units) > 1:
        return _other_unit(place, cell, last)
    return _other_power(place, value, last)


def _other_unit(place: Item | Column, cell: Mapping[str, Any], last: Decimal) -> Slip | None:
    entered = Decimal(cell.get("entered") or cell["value"])
    present = cell.get("unit") or place.unit
    near = {
        unit: distance(units.convert(entered, unit, place.unit), last)
        for unit in place.units
        if unit != present
    }
    best = min(near, key=lambda unit: near[unit])
    return Slip(entered, best) if near[best] <= PLAUSIBLE else None


def _other_power(place: Item | Column, value: Decimal, last: Decimal) -> Slip | None:
    for power in POWERS:
        for meant in (value / power, value * power):
            whole = place.type != "count" or meant == meant.to_integral_value()
            if whole and distance(meant, last) <= CLOSE:
                return Slip(meant)
    return None


def distance(one: Decimal, other: Decimal) -> Decimal:
    """How many times the larger is the smaller."""
    return max(one / other, other / one)


def change_factor(
    place: Item | Column, cell: Mapping[str, Any] | None, previous: Mapping[str, Any] | None
) -> Decimal | None:
    """This year divided by last year, for two positive numbers."""
    value, last = number_of(place, cell), number_of(place, previous)
    if value is None or not last or last < 0 or place.type == "yesno":
        return None
    return value / last
