"""How far the largest units make a total up: by hand, with weights, twins and what is no contribution."""

import numpy as np
import pytest

from estimation.releases.disclosure.contributors import KINDS, concentration_of, concentrations
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.compute.treat import treat
from estimation.runs.compute.weigh import weigh
from survey.classification import REGIONS
from tests.estimation.runs.random_years import ITEMS, random_years


def by_hand(value: list[float], weight: list[float], codes: list[int], size: int = 1) -> list[list[float]]:
    """Units, share of the largest and of the two largest of each domain."""
    found = concentration_of(np.array(value), np.array(weight), np.array(codes), size)
    return [[one.units, round(one.largest, 6), round(one.two_largest, 6)] for one in found]


def test_shares_of_every_domain() -> None:
    value, codes = [60.0, 30.0, 10.0, 8.0, 2.0], [0, 0, 0, 1, 1]
    assert by_hand(value, [1.0] * 5, codes, 3) == [[3, 0.6, 0.9], [2, 0.8, 1.0], [0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("weight", "largest", "two_largest"),
    [
        (1.0, 0.5, 0.75),  # 20 of 40; 20 and 10
        (1.9, 20 / 58, 30 / 58),  # no whole unit of its size beside it
        (2.0, 20 / 60, 40 / 60),  # stands for a second one of its own size
        (0.5, 0.5, 0.75),  # a unit is at least itself in the total
    ],
)
def test_a_unit_of_weight_two_stands_beside_a_twin(weight: float, largest: float, two_largest: float) -> None:
    found = by_hand([20.0, 10.0, 10.0], [weight, 1.0, 1.0], [0, 0, 0])
    assert found == [[3, pytest.approx(largest, abs=1e-6), pytest.approx(two_largest, abs=1e-6)]]


def test_who_reports_nothing_or_lies_outside_contributes_nothing() -> None:
    value = [60.0, 39.5, 0.5, 0.0, -5.0, 1000.0, np.nan]
    assert by_hand(value, [1.0] * 7, [0, 0, 0, 0, 0, -1, 0]) == [[3, 0.6, 0.995]]


def test_amounts_of_every_published_domain_and_crossings_of_the_crossed_items() -> None:
    year, _before = random_years(1)
    spec = RunSpec(crossed=("P01",), winsorization=Winsorization("none"))
    found = concentrations(year, spec)
    amounts = {item.code for item in ITEMS if item.kind in {"quantity", "money"}}
    assert {variable for variable, _kind, _code in found} == amounts
    kinds = {code: {kind for variable, kind, _code in found if variable == code} for code in amounts}
    assert kinds["P01"] == {*KINDS, "region_section"}
    assert kinds["S02"] == set(KINDS)
    weighted = weigh(year, spec)
    weight, value = weighted.sample.weight, treat(year, weighted, spec).values[:, 0]
    for place in np.unique(year.region).tolist():
        held = (year.region == place) & (value > 0)
        one = found["P01", "region", REGIONS[place]]
        assert one.units == held.sum() > 0
        whole = (value * np.maximum(weight, 1.0))[held].sum()
        assert one.largest == pytest.approx(value[held].max() / whole)
