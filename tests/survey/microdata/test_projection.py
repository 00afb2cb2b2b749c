"""One number a variable: which answers are a zero, and which are no number."""

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
    return next(one for one in layout_variables(FORMS.values()) if one.code == code)


def number(code: str, cell: dict[str, object] | None, form: Questionnaire = FORM) -> float:
    (found,) = project([variable(code)], form, {} if cell is None else {code: cell})
    return found


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
        (AMOUNT, None, 0.0),  # owed, so it can only be absent because it was routed away
        (SHARE, {"missing": "not_applicable"}, math.nan),
        (SHARE, None, math.nan),
        (CHOICE, {"value": True}, 1.0),
        (CHOICE, {"value": False}, 0.0),
        (CHOICE, None, math.nan),
    ],
)
def test_what_an_answer_counts(code: str, cell: dict[str, object] | None, expected: float) -> None:
    assert FORM.items[code].required
    assert number(code, cell) == pytest.approx(expected, abs=0, nan_ok=True)


def test_an_optional_amount_left_blank_is_no_zero() -> None:
    """Nobody knows why it is blank: it leaves the base of a mean and does not lower it."""
    form = optional(AMOUNT)
    assert math.isnan(number(AMOUNT, None, form))
    assert number(AMOUNT, {"missing": "not_applicable"}, form) == 0.0
    assert number(AMOUNT, {"value": "5"}, form) == 5.0


def test_an_item_of_another_form_is_no_number() -> None:
    assert "MX01" not in FORM.items
    assert math.isnan(number("MX01", None))
