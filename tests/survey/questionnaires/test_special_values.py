"""Not applicable, not known, zero and blank are distinct, in single items and in tables."""

import dataclasses
from decimal import Decimal

import pytest

from survey.questionnaires.answering.answers import AnswerError, normalise, parse, parse_cell
from survey.questionnaires.answering.special_values import missing_reason_in, missing_reasons_of
from survey.questionnaires.document import from_document, to_document
from survey.questionnaires.edits import run_edits
from survey.questionnaires.routing import evaluate_sheet


@pytest.fixture
def table(cat12):
    """Buyers by kind: one column of numbers, fixed rows."""
    return cat12.items["F10"]


@pytest.mark.parametrize("word", ["不适用", "N/A", "无此项", " not applicable "])
def test_words_for_not_applicable(word):
    assert missing_reason_in(word) == "not_applicable"


@pytest.mark.parametrize(
    ("typed", "cell"),
    [
        ("不掌握", {"missing": "unknown"}),
        ("unknown", {"missing": "unknown"}),
        ("0", {"value": "0", "entered": "0", "unit": "TB"}),
        ("", None),
        ("　", None),
    ],
)
def test_reason_zero_and_blank_are_distinct(cat12, typed, cell):
    assert parse(cat12.items["P01"], typed, "TB") == cell


def test_missing_reason_in_a_table_cell_survives_normalisation(table):
    row, column = table.rows.ids[0], table.columns[0].code
    cell = parse_cell(table, {"rows": {row: {column: {"value": "不掌握"}}}})
    assert cell == {"rows": {row: {column: {"missing": "unknown"}}}}
    assert normalise(table, cell) == cell


def test_items_without_missing_reasons_refuse_them(cat12):
    item = cat12.items["B09"]
    assert missing_reasons_of(item) == ()
    with pytest.raises(AnswerError) as refused:
        parse_cell(item, {"value": "", "missing": "unknown"})
    assert refused.value.code == "mark_not_allowed"
    assert "不掌握" in refused.value.message("zh-hans") and "Not known" in refused.value.message("en")
    with pytest.raises(AnswerError):
        normalise(item, {"missing": "not_applicable"})


def test_missing_reasons_survive_publication(cat12):
    assert from_document(to_document(cat12)).items["B09"].marks == ()
    assert from_document(to_document(cat12)).items["P01"].marks is None
    narrow = dataclasses.replace(cat12.items["P01"], marks=("unknown",))
    assert missing_reasons_of(narrow) == ("unknown",)


def test_unknown_cell_suspends_the_sum_rule_and_needs_a_reason(cat12, clean, context, table):
    """The sum over a table with an unknown cell is undefined, so its rule is not evaluated."""
    answers = dict(clean)
    column = table.columns[0].code
    first, second = table.rows.ids[:2]
    answers["F10"] = {"rows": {first: {column: {"value": "5"}}, second: {column: {"value": "5"}}}}
    before = {finding.edit for finding in run_edits(cat12, answers, context=context)}
    assert "F10-H1" in before  # 10 % is not the whole
    answers["F10"] = {"rows": {first: {column: {"value": "5"}}, second: {column: {"missing": "unknown"}}}}
    findings = {finding.edit: finding for finding in run_edits(cat12, answers, context=context)}
    assert "F10-H1" not in findings
    assert findings["MIS-F10"].severity == "soft"
    assert "1 cells" in findings["MIS-F10"].message.en
    sheet = evaluate_sheet(cat12, answers, context)
    assert sheet.environment.tables["F10"][second][column].is_nan()


def test_not_applicable_table_cell_adds_zero(cat12, clean, context, table):
    column = table.columns[0].code
    first, second = table.rows.ids[:2]
    total = sum(Decimal(cells[column]["value"]) for cells in clean["F10"]["rows"].values())
    cell = {"rows": {first: {column: {"value": str(total)}}, second: {column: {"missing": "not_applicable"}}}}
    codes = {finding.edit for finding in run_edits(cat12, {**clean, "F10": cell}, context=context)}
    assert not {"F10-H1", "MIS-F10"} & codes


def test_money_keeps_the_unit_that_was_typed(cat12):
    item = cat12.items["V01"]
    assert parse(item, "3.2", "亿元") == {"value": "32000", "entered": "3.2", "unit": "亿元"}
    assert parse(item, "3.2亿元") == {"value": "32000", "entered": "3.2", "unit": "亿元"}
    assert parse(item, "32000") == {"value": "32000"}
    assert normalise(item, {"value": "32000", "entered": "3.2", "unit": "亿元"})["unit"] == "亿元"
