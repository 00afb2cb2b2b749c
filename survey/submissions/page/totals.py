"""Totals and their parts, as the hard rules of a form define them. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from survey.questionnaires.definition import Questionnaire

_ITEMS = re.compile(r"near\((?P<total>[A-Z]\w+), (?P<parts>[A-Z]\w+(?: \+ [A-Z]\w+)+),.*\)", re.DOTALL)
_SUM = re.compile(r'sum_of\("\w+", "\w+"\)')
_TABLE = re.compile(
    rf"near\((?P<sums>{_SUM.pattern}(?: \+ {_SUM.pattern})*), (?P<total>[A-Z]\w+),.*\)", re.DOTALL
)
_COLUMN = re.compile(r'sum_of\("(\w+)", "(\w+)"\)')


@dataclass(frozen=True, slots=True)
class Total:
    """An item that must equal the sum of other items, or of columns of a table."""

    item: str
    parts: tuple[str, ...] = ()
    table: str = ""
    columns: tuple[str, ...] = ()


@lru_cache(maxsize=64)
def totals_of(definition: Questionnaire) -> tuple[Total, ...]:
    """The totals of a form, in the order of its rules."""
    totals = (_total(edit.expression.strip()) for edit in definition.edits if edit.severity == "hard")
    return tuple(total for total in totals if total is not None)


def _total(expression: str) -> Total | None:
    if match := _ITEMS.fullmatch(expression):
        return Total(match["total"], tuple(match["parts"].split(" + ")))
    if match := _TABLE.fullmatch(expression):
        columns = _COLUMN.findall(match["sums"])
        tables = {table for table, _column in columns}
        if len(tables) == 1:
            return Total(
                match["total"], table=tables.pop(), columns=tuple(column for _table, column in columns)
            )
    return None


def can_be_added_up(total: Total, definition: Questionnaire, relevant: Collection[str]) -> bool:
    """Whether every part that applies is typed in the section of the total, so that the page knows all of them."""
    section = definition.section_of(total.item)
    needed = [code for code in (*total.parts, total.table) if code and code in relevant]
    items = [definition.items[code] for code in needed]
    typed = all(not item.computed and not item.read_only for item in items)
    whole = not definition.items[total.item].computed
    return bool(needed) and typed and whole and set(needed) <= set(section.items)
