"""What units add to an estimate adds up to the estimate that the run stored."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from estimation.runs.compute.arrays import Year
from estimation.runs.compute.cells import Cell
from estimation.runs.compute.contributions import contributions_of
from estimation.runs.compute.pipeline import Result, compute, prepare_years
from estimation.runs.compute.spec import RunSpec, Winsorization
from tests.estimation.runs.random_years import random_years

SPEC = RunSpec(winsorization=Winsorization("winsorize", 0.05, 0.95, minimum=10))


@pytest.fixture(scope="module")
def result() -> Result:
    return compute(*random_years(11, size=12), SPEC)


def estimates(result: Result, statistic: str) -> list[tuple[Cell, float, int]]:
    columns = result.estimates
    return [
        (
            Cell(columns.year[row], columns.variable[row], statistic, columns.kind[row], columns.code[row]),
            float(columns.numbers["value"][row]),
            int(columns.numbers["n"][row]),
        )
        for row in range(len(columns))
        if columns.statistic[row] == statistic and columns.year[row] == 2025
    ]


@pytest.mark.parametrize(
    "statistic",
    ["total", "mean", "proportion", "ratio", "multiple", "level_growth", "panel_growth", "panel_simple"],
)
def test_every_stored_estimate_is_reproduced(result: Result, statistic: str) -> None:
    cells = estimates(result, statistic)
    rng = np.random.default_rng(1)
    chosen = rng.choice(len(cells), min(150, len(cells)), replace=False)
    for cell, value, n in (cells[index] for index in chosen):
        actual = contributions_of(list(result.years), SPEC, cell)
        assert actual is not None, cell
        assert actual.value == pytest.approx(value, rel=1e-9, abs=1e-9), cell
        assert actual.n == n, cell
        size = np.abs(actual.effect)
        assert (np.diff(size) <= 0).all()
        total = 0.0 if cell.is_quotient else value
        if cell.statistic == "level_growth" and ("/" in cell.variable or cell.variable == "T01"):
            total = 0.0
        assert actual.effect.sum() == pytest.approx(total, rel=1e-9, abs=1e-9 * max(size.sum(), 1.0)), cell


def test_the_growth_of_a_quotient_is_taken_apart_by_its_derivatives(result: Result) -> None:
    """R / R' - 1 with R = Y / X: a unit adds w (y - R x) / X / R' of this year, and of last year the same by R'
    times -R / R'^2. The sum alone, which is zero, would not show a wrong factor."""
    cells = [cell for cell, *_rest in estimates(result, "level_growth") if "/" in cell.variable]
    cells += [cell for cell, *_rest in estimates(result, "level_growth") if cell.variable == "T01"]
    assert {cell.variable for cell in cells} >= {"D01/S02", "T01"}
    for cell in cells[:: len(cells) // 40]:
        actual = contributions_of(list(result.years), SPEC, cell)
        assert actual is not None and actual.before is not None
        parts = []
        for side in (actual.now, actual.before):
            weight, y, x = (np.nan_to_num(column) for column in (side.weight, side.used, side.base))
            quotient = (weight @ y) / (weight @ x)
            parts.append((quotient, weight * (y - quotient * x) / (weight @ x)))
        (value, influence), (old, old_influence) = parts
        assert actual.value == pytest.approx(value / old - 1.0)
        np.testing.assert_allclose(
            actual.effect, influence / old - old_influence * value / old**2, rtol=1e-9, atol=1e-12
        )


def test_a_few_items_read_alone_give_the_same_numbers(result: Result) -> None:
    now, before = random_years(11, size=12)
    cell = Cell(2025, "P03+P04", "level_growth", "region", "110000")
    expected = cell.variables(SPEC)
    assert expected == ("P03", "P04")
    prepared = prepare_years(_only(now, expected), _only(before, expected), SPEC)
    alone, total = contributions_of(prepared, SPEC, cell), contributions_of(list(result.years), SPEC, cell)
    assert alone is not None and total is not None
    np.testing.assert_array_equal(alone.effect, total.effect)


def _only(year: Year, codes: Sequence[str]) -> Year:
    positions = [[item.code for item in year.items].index(code) for code in codes]
    return replace(year, items=tuple(year.items[p] for p in positions), values=year.values[:, positions])


def test_what_is_not_there_is_none(result: Result) -> None:
    prepared = list(result.years)
    for cell in (
        Cell(2025, "X99", "total", "nation", "all"),
        Cell(2025, "P01", "total", "nation", "moon"),
        Cell(2025, "P01", "median", "nation", "all"),
        Cell(2025, "D01/X99", "ratio", "nation", "all"),
        Cell(2025, "P01", "multiple", "nation", "all"),
    ):
        assert contributions_of(prepared, SPEC, cell) is None
    assert contributions_of(prepared[:1], SPEC, Cell(2025, "P01", "level_growth", "nation", "all")) is None


def test_treated_and_filled_units_say_so(result: Result) -> None:
    actual = contributions_of(list(result.years), SPEC, Cell(2025, "P01", "total", "nation", "all"))
    assert actual is not None
    assert actual.now.moved.any() and actual.now.filled.any()
    assert not (actual.now.moved & actual.now.filled).any()
    assert actual.cumulative[-1] == pytest.approx(1.0)
