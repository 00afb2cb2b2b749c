"""Size classes by the 2017 rules: the table of the reference, its boundaries, the step down."""

from decimal import Decimal

import pytest

from survey.questionnaires.size import section_of, size_class

# industry, employees, turnover, assets (10,000 yuan), class
TABLE = [
    # A: turnover only
    ("0111", 1, 20000, 0, "large"),
    ("0111", 9999, 19999, 0, "medium"),
    ("0111", 1, 500, 0, "medium"),
    ("0111", 1, 499, 0, "small"),
    ("0111", 1, 50, 0, "small"),
    ("0111", 1, Decimal("49.99"), 0, "micro"),
    # B, C, D: employees and turnover
    ("3911", 1000, 40000, 0, "large"),
    ("3911", 999, 40000, 0, "medium"),
    ("3911", 1000, 39999, 0, "medium"),
    ("0610", 300, 2000, 0, "medium"),
    ("4411", 299, 2000, 0, "small"),
    ("4620", 20, 300, 0, "small"),
    ("3911", 19, 300, 0, "micro"),
    ("3911", 20, 299, 0, "micro"),
    # the underline: one indicator of a high class never lifts the other
    ("3911", 5000, 1999, 0, "small"),
    ("3911", 5000, 299, 0, "micro"),
    ("3911", 10, 90000, 0, "micro"),
    # E: turnover and assets
    ("4710", 1, 80000, 80000, "large"),
    ("4710", 1, 80000, 79999, "medium"),
    ("4710", 1, 6000, 5000, "medium"),
    ("4710", 1, 6000, 4999, "small"),
    ("5090", 1, 300, 300, "small"),
    ("5090", 1, 300, 299, "micro"),
    # F: wholesale and retail differ
    ("5111", 200, 40000, 0, "large"),
    ("5111", 20, 5000, 0, "medium"),
    ("5111", 5, 1000, 0, "small"),
    ("5111", 4, 1000, 0, "micro"),
    ("5211", 300, 20000, 0, "large"),
    ("5211", 50, 500, 0, "medium"),
    ("5211", 10, 100, 0, "small"),
    ("5211", 9, 100, 0, "micro"),
    # G: transport, railways outside the rules, storage, post
    ("5412", 1000, 30000, 0, "large"),
    ("5810", 300, 3000, 0, "medium"),
    ("5531", 20, 200, 0, "small"),
    ("5310", 300, 0, 0, "large"),
    ("5941", 200, 30000, 0, "large"),
    ("5941", 100, 1000, 0, "medium"),
    ("6010", 1000, 30000, 0, "large"),
    ("6010", 300, 2000, 0, "medium"),
    ("6010", 300, 1999, 0, "small"),
    # H
    ("6110", 300, 10000, 0, "large"),
    ("6210", 100, 2000, 0, "medium"),
    ("6210", 99, 2000, 0, "small"),
    # I: transmission and software differ
    ("6311", 2000, 100000, 0, "large"),
    ("6410", 1999, 100000, 0, "medium"),
    ("6311", 100, 1000, 0, "medium"),
    ("6513", 300, 10000, 0, "large"),
    ("6513", 100, 1000, 0, "medium"),
    ("6513", 10, 50, 0, "small"),
    ("6513", 10, 49, 0, "micro"),
    # K: development, property management, agencies
    ("7010", 1, 200000, 10000, "large"),
    ("7010", 1, 200000, 9999, "medium"),
    ("7010", 1, 1000, 5000, "medium"),
    ("7010", 1, 100, 2000, "small"),
    ("7010", 1, 100, 1999, "micro"),
    ("7020", 1000, 5000, 0, "large"),
    ("7020", 300, 1000, 0, "medium"),
    ("7020", 100, 500, 0, "small"),
    ("7020", 99, 500, 0, "micro"),
    ("7030", 300, 0, 0, "large"),
    ("7090", 100, 0, 0, "medium"),
    # L: employees and assets
    ("7111", 300, 0, 120000, "large"),
    ("7211", 300, 0, 119999, "medium"),
    ("7211", 100, 0, 8000, "medium"),
    ("7211", 10, 0, 100, "small"),
    ("7211", 10, 0, 99, "micro"),
    # the rest: employees
    ("7310", 300, 0, 0, "large"),
    ("8610", 100, 0, 0, "medium"),
    ("8510", 10, 0, 0, "small"),
    ("8010", 9, 0, 0, "micro"),
    ("6621", 300, 0, 0, "large"),
    ("8310", 100, 0, 0, "medium"),
]


@pytest.mark.parametrize(("industry", "employees", "turnover", "assets", "expected"), TABLE)
def test_size_class_of_the_reference_table(industry, employees, turnover, assets, expected):
    assert size_class(industry, employees, turnover, assets)[0] == expected


def test_basis_names_the_rule_and_its_bounds():
    assert size_class("6513", 300, 10000)[1] == "software: X>=300, Y>=10000"
    assert size_class("6513", 1, 1)[1] == "software: X<10 or Y<50"
    assert "outside_rules" in size_class("6621", 300)[1]


def test_an_indicator_that_the_rule_does_not_use_may_be_missing():
    assert size_class("0111", 5, 600)[0] == "medium"


@pytest.mark.parametrize(("industry", "args"), [("3911", (10,)), ("4710", (10, 100)), ("7211", (10, 5))])
def test_a_needed_indicator_may_not_be_missing(industry, args):
    with pytest.raises(ValueError, match="needs"):
        size_class(industry, *args)


@pytest.mark.parametrize("code", ["", "9", "98", "9999", "0011", "abcd", "39111", "３９１１"])
def test_no_such_industry(code):
    with pytest.raises(ValueError):
        size_class(code, 1, 1, 1)


def test_section_of_covers_all_97_divisions():
    letters = "".join(section_of(f"{division:02d}") for division in range(1, 98))
    assert len(letters) == 97 and sorted(set(letters)) == list("ABCDEFGHIJKLMNOPQRST")
    assert [letters.count(c) for c in "ACGIST"] == [5, 31, 8, 3, 6, 1]
    assert section_of("00") == section_of("98") == section_of("x") == ""
