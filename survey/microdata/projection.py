"""From a filed document to one row of numbers. Pure: the same filing always gives the same row.

Meaning of the numbers
    a number      what was filed, in the unit of the item; yes is 1 and no is 0
    0             also an amount that does not apply: routed away, or answered "not applicable"
    NaN           not on this form, unknown, left blank, or a share or a yes/no that does not apply

``reasons`` stores what 0 and NaN do not distinguish: one code per variable (``Reason``).
"""

import hashlib
import json
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from survey.microdata.variables import AMOUNTS, Variable
from survey.questionnaires.answering.answers import number_of
from survey.questionnaires.definition import Item, Questionnaire, Text

KINDS = AMOUNTS | {"ratio", "yesno"}
NAN = float("nan")
_NAN_BYTES = struct.pack(">d", NAN)


class Reason(IntEnum):
    """The reason of a value of the row. Stored and exported as numbers, which never change their meaning."""

    VALUE = 0  # a number or a yes/no was filed; zero is one
    NOT_APPLICABLE = 1  # declared by the respondent
    UNKNOWN = 2  # declared "not known"
    BLANK = 3  # asked and left blank where the form allows it
    NOT_ASKED = 4  # skipped by routing
    NOT_ON_FORM = 5  # the form of this category does not have the item
    NOT_COMPUTED = 6  # computed by the form from inputs without a number


REASONS: dict[Reason, Text] = {
    Reason.VALUE: Text("已填数值", "value"),
    Reason.NOT_APPLICABLE: Text("不适用", "not applicable"),
    Reason.UNKNOWN: Text("不掌握", "not known"),
    Reason.BLANK: Text("未填", "blank"),
    Reason.NOT_ASKED: Text("按跳转不填", "not asked (routed past)"),
    Reason.NOT_ON_FORM: Text("本表无此指标", "not on this form"),
    Reason.NOT_COMPUTED: Text("无法计算", "cannot be worked out"),
}
_MISSING = {"not_applicable": Reason.NOT_APPLICABLE, "unknown": Reason.UNKNOWN}


def layout_variables(questionnaires: Iterable[Questionnaire]) -> tuple[Variable, ...]:
    """The union of the measured numeric items of all forms, in the order of the item codes."""
    forms: dict[str, list[str]] = {}
    items: dict[str, Item] = {}
    for questionnaire in questionnaires:
        for code, item in questionnaire.items.items():
            if item.measure and item.type in KINDS:
                forms.setdefault(code, []).append(questionnaire.category)
                items.setdefault(code, item)
    return tuple(
        Variable(
            code=code,
            unit=items[code].unit,
            period=items[code].period,
            kind=items[code].type,
            categories=tuple(sorted(forms[code])),
            required=items[code].required,
            zh=items[code].label.zh,
            en=items[code].label.en,
        )
        for code in sorted(forms)
    )


def layout_hash(variables: Sequence[Variable]) -> str:
    """SHA-256 of the ordered variables, in hex."""
    text = json.dumps([variable.to_json() for variable in variables], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def project(
    variables: Sequence[Variable], questionnaire: Questionnaire, answers: Mapping[str, Any]
) -> list[float]:
    """One number per variable from a filed document (answers that apply and computed cells)."""
    return [
        _number(questionnaire.items.get(variable.code), answers.get(variable.code)) for variable in variables
    ]


def _number(item: Item | None, cell: Mapping[str, Any] | None) -> float:
    if item is None:
        return NAN
    not_applicable = 0.0 if item.type in AMOUNTS else NAN
    if cell is None:
        # Filing refuses a blank required item, so a required amount is only absent when routing skipped it.
        return not_applicable if item.required else NAN
    if cell.get("missing") == "not_applicable":
        return not_applicable
    number = number_of(item, cell)
    return NAN if number is None else float(number)


def reasons(variables: Sequence[Variable], questionnaire: Questionnaire, answers: Mapping[str, Any]) -> bytes:
    """One byte per variable from a filed document, the ``Reason`` of its value."""
    return bytes(
        reason_of(questionnaire.items.get(variable.code), answers.get(variable.code))
        for variable in variables
    )


def reason_of(item: Item | None, cell: Mapping[str, Any] | None) -> Reason:
    """The reason of one item of a filed document, which has the answers that apply and computed cells."""
    if item is None:
        return Reason.NOT_ON_FORM
    if not cell:
        if item.computed:
            return Reason.NOT_ASKED if item.relevance else Reason.NOT_COMPUTED
        # Filing refuses a blank required item: routing skipped an absent one.
        return Reason.NOT_ASKED if item.required else Reason.BLANK
    return _MISSING.get(cell.get("missing", ""), Reason.VALUE)


def values_hash(classification: Sequence[object], values: Sequence[float]) -> str:
    """SHA-256 over the classification and the IEEE 754 bytes of the values; all NaNs are equal."""
    digest = hashlib.sha256("|".join(str(part) for part in classification).encode())
    digest.update(
        b"".join(_NAN_BYTES if math.isnan(value) else struct.pack(">d", value + 0.0) for value in values)
    )
    return digest.hexdigest()
