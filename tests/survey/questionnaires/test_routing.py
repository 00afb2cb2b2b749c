"""Relevance, parking, computed items and what the register fills in."""

import pytest

from survey.exceptions import DefinitionError
from survey.questionnaires.loader import assemble, build_dictionary, load_questionnaire
from survey.questionnaires.proof.samples import sample_context
from survey.questionnaires.routing import (
    computed_values,
    evaluate_sheet,
    prefilled_cells,
    relevant_items,
    relevant_sections,
)
from survey.questionnaires.rules.plan import plan_of

TEXT = {"zh": "指标", "en": "Item"}


def tiny(items, edits=()):
    """A form of one section out of short item descriptions."""
    written = [
        {"label": TEXT, "definition": TEXT, "type": "quantity", "unit": "TB", "units": "data"} | item
        for item in items
    ]
    form = {
        "category": "CAT12",
        "form_no": "T",
        "title": TEXT,
        "sections": [{"code": "P", "title": TEXT, "items": [item["code"] for item in items]}],
    }
    return assemble(form, build_dictionary(written, edits, {}))


def quantity(value):
    return {"value": value, "entered": value, "unit": "TB"}


@pytest.mark.parametrize(
    ("k01", "shown"),
    [({"value": True}, True), ({"value": False}, False), (None, False), ({"missing": "unknown"}, False)],
)
def test_relevance_follows_its_filter_item(cat12, clean, context, k01, shown):
    clean.pop("K01")
    if k01:
        clean["K01"] = k01
    assert ("K02" in relevant_items(cat12, clean, context)) is shown


def test_irrelevant_answers_are_parked_and_restored(cat12, clean, context):
    clean["A01"] = {"value": False}
    before = dict(clean)
    sheet = evaluate_sheet(cat12, clean, context)
    assert {"A02", "A03"} <= sheet.not_relevant and "A02" not in sheet.cells
    assert "A02" not in sheet.environment.values
    assert clean == before
    clean["A01"] = {"value": True}
    assert evaluate_sheet(cat12, clean, context).cells["A02"] == clean["A02"]


def test_relevance_depends_on_items_that_are_parked():
    form = tiny(
        [
            {"code": "Q", "type": "yesno", "unit": "", "units": "none"},
            {"code": "A", "relevance": "Q == true"},
            {"code": "B", "relevance": "A > 0"},
        ]
    )
    context = sample_context("CAT12")
    answers = {"Q": {"value": False}, "A": quantity("5"), "B": quantity("1")}
    assert relevant_items(form, answers, context) == {"Q"}
    answers["Q"] = {"value": True}
    assert relevant_items(form, answers, context) == {"Q", "A", "B"}


def test_computed_items_chain_and_ignore_submitted_values():
    form = tiny(
        [
            {"code": "C", "computed": "B * 2.0", "read_only": True},
            {"code": "B", "computed": "A + 0.1", "read_only": True},
            {"code": "A"},
        ]
    )
    context = sample_context("CAT12")
    assert computed_values(form, {"A": quantity("0.2"), "B": quantity("99")}, context) == {
        "B": quantity("0.3"),
        "C": quantity("0.6"),
    }
    assert computed_values(form, {}, context) == {}


@pytest.mark.parametrize(
    ("d01", "s02", "rate"), [("50", "200", "25"), ("1", "3", "33.3333"), ("0", "0", "0")]
)
def test_development_rate(cat12, clean, context, d01, s02, rate):
    clean["D01"], clean["S02"] = quantity(d01), quantity(s02)
    assert computed_values(cat12, clean, context)["D02"] == {"value": rate}
    clean.pop("S02")
    assert "D02" not in computed_values(cat12, clean, context)


@pytest.mark.parametrize(
    ("industry", "employees", "turnover", "expected"),
    [
        ("3911", "1000", "40000", "large"),
        ("3911", "1000", "39999.99", "medium"),
        ("0111", "1", "49.99", "micro"),
    ],
)
def test_size_class_is_computed_from_the_answers(
    cat12, clean, context, industry, employees, turnover, expected
):
    clean |= {"B05": {"value": industry}, "B09": {"value": employees}, "B10": {"value": turnover}}
    clean["B12"] = {"value": "small"}
    assert computed_values(cat12, clean, context)["B12"] == {"value": expected}


def test_register_overrides_submitted_read_only_items(cat12, clean, context):
    clean["B01"] = {"value": "91350100M000100Y4Z"}
    assert computed_values(cat12, clean, context)["B01"] == {"value": context.uscc}


def test_national_flags_fill_the_form():
    form = load_questionnaire("CAT08")
    for flag, code in ((True, "true"), (False, "false")):
        context = sample_context("CAT08", is_head_platform=flag)
        assert computed_values(form, {}, context)["MP06"] == {"value": code}


def test_prefilled_cells_omit_codes_outside_the_list(cat12):
    cells = prefilled_cells(cat12, sample_context("CAT12", industry="9999", name="某公司"))
    assert cells["B02"] == {"value": "某公司"} and "B05" not in cells


def test_relevant_sections_in_form_order(cat12, clean, context):
    sections = relevant_sections(cat12, clean, context)
    assert sections == tuple(section.code for section in cat12.sections)


def test_an_unreadable_cell_counts_as_blank(cat12, clean, context):
    clean["S02"] = {"value": "15 or so"}
    sheet = evaluate_sheet(cat12, clean, context)
    assert sheet.invalid["S02"].code == "not_a_number"
    assert "S02" not in sheet.cells and "D02" not in sheet.computed


def test_circular_definitions_are_refused():
    form = tiny(
        [
            {"code": "A", "relevance": "B > 0"},
            {"code": "B", "relevance": "A > 0"},
            {"code": "C", "relevance": "B > 0"},
        ]
    )
    with pytest.raises(DefinitionError) as caught:
        plan_of(form)
    assert (
        caught.value.code == "circular" and "A, B" in caught.value.message and "C" not in caught.value.message
    )


def test_rules_about_items_of_other_forms_do_not_apply():
    form = load_questionnaire("CAT14")
    assert "D01" not in form.items
    assert all("D01" not in edit.expression for edit in form.edits)
    assert form.item("A06").relevance is None  # A01 is not on this form
