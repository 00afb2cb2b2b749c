"""Sheets of the rehearsal go into the database past the services: what they say must be what the services make."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from estimation.rehearsal.country import Country, build_country
from estimation.rehearsal.population.units import VALID
from estimation.rehearsal.sheets.sheets import Layout, build_sheets
from estimation.rehearsal.storage.members import choose_members
from estimation.rehearsal.storage.register import build_register
from survey.microdata.projection import Reason, layout_variables, project, reasons
from survey.questionnaires.loader import load_all

FORMS = load_all()
VARIABLES = layout_variables(FORMS.values())
LAYOUT = Layout(
    tuple(variable.code for variable in VARIABLES),
    tuple(variable.kind for variable in VARIABLES),
    tuple(variable.required for variable in VARIABLES),
)
MOST = 40  # sheets of a category


@pytest.fixture(scope="module")
def country() -> Country:
    """A small country in which, as in the whole one, some central enterprises answer "not known"."""
    small = build_country(20251231, 0.02)
    marked = small.units.category == 7
    return replace(small, unknown_answers={"T01": marked, "V05": marked & (small.units.status[1] == VALID)})


@pytest.mark.parametrize("category", FORMS)
def test_numbers_and_reasons_are_those_of_the_projection(country: Country, category: str) -> None:
    form, number = FORMS[category], int(category[3:])
    members = choose_members(country)
    register = build_register(country, members)
    members_of_category = np.flatnonzero(country.units.category[members.row] == number)
    unknown = np.zeros(len(members_of_category), bool)
    for mask in country.unknown_answers.values():
        unknown |= mask[members.row[members_of_category]]
    positions = np.concatenate([members_of_category[unknown], members_of_category[~unknown]])[
        :MOST
    ]  # those with an item "not known" first
    seen: set[Any] = set()
    for year in (0, 1):
        batch = build_sheets(country, form, LAYOUT, members.row[positions], year, register.people(positions))
        for text, numbers, codes in zip(batch.texts, batch.numbers, batch.reasons, strict=True):
            answers = json.loads(text)
            np.testing.assert_array_equal(numbers, project(VARIABLES, form, answers))
            assert codes.tobytes() == reasons(VARIABLES, form, answers)
            seen |= set(codes.tolist())
    assert {Reason.VALUE, Reason.NOT_ON_FORM} <= seen
    assert (Reason.UNKNOWN in seen) is (category == "CAT07")
