"""Texts beside an answer: read-back, suggestions for unit errors, formulas; and the kind of input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from survey.questionnaires.answering import units
from survey.questionnaires.definition import CodeEntry, Column, Item
from survey.questionnaires.lists.lookup import lookup_in
from survey.submissions import cells
from survey.submissions.page.unit_errors import LikelyEntry, change_factor, likely_entry

LEAST_FACTOR = Decimal("0.01")  # smallest factor that two decimals can show
TENFOLD = 10  # from this factor on a change is shown as a factor
RADIO_LIMIT = 6
SELECT_LIMIT = 60
MOST_CANDIDATES = 20  # entries of a long list that are offered for a refused text
MOST_SUGGESTIONS = 5  # of one table: a column in a wrong unit is a single error


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A button that corrects a cell: its value and text."""

    key: str
    value: str  # ``KEY|unit|figure``
    text: str
    where: str = ""  # the row of a table


def control_of(item: Item | Column) -> str:
    """The kind of input of an item or a column."""
    if item.type == "yesno":
        return "radio" if isinstance(item, Item) else "select"
    if item.type == "choice" and item.choices is not None:
        count = len(item.choices.entries)
        if count > SELECT_LIMIT:
            return "list"
        return "radio" if count <= RADIO_LIMIT and isinstance(item, Item) else "select"
    return {"multi": "multi", "date": "month", "text": "text", "choice": "text"}.get(item.type, "number")


def options_of(item: Item | Column, chosen: list[str], language: str) -> list[tuple[str, str, bool]]:
    """Codes and names that may be chosen, and whether they are.

    A page does not contain a long list: it has the entries that a refused text may have meant.
    """
    control, choices = control_of(item), item.choices
    if item.type == "yesno":
        return [("true", _("Yes"), "true" in chosen), ("false", _("No"), "false" in chosen)]
    if choices is None or control not in {"radio", "select", "multi", "list"}:
        return []
    entries: Sequence[CodeEntry] = choices.entries
    if control == "list":
        text = "".join(chosen)
        entries = (
            () if not text or choices.accepts(text) else lookup_in(choices).search(text, MOST_CANDIDATES)
        )
    return [(entry.code, choices.name_of(entry, language), entry.code in chosen) for entry in entries]


def entered_choice(item: Item | Column, code: str, language: str) -> str:
    """The text of an input with an answer: in the field of a long list, the code with its name."""
    if item.choices is None or control_of(item) != "list":
        return code
    entry = item.choices.get(code)
    return f"{code} {item.choices.name_of(entry, language)}" if entry else code


def read_back(item: Item, cell: Mapping[str, Any], last: Mapping[str, Any] | None, language: str) -> str:
    """The parsed answer with conversion, order of magnitude and change: "3.2 PB = 3,276.8 TB, 1.4 × last year"."""
    if "value" not in cell:
        return ""
    entered, unit = Decimal(cell.get("entered") or cell["value"]), cell.get("unit") or item.unit
    parts = [units.read_back(entered, unit, language)]
    factor = change_factor(item, cell, last)
    if factor == 1:
        parts.append(_("the same as last year"))
    elif factor is not None and 0 < factor < LEAST_FACTOR:
        parts.append(_("less than a hundredth of last year"))
    elif factor is not None:
        parts.append(_("%(factor)s × last year") % {"factor": units.format_number(factor, 2)})
    return (", " if language.startswith("en") else "，").join(parts)


def change_text(item: Item | Column, cell: Mapping[str, Any] | None, last: Mapping[str, Any] | None) -> str:
    """The change of an answer on last year: "+12.5%", from tenfold on "12.3 ×"; empty without two positive numbers."""
    factor = change_factor(item, cell, last)
    if factor is None:
        return ""
    if factor == 1:
        return _("unchanged")
    if factor >= TENFOLD:
        return f"{units.format_number(factor, 1)} ×"
    return f"{units.rounded((factor - 1) * 100, 1):+}%"


def suggestions_for(item: Item, cell: Any, last: Any, language: str) -> list[Suggestion]:
    """Suggested corrections of an item, or of the cells of a table."""
    if item.type != "table":
        likely = likely_entry(item, cell, last)
        return [_suggestion(item.code, item, likely, language)] if likely else []
    suggestions = []
    labels = {row.id: row.label.get(language) for row in item.rows.entries} if item.rows else {}
    before = cells.flatten(item.code, last)
    for key, inner in cells.flatten(item.code, cell).items():
        _code, row, column_code = cells.split(key)
        column = item.column(column_code or "")
        likely = likely_entry(column, inner, before.get(key)) if column else None
        if column and likely:
            where = f"{labels.get(row or '', row)} · {column.label.get(language)}"
            suggestions.append(_suggestion(key, column, likely, language, where))
    return suggestions[:MOST_SUGGESTIONS]


def _suggestion(
    key: str, item: Item | Column, likely: LikelyEntry, language: str, where: str = ""
) -> Suggestion:
    label = units.unit_label(likely.unit or item.unit, language)
    text = units.with_label(units.format_number(likely.entered), label)
    return Suggestion(key, f"{key}|{likely.unit or item.unit}|{units.plain(likely.entered)}", text, where)
