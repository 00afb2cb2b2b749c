"""Likely slips of unit: the figure is right, the unit beside it is not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from survey.questionnaires import units
from survey.questionnaires.answers import number_of
from survey.questionnaires.definition import Item

# A unit jumps by 1,000 or more, so a value 100 times off may be a slip; one within 5 times is plausible.
SUSPECT = Decimal(100)
PLAUSIBLE = Decimal(5)


def likely_unit(item: Item, cell: Mapping[str, Any] | None, previous: Mapping[str, Any] | None) -> str | None:
    """The unit in which the entered figure would resemble last year's, when the chosen one is far off."""
    if not cell or item.type != "quantity" or len(item.units) < 2 or "entered" not in cell:
        return None
    value, last = number_of(item, cell), number_of(item, previous)
    if not value or not last or value < 0 or last < 0 or _distance(value, last) < SUSPECT:
        return None
    entered = Decimal(cell["entered"])
    others = [unit for unit in item.units if unit != cell.get("unit")]
    near = {unit: _distance(units.convert(entered, unit, item.unit), last) for unit in others}
    best = min(near, key=lambda unit: near[unit])
    return best if near[best] <= PLAUSIBLE else None


def _distance(one: Decimal, other: Decimal) -> Decimal:
    """How many times the larger is the smaller."""
    return max(one / other, other / one)


def change_factor(
    item: Item, cell: Mapping[str, Any] | None, previous: Mapping[str, Any] | None
) -> Decimal | None:
    """This year divided by last year, for two positive numbers."""
    value, last = number_of(item, cell), number_of(item, previous)
    if value is None or not last or last < 0 or item.type == "yesno":
        return None
    return value / last
