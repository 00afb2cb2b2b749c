"""Groups, rounding and places of the comparison."""

from decimal import Decimal

import pytest

from estimation.peers import boxes, compute

QUARTILES = (10.0, 100.0, 1000.0)


@pytest.mark.parametrize(
    ("category", "section", "size", "expected"),
    [
        ("CAT13", "C", "micro", ("section_size:C.small", "section:C", "size:small")),
        ("CAT06", "D", "", ("section:D",)),
        ("CAT13", "", "large", ("size:large",)),
        ("CAT03", "P", "", ("category:CAT03",)),
        ("CAT14", "S", "large", ("category:CAT14",)),
    ],
)
def test_the_closest_group_comes_first(
    category: str, section: str, size: str, expected: tuple[str, ...]
) -> None:
    assert compute.chain(category=category, section=section, size=size) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(123456.0, "123000"), (99.95, "100.0"), (2.675, "2.68"), (0.00123456, "0.00123"), (10.0, "10.0")],
)
def test_three_significant_digits(value: float, expected: str) -> None:
    assert compute.significant(value) == expected


def test_shown_text_keeps_only_digits_that_say_something() -> None:
    shown = [compute.plain(Decimal(one)) for one in ("123000", "10.0", "0.00123", "1230.50", "100")]
    assert shown == ["123,000", "10", "0.00123", "1,230.5", "100"]


def test_a_rate_needs_a_base() -> None:
    assert compute.value_of({"D01": 3.0, "S02": 4.0}, "D01/S02") == 0.75
    assert compute.value_of({"D01": 3.0, "S02": 0.0}, "D01/S02") is None
    assert compute.value_of({"D01": 3.0}, "D01/S02") is None
    assert compute.value_of({"P01": 0.0}, "P01") == 0.0


@pytest.mark.parametrize(
    ("own", "expected"), [(0, 0), (5, 1), (10, 1), (11, 2), (100, 2), (101, 3), (1000, 3), (1001, 4)]
)
def test_quarter(own: float, expected: int) -> None:
    assert boxes.quarter(own, QUARTILES) == expected


def test_box_is_logarithmic_and_holds_the_unit() -> None:
    found = boxes.box(100_000.0, QUARTILES)
    assert found.own == pytest.approx(boxes.WIDTH - boxes.MARGIN)
    assert found.lower == pytest.approx(boxes.MARGIN)
    assert found.middle - found.lower == pytest.approx(found.upper - found.middle)
    assert boxes.box(0.0, QUARTILES).own is None
    # Equal quartiles are a thin box and no division by nothing.
    assert boxes.box(7.0, (7.0, 7.0, 7.0)).span == 2.0
