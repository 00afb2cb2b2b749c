"""Projection of answers to numbers: zeros and missing values."""

import math
from dataclasses import replace

import pytest

from survey.microdata.projection import layout_variables, project
from survey.microdata.variables import Variable
from survey.questionnaires.definition import Questionnaire
from survey.questionnaires.loader import load_all

FORMS = load_all()
FORM = FORMS["CAT12"]
AMOUNT, SHARE, CHOICE = "P01", "K04", "K01"


def variable(code: str) -> Variable:
    return next(candidate for candidate in layout_variables(FORMS.values()) if candidate.code == code)


def number(code: str, cell: dict[str, object] | None, form: Questionnaire = FORM) -> float:
    (value,) = project([variable(code)], form, {} if cell is None else {code: cell})
    return value


def optional(code: str) -> Questionnaire:
    """The form, with an item that may be left blank."""
    return replace(FORM, items={**FORM.items, code: replace(FORM.items[code], required=False)})


@pytest.mark.parametrize(
    ("code", "cell", "expected"),
    [
        (AMOUNT, {"value": "3276.8"}, 3276.8),
        (AMOUNT, {"value": "0"}, 0.0),
        (AMOUNT, {"missing": "not_applicable"}, 0.0),
        (AMOUNT, {"missing": "unknown"}, math.nan),
        (AMOUNT, None, 0.0),  # required, so it is only absent when routing skipped it
        (SHARE, {"missing": "not_applicable"}, math.nan),
        (SHARE, None, math.nan),
        (CHOICE, {"value": True}, 1.0),
        (CHOICE, {"value": False}, 0.0),
        (CHOICE, None, math.nan),
    ],
)
def test_number_of_an_answer(code: str, cell: dict[str, object] | None, expected: float) -> None:
    assert FORM.items[code].required
    assert number(code, cell) == pytest.approx(expected, abs=0, nan_ok=True)


def test_a_blank_optional_amount_is_nan() -> None:
    """The reason is unknown, so the value is excluded from means."""
    form = optional(AMOUNT)
    assert math.isnan(number(AMOUNT, None, form))
    assert number(AMOUNT, {"missing": "not_applicable"}, form) == 0.0
    assert number(AMOUNT, {"value": "5"}, form) == 5.0


def test_an_item_of_another_form_is_nan() -> None:
    assert "MX01" not in FORM.items
    assert math.isnan(number("MX01", None))
