"""Likely slips of unit and magnitude against last year, and the words beside an answer."""

from decimal import Decimal

import pytest
from django.utils import translation

from survey.questionnaires.answering.answers import parse
from survey.questionnaires.loader import load_questionnaire
from survey.submissions.page.remarks import read_back, suggestions_for
from survey.submissions.page.slips import Slip, likely_slip

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
def test_the_unit_that_resembles_last_year(typed, unit, last, meant):
    slip = likely_slip(FORM.items["P01"], cell("P01", typed, unit), {"value": last})
    assert slip == Slip(Decimal(typed), meant)


@pytest.mark.parametrize("last", [None, {"value": "0"}, {"missing": "unknown"}, {"value": "40"}])
def test_no_slip_without_a_number_far_off(last):
    assert likely_slip(FORM.items["P01"], cell("P01", "3.2", "TB"), last) is None


def test_yuan_in_a_field_of_ten_thousand_yuan():
    slip = likely_slip(FORM.items["V01"], cell("V01", "52000000"), {"value": "5100"})
    assert slip == Slip(Decimal(52000000), "元")
    assert cell("V01", "52000000", "元")["value"] == "5200"


def test_a_count_with_one_unit_is_repaired_by_a_power_of_ten():
    item = FORM.items["B09"]
    assert likely_slip(item, {"value": "1800000"}, {"value": "175"}) == Slip(Decimal(180))
    assert likely_slip(item, {"value": "1800001"}, {"value": "175"}) is None  # nobody employs 180.0001


def test_a_slip_inside_a_table_names_its_row():
    item = FORM.items["K07"]
    row = item.rows.entries[4]
    column = next(c for c in item.columns if len(c.units) > 1)
    now, last = (
        {"rows": {row.id: {column.code: parse(column, text, unit)}}}
        for text, unit in (("3", column.units[-1]), ("3", column.units[0]))
    )
    found = suggestions_for(item, now, last, "zh-hans")
    assert [one.key for one in found] == [f"K07/{row.id}/{column.code}"]
    assert row.label.zh in found[0].where and found[0].value.endswith(f"|{column.units[0]}|3")


def test_read_back_in_words_and_against_last_year():
    with translation.override("en"):
        words = read_back(FORM.items["P01"], cell("P01", "3.2", "PB"), {"value": "2340.57142857"}, "en")
        again = read_back(FORM.items["P01"], cell("P01", "7", "TB"), {"value": "7"}, "en")
        slipped = read_back(FORM.items["P01"], cell("P01", "7", "TB"), {"value": "7168"}, "en")
    assert words == "3.2 PB = 3,276.8 TB, 1.4 × last year"
    assert again.endswith("the same as last year") and slipped.endswith("less than a hundredth of last year")
    assert read_back(FORM.items["P01"], {"missing": "unknown"}, None, "en") == ""
