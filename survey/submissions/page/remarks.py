"""What the page says beside an answer: the kind of input, the reading in words, likely slips, formulas."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from survey.questionnaires.answering import units
from survey.questionnaires.definition import Column, Item
from survey.submissions import cells
from survey.submissions.page.slips import Slip, change_factor, likely_slip

LEAST_FACTOR = Decimal("0.01")  # what two decimals can say; below it "0 × last year" would be untrue
RADIO_LIMIT = 6
SELECT_LIMIT = 60
MOST_SUGGESTIONS = 5  # of one table: a column in a wrong unit is one slip, not thirty


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One click that repairs a cell: what the button posts and what it says."""

    key: str
    value: str  # ``KEY|unit|figure``
    text: str
    where: str = ""  # the row of a table


def control_of(place: Item | Column) -> str:
    """Which kind of input answers an item or a column."""
    if place.type == "yesno":
        return "radio" if isinstance(place, Item) else "select"
    if place.type == "choice" and place.choices is not None:
        count = len(place.choices.entries)
        if place.choices.open_prefix or count > SELECT_LIMIT:
            return "list"
        return "radio" if count <= RADIO_LIMIT and isinstance(place, Item) else "select"
    return {"multi": "multi", "date": "month", "text": "text", "choice": "text"}.get(place.type, "number")


def read_back(item: Item, cell: Mapping[str, Any], last: Mapping[str, Any] | None, language: str) -> str:
    """What was understood: "3.2 PB = 3,276.8 TB, 1.4 × last year"; empty when there is nothing to say."""
    if "value" not in cell:
        return ""
    parts = []
    if len(item.units) > 1:
        entered, unit = Decimal(cell.get("entered") or cell["value"]), cell.get("unit") or item.unit
        words = units.read_back(entered, unit, language)
        parts += [words] if "=" in words or "≈" in words else []
    factor = change_factor(item, cell, last)
    if factor == 1:
        parts.append(_("the same as last year"))
    elif factor is not None and 0 < factor < LEAST_FACTOR:
        parts.append(_("less than a hundredth of last year"))
    elif factor is not None:
        parts.append(_("%(factor)s × last year") % {"factor": units.format_number(factor, 2)})
    return (", " if language.startswith("en") else "，").join(parts)


def suggestions_for(item: Item, cell: Any, last: Any, language: str) -> list[Suggestion]:
    """Repairs of an item, or of the cells of a table."""
    if item.type != "table":
        slip = likely_slip(item, cell, last)
        return [_suggestion(item.code, item, slip, language)] if slip else []
    found = []
    labels = {row.id: row.label.get(language) for row in item.rows.entries} if item.rows else {}
    before = cells.flatten(item.code, last)
    for key, inner in cells.flatten(item.code, cell).items():
        _code, row, column = cells.split(key)
        place = item.column(column or "")
        slip = likely_slip(place, inner, before.get(key)) if place else None
        if place and slip:
            where = f"{labels.get(row or '', row)} · {place.label.get(language)}"
            found.append(_suggestion(key, place, slip, language, where))
    return found[:MOST_SUGGESTIONS]


def _suggestion(key: str, place: Item | Column, slip: Slip, language: str, where: str = "") -> Suggestion:
    label = units.unit_label(slip.unit or place.unit, language)
    text = units.with_label(units.format_number(slip.entered), label)
    return Suggestion(key, f"{key}|{slip.unit or place.unit}|{units.plain(slip.entered)}", text, where)


def formula_text(item: Item) -> str:
    """How a computed item is worked out, readable without knowing the rule language."""
    if not item.computed:
        return ""
    names = re.findall(r"\b[A-Z]{1,2}\d{2}[a-z]?\b", item.computed)
    if re.search(r"[a-z_]+\(", item.computed):
        return _("worked out from %(items)s") % {"items": ", ".join(dict.fromkeys(names))}
    text = re.sub(r"(\d)\.0\b", r"\1", item.computed)
    return text.replace("*", "×").replace("/", "÷")
