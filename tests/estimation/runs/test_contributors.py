"""How far the largest units make a total up: by hand, with weights, twins and what is no contribution."""

import numpy as np
import pytest

from estimation.methods import primary_cells
from estimation.methods.arrays import Floats, Ints
from estimation.runs.compute.arrays import Domain, crossed_domain, domains_of
from estimation.runs.compute.contributors import KINDS, contributors_of, shares_of
from estimation.runs.compute.pipeline import prepare_years
from estimation.runs.compute.spec import RunSpec, Winsorization
from tests.estimation.runs.random_years import ITEMS, random_years


def by_hand(value: list[float], weight: list[float], codes: list[int], size: int = 1) -> list[list[float]]:
    """Units, share of the largest and of the two largest of each domain."""
    result = shares_of(np.array(value)[:, None], np.array(weight), np.array(codes), size)
    columns = (result.units[:, 0], result.largest[:, 0].round(6), result.two_largest[:, 0].round(6))
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def test_shares_of_every_domain() -> None:
    value, codes = [60.0, 8.0, 30.0, 10.0, 2.0], [0, 1, 0, 0, 1]
    assert by_hand(value, [1.0] * 5, codes, 3) == [[3, 0.6, 0.9], [2, 0.8, 1.0], [0, 0.0, 0.0]]
    assert by_hand(value, [1.0] * 5, [-1] * 5) == [[0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("weight", "largest", "two_largest"),
    [
        (1.0, 0.5, 0.75),  # 20 of 40; 20 and 10
        (1.9, 20 / 58, 30 / 58),  # no whole unit of its size beside it
        (2.0, 20 / 60, 40 / 60),  # stands for a second one of its own size
        (0.5, 0.5, 0.75),  # a unit is at least itself in the total
    ],
)
def test_a_unit_of_weight_two_counts_as_two_units(weight: float, largest: float, two_largest: float) -> None:
    result = by_hand([20.0, 10.0, 10.0], [weight, 1.0, 1.0], [0, 0, 0])
    assert result == [[3, pytest.approx(largest, abs=1e-6), pytest.approx(two_largest, abs=1e-6)]]


def test_the_twin_of_the_second_unit_is_no_larger_than_the_first() -> None:
    assert by_hand([20.0, 10.0], [1.0, 3.0], [0, 0]) == [[2, 0.4, 0.6]]
    assert by_hand([20.0, 20.0, 10.0], [1.0, 1.0, 1.0], [0, 0, 0]) == [[3, 0.4, 0.8]]


def test_who_reports_nothing_or_lies_outside_contributes_nothing() -> None:
    value = [60.0, 39.5, 0.5, 0.0, -5.0, 1000.0, np.nan]
    assert by_hand(value, [1.0] * 7, [0, 0, 0, 0, 0, -1, 0]) == [[3, 0.6, 0.995]]


def by_library(value: Floats, weight: Floats, codes: Ints, size: int) -> list[tuple[int, float, float]]:
    """Units and shares from the library's rules for unweighted contributions, twins added one by one."""
    inside = np.flatnonzero((codes >= 0) & (value > 0))
    amount, code, times = value[inside], codes[inside], weight[inside]
    twins = times >= 2.0
    cells = primary_cells(np.append(amount, amount[twins]), np.append(code, code[twins]), cells=size)
    units = np.bincount(code, minlength=size)
    total = np.bincount(code, weights=amount * np.maximum(times, 1.0), minlength=size)
    scale = cells.total / np.where(total > 0, total, 1.0)
    columns = (units, cells.largest * scale, cells.two_largest * scale)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_amounts_of_every_published_domain_and_crossings_of_the_crossed_items(seed: int) -> None:
    spec = RunSpec(crossed=("P01",), winsorization=Winsorization("none"))
    prepared = prepare_years(random_years(seed)[0], None, spec)[0]
    amounts = [item.code for item in ITEMS if item.kind in {"quantity", "money"}]
    expected = {}

    def add(domain: Domain, code: str) -> None:
        value = prepared.treated.values[:, prepared.codes.index(code)]
        weight = prepared.weighted.sample.weight
        for label, result in zip(
            domain.labels, by_library(value, weight, domain.codes, len(domain.labels)), strict=True
        ):
            if result[0]:
                expected[code, domain.kind, label] = pytest.approx(result)

    for code in amounts:
        for domain in domains_of(prepared.year, KINDS):
            add(domain, code)
    add(crossed_domain(prepared.year), "P01")
    columns = contributors_of(prepared, spec)
    names = zip(columns.variable, columns.kind, columns.code, strict=True)
    numbers = zip(columns.units, columns.largest, columns.two_largest, strict=True)
    assert dict(zip(names, numbers, strict=True)) == expected
    assert {kind for _code, kind, _label in expected} == {*KINDS, "region_section"}
