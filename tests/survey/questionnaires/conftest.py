"""Small items and whole forms for the tests of the engine."""

from typing import Any

import pytest

from survey.questionnaires.answering.units import FAMILIES
from survey.questionnaires.definition import Column, Grid, Item, Row, Text
from survey.questionnaires.loader import load_codelist, load_questionnaire
from survey.questionnaires.proof.samples import sample_answers, sample_context

NAME = Text("指标", "Item")


def make_item(kind, **fields):
    """An item of a type with the usual unit."""
    units: dict[str, dict[str, Any]] = {
        "quantity": {"unit": "TB", "units": FAMILIES["data"].codes},
        "money": {"unit": "万元"},
        "count": {"unit": "人"},
        "ratio": {"unit": "%"},
    }
    return Item(**({"code": "P01", "label": NAME, "type": kind} | units.get(kind, {}) | fields))


@pytest.fixture(scope="session")
def table():
    columns = (
        Column("flow", NAME, "quantity", "TB", FAMILIES["data"].codes),
        Column("n", NAME, "count", "个"),
        Column("note", NAME, "text"),
    )
    rows = Grid("fixed", (Row("a", Text("甲", "A")), Row("b", Text("乙", "B"))))
    return Item("F10", NAME, "table", columns=columns, rows=rows)


@pytest.fixture(scope="session")
def holding():
    return load_codelist("holding_types")


@pytest.fixture(scope="session")
def cat12():
    return load_questionnaire("CAT12")


@pytest.fixture(scope="session")
def context():
    return sample_context("CAT12")


@pytest.fixture(scope="session")
def _clean(cat12, context):
    return sample_answers(cat12, context, 0)


@pytest.fixture
def clean(_clean):
    """A complete CAT12 sheet without findings; each test gets its own copy."""
    return {code: dict(cell) for code, cell in _clean.items()}
