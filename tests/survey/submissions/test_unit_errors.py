"""Likely unit errors against last year, and the texts beside an answer."""

from decimal import Decimal

import pytest
from django.utils import translation

from survey.questionnaires.answering.answers import parse
from survey.questionnaires.loader import load_questionnaire
from survey.submissions.page.remarks import read_back, suggestions_for
from survey.submissions.page.unit_errors import LikelyEntry, likely_entry

FORM = load_questionnaire("CAT08")


def cell(code, text, unit=None):
    return parse(FORM.items[code], text, unit)


@pytest.mark.parametrize(
    ("typed", "unit", "last", "meant"),
    [
        ("3.2", "TB", "3276.8", "PB"),  # 1,024 times too small
        ("3300", "PB", "3276.8", "TB"),  # 1,024 times too large
        ("3", "GB", "3072", "PB"),  # two steps
        ("3.2", "EB", "3200", "PB"),  # read as thousands: near enough
    ],
)
def test_unit_closest_to_last_year_is_suggested(typed, unit, last, meant):
    likely = likely_entry(FORM.items["P01"], cell("P01", typed, unit), {"value": last})
    assert likely == LikelyEntry(Decimal(typed), meant)


@pytest.mark.parametrize("last", [None, {"value": "0"}, {"missing": "unknown"}, {"value": "40"}])
def test_no_suggestion_without_a_large_difference(last):
    assert likely_entry(FORM.items["P01"], cell("P01", "3.2", "TB"), last) is None


def test_yuan_entered_as_ten_thousand_yuan_is_detected():
    likely = likely_entry(FORM.items["V01"], cell("V01", "52000000"), {"value": "5100"})
    assert likely == LikelyEntry(Decimal(52000000), "元")
    assert cell("V01", "52000000", "元")["value"] == "5200"


def test_single_unit_count_is_corrected_by_a_power_of_ten():
    item = FORM.items["B09"]
    assert likely_entry(item, {"value": "1800000"}, {"value": "175"}) == LikelyEntry(Decimal(180))
    assert likely_entry(item, {"value": "1800001"}, {"value": "175"}) is None  # nobody employs 180.0001


def test_suggestion_in_a_table_names_its_row():
    item = FORM.items["K07"]
    row = item.rows.entries[4]
    column = next(c for c in item.columns if len(c.units) > 1)
    now, last = (
        {"rows": {row.id: {column.code: parse(column, text, unit)}}}
        for text, unit in (("3", column.units[-1]), ("3", column.units[0]))
    )
    suggestions = suggestions_for(item, now, last, "zh-hans")
    assert [suggestion.key for suggestion in suggestions] == [f"K07/{row.id}/{column.code}"]
    assert row.label.zh in suggestions[0].where and suggestions[0].value.endswith(f"|{column.units[0]}|3")


def test_read_back_converts_and_compares_with_last_year():
    with translation.override("en"):
        words = read_back(FORM.items["P01"], cell("P01", "3.2", "PB"), {"value": "2340.57142857"}, "en")
        again = read_back(FORM.items["P01"], cell("P01", "7", "TB"), {"value": "7"}, "en")
        slipped = read_back(FORM.items["P01"], cell("P01", "7", "TB"), {"value": "7168"}, "en")
    assert words == "3.2 PB = 3,276.8 TB, 1.4 × last year"
    assert again.endswith("the same as last year") and slipped.endswith("less than a hundredth of last year")
    assert read_back(FORM.items["P01"], {"missing": "unknown"}, None, "en") == ""
