"""Regions by sections: margins that agree, protection that resists a reader's own attack, and what is too weak."""

import json
from typing import Any

import numpy as np
import pytest
from scipy import optimize

from estimation.releases.checks import Rules
from estimation.releases.content.content import CellStatus, Content, FrozenCell, Text
from estimation.releases.content.crossings import without_weak
from estimation.releases.content.estimates import Key, Stored
from estimation.releases.content.freezing import as_printed, freeze
from estimation.releases.content.registry import publication_plan
from estimation.releases.disclosure.protection import line_of, protect
from estimation.releases.services import prepare_release
from estimation.runs.compute.contributors import Concentration
from tests.estimation.releases.stage import finished_run

REGIONS, SECTIONS = [f"{at}0000" for at in range(11, 19)], "ABCDEFGHIJKLMNOPQR"
FINE, FEW = Concentration(50, 0.2, 0.3), Concentration(2, 0.6, 1.0)


@pytest.fixture
def estimates() -> dict[Key, Stored]:
    """Totals of one variable in whole numbers, with every margin and the groups of industries."""
    rng = np.random.default_rng(5)
    inner = rng.integers(1, 900, (len(REGIONS), len(SECTIONS))).astype(float)
    stored = {
        ("region_section", f"{region}.{section}"): inner[i, j]
        for i, region in enumerate(REGIONS)
        for j, section in enumerate(SECTIONS)
    }
    stored |= {("region_enterprise", region): inner[i].sum() for i, region in enumerate(REGIONS)}
    stored |= {("section", section): inner[:, j].sum() for j, section in enumerate(SECTIONS)}
    stored["industry_group", "secondary"] = inner[:, 1:5].sum()
    stored["nation", "enterprise"] = inner.sum()
    return {
        Key(2025, "P01", "total", kind, code): Stored(float(value), n=50, grade="B")
        for (kind, code), value in stored.items()
    }


def cells_of(estimates: dict[Key, Stored]) -> dict[str, FrozenCell]:
    return {
        line_of(key): FrozenCell(
            line_of(key),
            Text("", ""),
            Text("", ""),
            str(estimate.value),
            value=estimate.value,
            lineage=(line_of(key),),
        )
        for key, estimate in estimates.items()
    }


def reach(estimates: dict[Key, Stored], gone: set[str], target: str) -> tuple[float, float]:
    """A reader's linear program over rows, columns and groups, written without the code under test."""
    value = {line_of(key): estimate.value or 0.0 for key, estimate in estimates.items()}

    def name(kind: str, code: str) -> str:
        return f"P01/total/{kind}/{code}/2025"

    sums = [
        (
            [name("region_section", f"{region}.{estimate}") for estimate in SECTIONS],
            name("region_enterprise", region),
        )
        for region in REGIONS
    ]
    sums += [
        ([name("region_section", f"{region}.{estimate}") for region in REGIONS], name("section", estimate))
        for estimate in SECTIONS
    ]
    sums += [([name("section", estimate) for estimate in "BCDE"], name("industry_group", "secondary"))]
    sums += [([name("section", estimate) for estimate in SECTIONS], name("nation", "enterprise"))]
    sums += [([name("region_enterprise", estimate) for estimate in REGIONS], name("nation", "enterprise"))]
    unknown = sorted(gone)
    rows = [
        [float(estimate in parts) - float(estimate == total) for estimate in unknown] for parts, total in sums
    ]
    right = [
        (0.0 if total in gone else value[total])
        - sum(value[estimate] for estimate in parts if estimate not in gone)
        for parts, total in sums
    ]
    goal = np.array([float(estimate == target) for estimate in unknown])
    ends = []
    for sign in (1.0, -1.0):
        result = optimize.linprog(sign * goal, A_eq=rows, b_eq=right, bounds=(0, None), method="highs")
        ends.append(np.inf if result.status == 3 else sign * result.fun)
    return float(ends[0]), float(ends[1])


@pytest.mark.parametrize("seed", range(3))
def test_no_sensitive_cell_can_be_bounded_and_margins_stay(estimates: dict[Key, Stored], seed: int) -> None:
    rng = np.random.default_rng(seed)
    inner = [key for key in estimates if key.kind == "region_section"]
    sensitive = [inner[at] for at in rng.choice(len(inner), 12, replace=False)]
    shares = {(key.variable, key.kind, key.code): FINE for key in estimates}
    shares |= {(key.variable, key.kind, key.code): FEW for key in sensitive}
    cells, verdict = protect(cells_of(estimates), estimates, shares, Rules())
    gone = {key for key, cell in cells.items() if cell.status is CellStatus.WITHHELD}
    assert {line_of(key) for key in sensitive} <= gone
    assert all("/region_section/" in line for line in gone), "margins are public"
    assert verdict.leaks == 0
    crossed = next(cell for cell in verdict.systems if cell.crossed)
    assert (crossed.primary, crossed.method) == (12, "in_turn")
    assert 0 < crossed.secondary <= 36
    for key in sensitive:
        low, high = reach(estimates, gone, line_of(key))
        true = estimates[key].value or 0.0
        assert low <= true * 0.9 + 1e-6 and high >= true * 1.1 - 1e-6
    alone = line_of(sensitive[0])
    low, high = reach(estimates, {alone}, alone)
    assert low == pytest.approx(high), "without company it is what its row leaves over"


def test_a_withheld_margin_cannot_be_derived_from_its_row(estimates: dict[Key, Stored]) -> None:
    shares = {(key.variable, key.kind, key.code): FINE for key in estimates}
    shares["P01", "section", "H"] = FEW
    cells, verdict = protect(cells_of(estimates), estimates, shares, Rules())
    gone = {key for key, cell in cells.items() if cell.status is CellStatus.WITHHELD}
    target = "P01/total/section/H/2025"
    assert target in gone and verdict.leaks == 0
    low, high = reach(estimates, gone, target)
    true = estimates[Key(2025, "P01", "total", "section", "H")].value or 0.0
    assert low <= true * 0.9 + 1e-6 and high >= true * 1.1 - 1e-6
    margins = {line for line in gone if "/region_section/" not in line}
    low, high = reach(estimates, margins, target)
    assert low == pytest.approx(high), "its column alone would tell it"


def test_unpublishable_cells_are_preferred_as_secondary_cells(estimates: dict[Key, Stored]) -> None:
    shares = {(key.variable, key.kind, key.code): FINE for key in estimates}
    shares["P01", "region_section", "130000.F"] = FEW
    weak = {"150000.F", "130000.K", "150000.K"}
    all_estimates = {
        key: Stored(estimate.value, n=50, grade="E" if key.code in weak else "B")
        for key, estimate in estimates.items()
    }
    cells, _ = protect(cells_of(all_estimates), all_estimates, shares, Rules())
    gone = {key.split("/")[3] for key, estimate in cells.items() if estimate.status is CellStatus.WITHHELD}
    assert gone == {"130000.F", *weak}


def test_a_ratio_goes_with_the_total_that_it_would_give_back(estimates: dict[Key, Stored]) -> None:
    shares = {(key.variable, key.kind, key.code): FINE for key in estimates}
    shares["P01", "section", "H"] = FEW
    ratio = {Key(2025, "D01/P01", "ratio", "section", code): Stored(0.3, n=50) for code in SECTIONS}
    all_estimates = {**estimates, **ratio}
    cells, _ = protect({**cells_of(estimates), **cells_of(ratio)}, all_estimates, shares, Rules())
    gone = {key for key, cell in cells.items() if cell.status is CellStatus.WITHHELD}
    levels = {line.split("/")[3] for line in gone if line.startswith("P01/total/section/")}
    assert {line.split("/")[4] for line in gone if line.startswith("D01/P01/")} == levels


@pytest.fixture
def content(world: Any) -> Content:
    return Content.from_document(prepare_release(run=finished_run(), by=None).content)


def test_a_release_crosses_what_the_registry_names(content: Content) -> None:
    assert {table.code for table in content.crossings} == {
        crossing.code for crossing in publication_plan().crossings
    }
    for table in content.crossings:
        assert len(table.rows) == 33 and len(table.columns) == 19
        assert all(key in content.cells for row in table.rows for key in row.keys)
        assert table.rows[-1].keys[-1] == f"{table.code}.total.total"
    assert content.cells["RS-P01.total.total"].lineage == ("P01/total/nation/enterprise/2025",)
    assert content.cells["RS-P01.110000.I"].status is CellStatus.WITHHELD, "one platform in Beijing"
    assert content.cells["RS-P01.650000.A"].reason == "no_estimate"


def test_no_published_number_has_hidden_digits(content: Content) -> None:
    for cell in content.cells.values():
        if cell.status is CellStatus.SHOWN and cell.estimator != "ranking" and cell.value is not None:
            assert cell.value == float(cell.printed.lstrip(">").replace(",", "")), cell.key
            for bound in (cell.lower, cell.upper):
                assert bound is None or bound == round(bound, cell.decimals), cell.key
            assert cell.se is None or float(f"{cell.se:.2g}") == cell.se, cell.key


def test_the_hash_covers_crossings_and_older_contents_keep_theirs(content: Content) -> None:
    document = json.loads(content.to_json())
    assert len(document["crossings"]) == len(content.crossings)
    del document["crossings"]
    older = Content.from_document(document)
    assert older.digest() != content.digest()
    assert "crossings" not in json.loads(older.to_json())


def test_weak_cells_of_small_domains_are_not_published(content: Content) -> None:
    table = content.crossings[0]
    key = table.rows[0].keys[0]
    shown = FrozenCell(key, Text("", ""), Text("", ""), "5.0", value=5.0, se=3.0, cv=0.6, grade="E")
    margin = FrozenCell(
        table.rows[0].keys[-1], Text("", ""), Text("", ""), "5.0", value=5.0, cv=0.6, grade="E"
    )
    cells = without_weak({key: shown, margin.key: margin}, content.crossings)
    assert (cells[key].printed, cells[key].value, cells[key].se, cells[key].reason) == (
        "—",
        None,
        None,
        "imprecise",
    )
    assert cells[margin.key] is margin


def test_a_bound_that_rounds_to_zero_has_no_sign() -> None:
    cell = FrozenCell(
        "X", Text("", ""), Text("", ""), "0.01", value=0.0101, se=0.012, lower=-0.0013, upper=0.0333
    )
    frozen = as_printed(cell)
    assert (frozen.value, frozen.se, frozen.upper) == (0.01, 0.012, 0.03)
    assert str(frozen.lower) == "0.0"


def test_bounds_that_a_number_cannot_have_are_cut_off() -> None:
    def bounds(estimator: str, value: float, lower: float, upper: float, unit: str = "%") -> object:
        entry = FrozenCell(
            "X",
            Text("某", "x"),
            Text(unit, unit),
            f"{value:.2f}",
            value=value,
            lower=lower,
            upper=upper,
            estimator=estimator,
        )
        done = freeze({"X": entry})["X"]
        return done.lower, done.upper

    assert bounds("proportion", 39.02, -24.39, 102.44) == (0.0, 100.0)
    assert bounds("total", 1.5, -0.5, 3.5, "EB") == (0.0, 3.5)
    assert bounds("ratio", 99.0, 95.0, 103.0) == (95.0, 103.0)  # of two totals: may exceed its denominator
    assert bounds("panel_growth", 6.82, -1.53, 15.16) == (-1.53, 15.16)
    assert bounds("derived", 3.06, -0.2, 6.31) == (-0.2, 6.31)
