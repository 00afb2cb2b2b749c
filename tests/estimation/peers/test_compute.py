"""Groups, rounding and places of the comparison."""

from decimal import Decimal

import numpy as np
import pytest

from estimation.methods import StratifiedSample
from estimation.peers import boxes, compute
from estimation.runs.compute.arrays import Domain
from estimation.runs.compute.contributors import Shares

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


def test_shown_text_drops_trailing_zeros() -> None:
    shown = [compute.plain(Decimal(entry)) for entry in ("123000", "10.0", "0.00123", "1230.50", "100")]
    assert shown == ["123,000", "10", "0.00123", "1,230.5", "100"]


def test_own_numbers_keep_what_can_be_read() -> None:
    shown = [compute.plain(compute.readable(entry)) for entry in (0.0, 7.0, 41.1449, 0.00123456, 1467795.0)]
    assert shown == ["0", "7", "41.14", "0.00123", "1,467,795"]


def test_a_rate_needs_a_base() -> None:
    assert compute.value_of({"D01": 3.0, "S02": 4.0}, "D01/S02") == 0.75
    assert compute.value_of({"D01": 3.0, "S02": 0.0}, "D01/S02") is None
    assert compute.value_of({"D01": 3.0}, "D01/S02") is None
    assert compute.value_of({"P01": 0.0}, "P01") == 0.0


def test_a_missing_value_is_no_zero() -> None:
    nan = float("nan")
    assert compute.value_of({}, "P01") is None and compute.value_of({"P01": nan}, "P01") is None
    assert compute.value_of({"S02": 4.0}, "D01/S02") is None
    assert compute.value_of({"D01": nan, "S02": 4.0}, "D01/S02") is None
    assert compute.value_of({"D01": 0.0, "S02": 4.0}, "D01/S02") == 0.0


@pytest.mark.parametrize(
    ("own", "expected"), [(0, 0), (5, 1), (10, 1), (11, 2), (100, 2), (101, 3), (1000, 3), (1001, 4)]
)
def test_quarter(own: float, expected: int) -> None:
    assert boxes.quarter(own, QUARTILES) == expected


def test_box_is_logarithmic_and_holds_the_unit() -> None:
    result = boxes.box(100_000.0, QUARTILES)
    assert result.own == pytest.approx(boxes.WIDTH - boxes.MARGIN)
    assert result.lower == pytest.approx(boxes.MARGIN)
    assert result.middle - result.lower == pytest.approx(result.upper - result.middle)
    assert boxes.box(0.0, QUARTILES).own is None
    # Equal quartiles are a thin box and no division by nothing.
    assert boxes.box(7.0, (7.0, 7.0, 7.0)).span == 2.0


LAX = compute.Guard(minimum=1, one=1.0, two=1.0)


def quartiles(values: list[float], guard: compute.Guard = LAX) -> list[int | str] | None:
    """What is shown of one group of equal weights."""
    count = len(values)
    sample = StratifiedSample(np.zeros(count, dtype=np.int64), np.array([float(count)]))
    domain = Domain("size", ("small",), np.zeros(count, dtype=np.int64))
    return compute._of_item(sample, [np.array(values)], domain, guard).get("size:small")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # F reaches 1/4 at the second of seven and 3/4 at the sixth.
        ([1, 2, 2, 4, 6, 6, 6], [7, "2.00", "4.00", "6.00"]),  # three units at or below, three at or above
        ([1, 2, 3, 4, 6, 6, 6], None),  # the lower quartile leaves one unit below itself
        ([1, 2, 2, 4, 5, 6, 7], None),  # the upper quartile leaves one unit above itself
        ([1, 2, 2, 4, 5, 6, 6], None),
    ],
)
def test_a_quartile_leaves_three_units_on_its_outer_side(
    values: list[float], expected: list[int | str] | None
) -> None:
    assert quartiles(values) == expected


def test_a_group_has_as_many_units_as_the_minimum_asks() -> None:
    values = [float(entry) for entry in range(1, 11)]
    assert quartiles(values, compute.Guard(10, 1.0, 1.0)) == [10, "3.00", "5.00", "8.00"]
    assert quartiles(values, compute.Guard(11, 1.0, 1.0)) is None
    # A unit that reports nothing is none of the group.
    assert quartiles([0.0, *values[1:]], compute.Guard(10, 1.0, 1.0)) is None


@pytest.mark.parametrize(
    ("units", "largest", "two_largest", "expected"),
    [
        (10, 0.70, 0.85, True),
        (9, 0.70, 0.85, False),
        (10, 0.701, 0.85, False),
        (10, 0.70, 0.851, False),
    ],
)
def test_a_group_at_the_limits_may_be_shown(
    units: int, largest: float, two_largest: float, expected: bool
) -> None:
    guard, limits = compute.Guard(10, 0.70, 0.85), (10, 0.70, 0.85)
    result = (units, largest, two_largest)
    # A rate is safe when both of its amounts are.
    for amounts in ([result], [result, limits], [limits, result]):
        shares = Shares(*(np.array([column]) for column in zip(*amounts, strict=True)))
        assert guard.passes(shares).tolist() == [expected]
