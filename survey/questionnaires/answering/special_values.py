"""Answers that are no figure: "not applicable" and "not known". Pure.

Four things are kept apart: a number (zero is one), a blank (no cell), and the two marks. A mark may be
chosen beside the field or typed into it, in tables too.
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
_MARKS = {word: reason for reason, words in _WORDS.items() for word in words}


def mark_in(text: str) -> str | None:
    """The mark that a person means by a word typed in place of a figure; None for anything else."""
    return _MARKS.get(text.strip().casefold())


def marks_of(place: Item | Column) -> tuple[str, ...]:
    """The marks that an item or a column takes: both, unless its definition says otherwise."""
    if isinstance(place, Item) and place.marks is not None:
        return place.marks
    return tuple(MISSING_REASONS)


def missing_cell(place: Item | Column, reason: Any) -> dict[str, Any]:
    """The cell of a mark. Raises AnswerError."""
    if not isinstance(reason, str) or reason not in MISSING_REASONS:
        raise AnswerError("unknown_missing_reason", reason=str(reason)[:40])
    if reason not in marks_of(place):
        raise AnswerError("mark_not_allowed", mark=MISSING_REASONS[reason])
    return {"missing": reason}


def marks_in_table(cell: dict[str, Any] | None) -> dict[str, str]:
    """The marks inside a table: ``row/column`` -> reason."""
    rows = (cell or {}).get("rows", {})
    return {
        f"{row}/{column}": inner["missing"]
        for row, cells in rows.items()
        for column, inner in cells.items()
        if "missing" in inner
    }
