"""Errors of derived numbers: one component exactly, a total of two years with its covariance, several as a bound."""

import math
from dataclasses import replace
from typing import Any

import pytest

from estimation.releases.content.content import FrozenCell, Text
from estimation.releases.content.draft import NOTES, Draft, Material
from estimation.releases.content.estimates import Key, Source, Stored
from estimation.releases.content.evaluation import Evaluator
from estimation.releases.content.facts import fact_cell
from estimation.releases.content.formulas import Reference
from estimation.releases.content.registry import parse_plan, registry

NOW = Key(2025, "P01", "total", "section", "C")
BEFORE = Key(2024, "P01", "total", "section", "C")
GROWTH = Key(2025, "P01", "level_growth", "section", "C")
OTHER = Key(2025, "P01", "total", "section", "G")
ESTIMATES = {
    NOW: Stored(1200.0, se=30.0, n=40),
    BEFORE: Stored(1000.0, se=25.0, n=35),
    OTHER: Stored(300.0, se=12.0, n=9),
}

MATERIAL = Material(
    2025,
    Source(ESTIMATES, {("EXT-WORLD", 2025): 4.0}),
    {"P01": "TB"},
    {"EXT-WORLD": "PB"},
    {},
    {},
    lambda kind, code: Text(code, code),
)


def evaluated(formula: str, estimates: dict[Key, Stored], unit: str = "TB", **more: Any) -> FrozenCell:
    fact = {
        "code": "X-1",
        "label": {"zh": "甲", "en": "A"},
        "unit": unit,
        "place": ["foreword"],
        "formula": formula,
        **more,
    }
    book = parse_plan(registry(), {"facts": [fact]}, {})
    material = replace(MATERIAL, source=Source(estimates, {("EXT-WORLD", 2025): 4.0}))
    return fact_cell(book.evaluator(Draft(), material), book.facts[0])


def test_one_sampled_component_goes_through_the_formula() -> None:
    cell = evaluated("{P01/total/section/C} / {EXT-WORLD}", ESTIMATES, "%")
    assert cell.value == pytest.approx(100 * 1200 / 4096)
    assert cell.se == pytest.approx(100 * 30 / 4096)
    assert cell.note is None and cell.n == 40


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.8, 1.0])
def test_an_increase_uses_the_covariance_that_the_growth_tells(correlation: float) -> None:
    ratio, common = 1.2, correlation * 30.0 * 25.0
    rate = math.sqrt(30.0**2 + ratio**2 * 25.0**2 - 2 * ratio * common) / 1000.0
    cell = evaluated(
        "{P01/total/section/C} - {P01/total/section/C@-1}", {**ESTIMATES, GROWTH: Stored(0.2, se=rate)}
    )
    assert cell.value == pytest.approx(200.0)
    assert cell.se == pytest.approx(math.sqrt(30.0**2 + 25.0**2 - 2 * common))
    assert cell.note is None


def test_several_components_give_an_upper_bound_with_a_note() -> None:
    cell = evaluated("{P01/total/section/C} + {P01/total/section/G}", ESTIMATES)
    assert cell.se == pytest.approx(42.0) and cell.note == NOTES["bounded"]
    without = evaluated("{P01/total/section/C} - {P01/total/section/C@-1}", ESTIMATES)
    assert without.se == pytest.approx(55.0) and without.note == NOTES["bounded"]


def test_an_unknown_error_stays_unknown() -> None:
    cell = evaluated(
        "{P01/total/section/C} / {P01/total/section/G}", {**ESTIMATES, OTHER: Stored(300.0, n=9)}, "倍"
    )
    assert cell.value == pytest.approx(4.0) and cell.se is None and cell.note == NOTES["combined"]


def test_external_numbers_have_no_sampling_error() -> None:
    cell = evaluated("{EXT-WORLD}", ESTIMATES, "PB")
    assert (cell.se, cell.note, cell.estimator) == (None, NOTES["external"], "external")


def test_no_error_depends_on_the_wording_of_a_note() -> None:
    """A number made of external values only has no sampling error, whatever its note says; another keeps its own."""
    words = Text("别的说法", "another wording")
    external = replace(evaluated("{EXT-WORLD}", ESTIMATES, "PB"), key="X-1.2025", note=words)
    sampled = replace(evaluated("{P01/total/section/C}", ESTIMATES), key="X-2.2025", note=NOTES["external"])
    draft = Draft()
    draft.add(external)
    draft.add(sampled)
    evaluator = Evaluator(draft, MATERIAL, {"X-1": 0, "X-2": 0}, ())
    assert evaluator.component(Reference("number", "X-1")).se == 0.0
    assert evaluator.component(Reference("number", "X-2")).se == 30.0


def test_a_missing_component_is_reported() -> None:
    assert evaluated("{P01/total/section/R}", ESTIMATES).reason == "no_estimate"
    assert evaluated("{EXT-WORLD@-1}", ESTIMATES, "PB").reason == "no_external"
    assert (
        evaluated("{P01/total/section/C} / ({EXT-WORLD} - {EXT-WORLD})", ESTIMATES, "%").reason
        == "no_previous"
    )
