"""Missing reasons, answered instead of a value: "not applicable" and "not known". Pure.

A number (zero included), a blank (no cell) and the two missing reasons are distinct. A reason is chosen
beside the field or typed into it, in tables too.
"""

from __future__ import annotations

from typing import Any

from survey.questionnaires.answering.errors import AnswerError
from survey.questionnaires.definition import Column, Item, Text

MISSING_REASONS: dict[str, Text] = {
    "not_applicable": Text("不适用", "Not applicable"),
    "unknown": Text("不掌握", "Not known"),
}
_WORDS = {
    "not_applicable": ("不适用", "无此项", "n/a", "na", "not applicable"),
    "unknown": ("不掌握", "不清楚", "未知", "不详", "unknown", "not known", "n.k."),
}
_REASON_BY_WORD = {word: reason for reason, words in _WORDS.items() for word in words}


def missing_reason_in(text: str) -> str | None:
    """The missing reason that a typed word means; None for any other text."""
    return _REASON_BY_WORD.get(text.strip().casefold())


def missing_reasons_of(item: Item | Column) -> tuple[str, ...]:
    """The missing reasons that an item or column accepts: both, unless its definition restricts them."""
    if isinstance(item, Item) and item.marks is not None:
        return item.marks
    return tuple(MISSING_REASONS)


def missing_cell(item: Item | Column, reason: Any) -> dict[str, Any]:
    """The cell of a missing reason. Raises AnswerError."""
    if not isinstance(reason, str) or reason not in MISSING_REASONS:
        raise AnswerError("unknown_missing_reason", reason=str(reason)[:40])
    if reason not in missing_reasons_of(item):
        raise AnswerError("mark_not_allowed", mark=MISSING_REASONS[reason])
    return {"missing": reason}


def missing_reasons_in_table(cell: dict[str, Any] | None) -> dict[str, str]:
    """The missing reasons in a table: ``row/column`` -> reason."""
    rows = (cell or {}).get("rows", {})
    return {
        f"{row}/{column}": inner["missing"]
        for row, cells in rows.items()
        for column, inner in cells.items()
        if "missing" in inner
    }
