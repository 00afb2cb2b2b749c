"""Numbers as people write them: one meaning, or an error that says why."""

from decimal import Decimal

import pytest

from survey.notation.errors import NotationError
from survey.notation.numbers import parse_decimal, split_number


@pytest.mark.parametrize(
    ("text", "number", "suffix"),
    [
        ("3.2", "3.2", ""),
        ("１，２３４．５", "1234.5", ""),
        ("1 234 567", "1234567", ""),
        ("1'234'567", "1234567", ""),
        ("1\u2009234", "1234", ""),
        ("\u22125", "-5", ""),
        ("84PB", "84", "PB"),
        ("84\tPB", "84", "PB"),
        (" \t120\n", "120", ""),
        ("35 %", "35", "%"),
        ("1e5", "100000", ""),
        ("1.5E-2", "0.015", ""),
        ("2E", "2", "E"),
        ("三千二百", "3200", ""),
        ("十二", "12", ""),
        ("一百一十", "110", ""),
        ("二百零五", "205", ""),
        ("一千零五十", "1050", ""),
        ("叁仟贰佰", "3200", ""),
        ("三点一四", "3.14", ""),
        ("零", "0", ""),
        ("两千万元", "20000000", "元"),
        ("二千零三十万", "20300000", ""),
        ("1亿2000万", "120000000", ""),
        ("3万2千人", "32000", "人"),
        ("3.2千万", "32000000", ""),
        ("百分之三十五", "35", "%"),
    ],
)
def test_a_number_and_what_follows_it(text: str, number: str, suffix: str) -> None:
    written = split_number(text)
    assert (written.number, written.suffix) == (Decimal(number), suffix)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("120\n340", "several_values"),
        ("120\r\n340", "several_values"),
        ("120\t340", "several_values"),
        ("120\u2028340", "several_values"),
        ("12 34", "blanks"),
        ("1234 567", "blanks"),
        ("1 2345", "blanks"),
        ("5600,50", "decimal_comma"),
        ("0,123", "decimal_comma"),
        ("0,5", "decimal_comma"),
        ("1.234,56", "decimal_comma"),
        ("1 234,5", "decimal_comma"),
        ("1,23,456", "separator"),
        ("1,0000,0000", "separator"),
        ("1,234 567", "separator"),
        ("三万五", "numerals"),
        ("三千五", "numerals"),
        ("一百二", "numerals"),
        ("1万5", "numerals"),
        ("2000万1亿", "numerals"),
        ("一二", "numerals"),
        ("十百", "numerals"),
        ("¥1200", "currency"),
        ("RMB 1200", "currency"),
        ("无", "nothing"),
        ("—", "nothing"),
        ("Nil", "nothing"),
        ("约5", "not_a_number"),
        (">5", "not_a_number"),
        ("1..2", "not_a_number"),
        ("", "not_a_number"),
        ("9" * 90, "too_large"),
        ("1\x00", "control_characters"),
    ],
)
def test_what_could_be_another_number_is_not_read(text: str, code: str) -> None:
    with pytest.raises(NotationError) as caught:
        split_number(text)
    assert caught.value.code == code


def test_a_decimal_comma_is_answered_with_the_number_that_was_probably_meant() -> None:
    with pytest.raises(NotationError) as caught:
        split_number("1.234,56")
    assert caught.value.parameters["meant"] == "1234.56"


def test_a_plain_number_has_nothing_behind_it() -> None:
    assert parse_decimal("5,600.50") == Decimal("5600.50")
    with pytest.raises(NotationError):
        parse_decimal("5600 元")


def test_amounts_are_exact() -> None:
    digits = "1234567890123456789012345678901.5"
    assert split_number(f"{digits}亿").number == Decimal(digits + "e8")
