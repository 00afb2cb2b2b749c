"""Parsing of typed answers of every type."""

import pytest

from survey.questionnaires.answering.answers import AnswerError, format_cell, parse, parse_cell
from survey.questionnaires.answering.units import FAMILIES
from survey.questionnaires.loader import load_codelist
from tests.survey.questionnaires.conftest import make_item

QUANTITY, MONEY, COUNT, RATIO = (make_item(kind) for kind in ("quantity", "money", "count", "ratio"))
COMPUTE = make_item("quantity", unit="PFLOPS", units=FAMILIES["compute"].codes)
CALLS = make_item("quantity", unit="万次", units=())
TOKENS = make_item("quantity", unit="亿个", units=FAMILIES["tokens"].codes)


@pytest.mark.parametrize(
    ("item", "text", "value"),
    [
        (QUANTITY, "１２３", "123"),
        (QUANTITY, "１，２３４．５", "1234.5"),
        (QUANTITY, "1,234,567.89", "1234567.89"),
        (QUANTITY, "3.2 PB", "3276.8"),
        (QUANTITY, "3.2pb", "3276.8"),
        (QUANTITY, "３．２ＰＢ", "3276.8"),
        (QUANTITY, "3.2拍字节", "3276.8"),
        (QUANTITY, "32亿", "3200000000"),
        (QUANTITY, "3.2万TB", "32000"),
        (QUANTITY, "1 234.5", "1234.5"),
        (QUANTITY, "1\u00a0234", "1234"),
        (QUANTITY, "  7 ", "7"),
        (QUANTITY, "+7", "7"),
        (QUANTITY, ".5", "0.5"),
        (QUANTITY, "5.", "5"),
        (QUANTITY, "007.500", "7.5"),
        (QUANTITY, "0", "0"),
        (QUANTITY, "-0", "0"),
        (QUANTITY, "0.01GB", "0.000009765625"),
        (QUANTITY, "1e5", "100000"),
        (QUANTITY, "1.5E+3 PB", "1536000"),
        (QUANTITY, "3拍", "3072"),
        (QUANTITY, "2 PiB", "2048"),
        (QUANTITY, "三千二百", "3200"),
        (QUANTITY, "叁仟贰佰PB", "3276800"),
        (QUANTITY, "1亿2000万", "120000000"),
        (QUANTITY, "120\n", "120"),
        (COMPUTE, "5000 TFLOPS", "5"),
        (COMPUTE, "1.5艾", "1500"),
        (COMPUTE, "3拍", "3"),
        (CALLS, "5000次", "0.5"),
        (CALLS, "3亿", "30000"),
        (CALLS, "3.2亿次", "32000"),
        (CALLS, "7", "7"),
        (TOKENS, "三亿", "3"),
        (TOKENS, "1亿2000万", "1.2"),
        (MONEY, "两千万元", "2000"),
        (MONEY, "两千万", "2000"),
        (MONEY, "1亿2000万元", "12000"),
        (MONEY, "3百万元", "300"),
        (MONEY, "5千元", "0.5"),
        (RATIO, "百分之三十五", "35"),
        (QUANTITY, "1" + "0" * 24, "1" + "0" * 24),
        (TOKENS, "32亿", "32"),
        (TOKENS, "3.2万亿个", "32000"),
        (TOKENS, "5", "5"),
        (MONEY, "3.2亿", "32000"),
        (MONEY, "3.2亿元", "32000"),
        (MONEY, "1200元", "0.12"),
        (MONEY, "12.50", "12.5"),
        (MONEY, "5万元", "5"),
        (COUNT, "3万人", "30000"),
        (COUNT, "12人", "12"),
        (COUNT, "12.0", "12"),
        (RATIO, "35.5%", "35.5"),
        (RATIO, "３５．５％", "35.5"),
    ],
)
def test_parse_number(item, text, value):
    assert parse(item, text)["value"] == value


@pytest.mark.parametrize(
    "item", [QUANTITY, MONEY, COUNT, RATIO, TOKENS], ids=lambda item: item.type + item.unit
)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1e400", "not_a_number"),
        ("1" + "0" * 30, "too_large"),
        ("9" * 500, "too_large"),
        ("-5", "negative"),
        ("－５", "negative"),
        ("\u22125", "negative"),
        ("<script>", "not_a_number"),
        ("1<script>", "not_a_number"),
        ("3,2", "decimal_comma"),
        ("1,23,456", "separator"),
        ("1.234,5", "decimal_comma"),
        ("NaN", "not_a_number"),
        ("Infinity", "not_a_number"),
        ("inf", "not_a_number"),
        ("0x10", "not_a_number"),
        ("1_000", "not_a_number"),
        ("三千五", "numerals"),
        ("三万五", "numerals"),
        ("一二", "numerals"),
        ("0,123", "decimal_comma"),
        ("5600,50", "decimal_comma"),
        ("120\n340", "several_values"),
        ("120\t340", "several_values"),
        ("¥1,200", "currency"),
        ("无", "nothing"),
        ("90 PB 左右", "not_a_number"),
        ("١٢", "not_a_number"),
        ("--5", "not_a_number"),
        ("12 34", "blanks"),
        ("1.2.3", "not_a_number"),
        ("1\x00", "control_characters"),
        ("½", "not_a_number"),
        ("3.2 XB", "not_a_number"),
        ("约5", "not_a_number"),
        ("' OR 1=1", "not_a_number"),
        ("=1+1", "not_a_number"),
    ],
)
def test_parse_refuses_malformed_numbers(item, text, code):
    with pytest.raises(AnswerError) as caught:
        parse(item, text)
    assert caught.value.code == code
    assert caught.value.message("zh-hans") != caught.value.message("en")


@pytest.mark.parametrize("item", [QUANTITY, COUNT, make_item("text"), make_item("yesno"), make_item("date")])
@pytest.mark.parametrize("text", ["", " ", "\u00a0", "\t", "\u3000", "\u200b", "\ufeff "])
def test_parse_blank(item, text):
    assert parse(item, text) is None


@pytest.mark.parametrize(
    ("item", "text", "unit", "code"),
    [
        (QUANTITY, "3", "EFLOPS", "unknown_unit"),
        (QUANTITY, "3 EFLOPS", None, "unknown_unit"),
        (QUANTITY, "35%", None, "unknown_unit"),
        (QUANTITY, "500 MB", None, "small_unit"),
        (COUNT, "5万元", None, "unknown_unit"),
        (QUANTITY, "0.001", "GB", "too_many_decimals"),
        (QUANTITY, "0.1234567890123", None, "too_many_decimals"),
        (QUANTITY, "1000000000000000", "ZB", "too_large"),
        (MONEY, "1.234", None, "too_many_decimals"),
        (MONEY, "120元", None, "too_many_decimals"),  # 0.012 of 10,000 yuan, money keeps two places
        (COUNT, "3.5", None, "not_an_integer"),
    ],
)
def test_parse_refuses(item, text, unit, code):
    with pytest.raises(AnswerError) as caught:
        parse(item, text, unit)
    assert caught.value.code == code


def test_unit_in_the_text_overrides_the_unit_that_stood_there():
    assert parse(QUANTITY, "3.2 PB", "GB") == {"value": "3276.8", "entered": "3.2", "unit": "PB"}
    assert parse(QUANTITY, "3.2 PB", "GB", shown_units={"GB"}) == {
        "value": "3276.8",
        "entered": "3.2",
        "unit": "PB",
    }
    assert parse(QUANTITY, "3.2", "PB") == {"value": "3276.8", "entered": "3.2", "unit": "PB"}


def test_a_chosen_unit_that_contradicts_the_text_is_refused():
    with pytest.raises(AnswerError) as caught:
        parse(QUANTITY, "84 PB", "GB", shown_units={"TB"})
    assert caught.value.code == "two_units"
    assert "GB" in caught.value.message("zh-hans")


def test_a_unit_that_the_field_does_not_offer_is_converted():
    assert parse(CALLS, "5000次") == {"value": "0.5", "entered": "0.5", "unit": "万次"}
    assert parse(COMPUTE, "1 TFLOPS") == {"value": "0.001", "entered": "0.001", "unit": "PFLOPS"}


def test_an_amount_too_small_for_the_units_is_answered_with_the_amount_that_can_be_kept():
    with pytest.raises(AnswerError) as caught:
        parse(QUANTITY, "500 MB")
    assert "0.49 GB" in caught.value.message("en")
    assert "GB、TB、PB、EB、ZB" in caught.value.message("zh-hans")


def test_a_signed_item_takes_negative_numbers():
    assert parse(make_item("money", signed=True), "-12.5") == {"value": "-12.5"}


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2019-05", "2019-05"),
        ("2019/5", "2019-05"),
        ("2019年5月", "2019-05"),
        ("２０１９．５", "2019-05"),
        ("201905", "2019-05"),
        ("2019-05-31", "2019-05"),
        ("1949-10", "1949-10"),
        ("二〇一九年五月", "2019-05"),
        ("2019年12月31日", "2019-12"),
        ("20190531", "2019-05"),
        ("2019-05-31 00:00:00", "2019-05"),
    ],
)
def test_parse_month(text, month):
    assert parse(make_item("date"), text) == {"value": month}


@pytest.mark.parametrize(
    "text",
    [
        "2019",
        "2019-13",
        "2019-0",
        "5/2019",
        "1492-10",
        "yesterday",
        "2019-5-",
        "19-05",
        "2019-02-31",
        "2019-1 1",
    ],
)
def test_parse_month_refuses(text):
    with pytest.raises(AnswerError) as caught:
        parse(make_item("date"), text)
    assert caught.value.code == "bad_date"


@pytest.mark.parametrize(
    ("text", "value"), [("是", True), ("yes", True), ("True", True), ("否", False), ("0", False)]
)
def test_parse_yesno(text, value):
    assert parse(make_item("yesno"), text) == {"value": value}


def test_choice_and_multi_follow_the_code_list(holding):
    choice = make_item("choice", codelist="holding_types", choices=holding)
    multi = make_item("multi", codelist="holding_types", choices=holding)
    assert parse(choice, "１") == {"value": "1"}
    assert parse_cell(multi, {"value": ["3", "1", "3"]}) == {"value": ["1", "3"]}
    assert parse(multi, "3、1") == {"value": ["1", "3"]}
    assert parse_cell(multi, {"value": []}) is None
    for item in (choice, multi):
        with pytest.raises(AnswerError) as caught:
            parse(item, "77")
        assert caught.value.code == "not_in_list"


def test_only_a_listed_industry_is_accepted():
    item = make_item("choice", codelist="industries", choices=load_codelist("industries"))
    assert parse(item, "3919") == {"value": "3919"}
    for code in ("0199", "6510", "9911", "39", "39111", "391a"):
        with pytest.raises(AnswerError):
            parse(item, code)
    assert format_cell(item, {"value": "6513"}, "zh") == load_codelist("industries").label("6513", "zh")


def test_text_keeps_its_characters_and_refuses_what_cannot_be_stored():
    item = make_item("text")
    assert parse(item, "  <script>alert(1)</script>\r\n第二行 ") == {
        "value": "<script>alert(1)</script>\n第二行"
    }
    assert parse(item, "Ａ（全角）") == {"value": "Ａ（全角）"}
    for text, code in (
        ("a\x00b", "control_characters"),
        ("a\ud800", "control_characters"),
        ("字" * 2001, "too_long"),
    ):
        with pytest.raises(AnswerError) as caught:
            parse(item, text)
        assert caught.value.code == code
    assert len(parse(item, "字" * 2000)["value"]) == 2000
