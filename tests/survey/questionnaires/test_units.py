"""Units: exact conversion both ways for every unit, and what is read back to the respondent."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.questionnaires.answering.units import (
    FAMILIES,
    convert,
    find_unit,
    format_number,
    plain,
    read_back,
    rounded,
    unit_label,
)

PAIRS = [(a, b) for family in FAMILIES.values() for a in family.codes for b in family.codes]
NUMBERS = st.decimals(min_value=0, max_value=10**24, allow_nan=False, allow_infinity=False, places=12)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@settings(max_examples=15)
@given(value=NUMBERS)
def test_conversion_is_exact_and_comes_back(source, target, value):
    there = convert(value, source, target)
    factors = {unit.code: unit.factor for family in FAMILIES.values() for unit in family.units}
    assert Fraction(there) == Fraction(value) * Fraction(factors[source]) / Fraction(factors[target])
    assert convert(there, target, source) == value


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("3.2", "PB", "TB", "3276.8"),
        ("1", "ZB", "TB", "1073741824"),
        ("1", "GB", "TB", "0.0009765625"),
        ("400", "PB", "TB", "409600"),  # the report's own example
        ("1590", "EFLOPS", "PFLOPS", "1590000"),
        ("30", "万亿个", "亿个", "300000"),
        ("1", "亿元", "万元", "10000"),
        ("5", "PFLOPS(FP16)", "EFLOPS", "0.005"),
    ],
)
def test_known_conversions(value, source, target, expected):
    assert convert(Decimal(value), source, target) == Decimal(expected)


@pytest.mark.parametrize(("source", "target"), [("TB", "万元"), ("TB", "PFLOPS"), ("家", "TB"), ("TB", "")])
def test_conversion_between_families_is_refused(source, target):
    with pytest.raises(ValueError, match="no conversion"):
        convert(Decimal(1), source, target)


@pytest.mark.parametrize(
    ("value", "unit", "language", "expected"),
    [
        ("3.2", "PB", "en", "3.2 PB = 3,276.8 TB"),
        ("3276.8", "TB", "zh-hans", "3,276.8 TB = 3.2 PB（千 TB 级）"),
        ("12", "TB", "en", "12 TB"),
        ("1", "GB", "en", "1 GB ≈ 0.001 TB"),
        ("0.002", "GB", "en", "0.002 GB ≈ 0.000002 TB"),
        ("5600.5", "万元", "zh-hans", "5,600.5 万元（千万元级）"),
        ("12", "万元", "en", "12 × 10,000 yuan (hundreds of thousands of yuan)"),
        ("30000", "人", "zh-hans", "30,000 人（万人级）"),
        ("0.5", "万次", "en", "0.5 ten thousand calls = 5,000 calls (thousands of calls)"),
        ("35", "%", "zh-hans", "35 % = 0.35"),
        ("12000", "PFLOPS(FP16)", "zh-hans", "12,000 PFLOPS(FP16) = 12 EFLOPS（万 PFLOPS 级）"),
        ("0", "TB", "en", "0 TB"),
        ("2.5", "亿元", "zh-hans", "2.5 亿元 = 25,000 万元（亿元级）"),
        ("7", "家", "en", "7 organisations"),
        ("1.5", "万亿个", "en", "1.5 trillion = 15,000 hundred million (trillions)"),
    ],
)
def test_read_back(value, unit, language, expected):
    assert read_back(Decimal(value), unit, language) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("pb", "PB"), (" PB ", "PB"), ("拍字节", "PB"), ("P", "PB"), ("KB", None), ("", None), ("EFLOPS", None)],
)
def test_find_unit(text, expected):
    assert find_unit(text, FAMILIES["data"].codes) == expected


def test_unit_label_keeps_the_precision_note():
    assert unit_label("PFLOPS(FP16)", "en") == "PFLOPS(FP16)"
    assert unit_label("标准机架", "en") == "standard racks"
    assert unit_label("箱", "en") == "箱"


@pytest.mark.parametrize(
    ("value", "decimals", "fixed", "expected"),
    [
        ("1234567.8900", None, False, "1,234,567.89"),
        ("0.00005", 4, False, "0.0001"),  # half up
        ("12.5", 2, True, "12.50"),
        ("-1234.5", None, False, "-1,234.5"),
        ("-0.5", None, False, "-0.5"),
        ("0", 2, True, "0.00"),
        ("1E+3", None, False, "1,000"),
    ],
)
def test_format_number(value, decimals, fixed, expected):
    assert format_number(Decimal(value), decimals, fixed=fixed) == expected


@given(NUMBERS)
def test_plain_is_canonical(value):
    text = plain(value)
    assert Decimal(text) == value and "E" not in text and not (("." in text) and text.endswith(("0", ".")))


def test_rounded_is_half_up_even_for_large_numbers():
    assert rounded(Decimal("999999999999999999999999.00005"), 4) == Decimal("999999999999999999999999.0001")
