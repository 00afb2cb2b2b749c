"""Parsing, normalisation and formatting of answers: exact and in both languages."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.questionnaires.answering.answers import (
    AnswerError,
    canonical_value,
    format_as_entered,
    format_cell,
    normalise,
    number_of,
    parse,
    parse_cell,
    parse_table,
)
from survey.questionnaires.answering.errors import MESSAGES
from survey.questionnaires.answering.units import FAMILIES
from tests.survey.questionnaires.conftest import make_item

QUANTITY, MONEY, COUNT, RATIO = (make_item(kind) for kind in ("quantity", "money", "count", "ratio"))
TOKENS = make_item("quantity", unit="亿个", units=FAMILIES["tokens"].codes)


def test_parse_cell_reads_missing_reasons():
    assert parse_cell(QUANTITY, {"value": "", "missing": "unknown"}) == {"missing": "unknown"}
    assert parse_cell(QUANTITY, {"value": "0", "missing": "unknown"})["value"] == "0"
    assert parse_cell(QUANTITY, {"value": None}) is None
    with pytest.raises(AnswerError):
        parse_cell(QUANTITY, {"missing": "tired"})


def test_parse_table_drops_blanks_and_orders_rows(table):
    raw = {
        "rows": {"b": {"flow": {"value": "1", "unit": "PB"}, "n": {"value": ""}}, "a": {"n": {"value": "２"}}}
    }
    cell = parse_table(table, raw)
    assert list(cell["rows"]) == ["a", "b"]
    assert cell["rows"]["b"] == {"flow": {"value": "1024", "entered": "1", "unit": "PB"}}
    assert parse_table(table, {"rows": {"a": {"n": {"value": " "}}}}) is None
    assert parse_cell(table, {"missing": "not_applicable"}) == {"missing": "not_applicable"}
    assert canonical_value(table, cell) == {"a": {"n": "2"}, "b": {"flow": "1024"}}


def test_parse_table_reports_every_faulty_cell(table):
    with pytest.raises(AnswerError) as caught:
        parse_table(
            table,
            {"rows": {"a": {"flow": {"value": "x"}, "n": {"value": "1.5"}}, "b": {"n": {"value": "1"}}}},
        )
    assert {address: error.code for address, error in caught.value.children.items()} == {
        ("a", "flow"): "not_a_number",
        ("a", "n"): "not_an_integer",
    }


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({"rows": {"c": {}}}, "unknown_row"),
        ({"rows": {"a": {"x": {}}}}, "unknown_column"),
        ({}, "malformed"),
        ({"rows": []}, "malformed"),
        ({"rows": {"a": 3}}, "unknown_row"),
    ],
)
def test_parse_table_refuses(table, raw, code):
    with pytest.raises(AnswerError) as caught:
        parse_table(table, raw)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("item", "cell"),
    [
        (QUANTITY, {"value": 3.5}),
        (QUANTITY, {"value": True}),
        (QUANTITY, {"value": ["1"]}),
        (QUANTITY, "3"),
        (QUANTITY, {"value": "3", "evil": 1}),
        (QUANTITY, {"value": "1,5", "entered": "1,5", "unit": "TB"}),
        (QUANTITY, {"value": "5", "entered": "3.2", "unit": "PB"}),
        (QUANTITY, {"value": "5", "unit": "XB"}),
        (QUANTITY, {"missing": "unknown", "value": "3"}),
        (QUANTITY, {"missing": {}}),
        (QUANTITY, {"missing": {"a": 1}}),
        (COUNT, {"value": "1.5"}),
        (COUNT, {"value": "-1"}),
        (MONEY, {"value": "1.234"}),
        (make_item("yesno"), {"value": "yes"}),
        (make_item("text"), {"value": 5}),
        (make_item("multi"), {"value": "a"}),
        (make_item("date"), {"value": 5}),
    ],
)
def test_normalise_refuses_cells_of_the_wrong_shape(item, cell):
    with pytest.raises(AnswerError):
        normalise(item, cell)


def test_normalise_makes_stored_cells_canonical():
    assert normalise(QUANTITY, {"value": "1e3"}) == {"value": "1000", "entered": "1000", "unit": "TB"}
    assert normalise(QUANTITY, {"value": "007.50"}) == {"value": "7.5", "entered": "7.5", "unit": "TB"}
    assert normalise(QUANTITY, {"entered": "3.2", "unit": "PB"})["value"] == "3276.8"
    assert normalise(QUANTITY, {"value": 12})["value"] == "12"
    assert normalise(QUANTITY, None) is None
    assert normalise(MONEY, {"value": "12.50"}) == {"value": "12.5"}


AMOUNTS = st.decimals(0, 10**15, places=4, allow_nan=False, allow_infinity=False)


@given(AMOUNTS, st.sampled_from(FAMILIES["data"].codes))
def test_quantity_survives_storage_and_display(amount, unit):
    cell = parse(QUANTITY, f"{amount:,f}", unit) if _fits(amount, unit) else None
    if cell is None:
        return
    assert normalise(QUANTITY, cell) == cell
    assert Decimal(cell["entered"]) == amount
    assert parse(QUANTITY, format_cell(QUANTITY, cell, "en"))["value"] == cell["value"]
    assert number_of(QUANTITY, cell) == Decimal(cell["value"])


def _fits(amount, unit):
    # GB amounts with four places have up to 14 binary places in TB; 12 are kept, the rest is refused.
    return unit != "GB" and not (unit == "ZB" and amount > 10**14)


@given(
    st.decimals(0, 10**12, places=2, allow_nan=False, allow_infinity=False),
    st.sampled_from(["en", "zh-hans"]),
)
def test_money_survives_display(amount, language):
    cell = parse(MONEY, str(amount))
    shown = format_cell(MONEY, cell, language)
    assert parse(MONEY, shown.split(" ")[0]) == cell
    assert normalise(MONEY, cell) == cell


@given(st.text(max_size=60))
def test_parse_raises_only_answer_errors(text):
    for item in (QUANTITY, MONEY, COUNT, TOKENS, make_item("date"), make_item("text"), make_item("yesno")):
        try:
            cell = parse(item, text)
        except AnswerError as error:
            has_message = error.code in MESSAGES and bool(error.message("en"))
            assert has_message, error  # noqa: PT017 both outcomes are right, a third is not
        else:
            assert cell is None or normalise(item, cell) == cell


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "entered", "unit", "missing", "rows", "a", "flow"]), inner, max_size=4
        )
    ),
)


@given(JSON)
def test_normalise_raises_only_answer_errors(table, cell):
    for item in (QUANTITY, COUNT, make_item("multi"), make_item("choice"), table):
        try:
            normalise(item, cell)
        except AnswerError as error:
            assert error.message("zh")  # noqa: PT017 both outcomes are right, a third is not


@pytest.mark.parametrize(
    ("item", "cell", "zh", "en"),
    [
        (QUANTITY, {"value": "3276.8"}, "3,276.8 TB", "3,276.8 TB"),
        (MONEY, {"value": "12345.5"}, "12,345.50 万元", "12,345.50 × 10,000 yuan"),
        (COUNT, {"value": "12000"}, "12,000 人", "12,000 persons"),
        (RATIO, {"value": "35.5"}, "35.5%", "35.5%"),
        (make_item("yesno"), {"value": False}, "否", "No"),
        (make_item("date"), {"value": "2019-05"}, "2019年5月", "2019-05"),
        (make_item("text"), {"value": "<b>"}, "<b>", "<b>"),
        (QUANTITY, {"missing": "unknown"}, "不掌握", "Not known"),
        (QUANTITY, None, "", ""),
    ],
)
def test_format_cell(item, cell, zh, en):
    assert format_cell(item, cell, "zh-hans") == zh
    assert format_cell(item, cell, "en") == en


def test_format_as_entered_shows_the_chosen_unit():
    typed = {"value": "921600", "entered": "900", "unit": "PB"}
    assert format_as_entered(QUANTITY, typed, "zh-hans") == "900 PB"
    assert format_as_entered(QUANTITY, {"value": "900", "entered": "900", "unit": "TB"}, "en") == "900 TB"
    assert format_as_entered(QUANTITY, {"value": "900"}, "en") == "900 TB"
    assert format_as_entered(QUANTITY, None, "en") == ""


def test_number_of_types():
    assert number_of(make_item("yesno"), {"value": True}) == 1
    assert number_of(make_item("yesno"), {"value": False}) == 0
    assert number_of(QUANTITY, {"missing": "unknown"}) is None
    assert number_of(make_item("choice"), {"value": "1"}) is None
    assert number_of(QUANTITY, None) is None


@pytest.mark.parametrize("code", MESSAGES)
def test_messages_have_the_same_placeholders(code):
    import re

    zh, en = (set(re.findall(r"\{(\w+)\}", text)) for text in (MESSAGES[code].zh, MESSAGES[code].en))
    assert zh == en
