"""Disclosure control on cells: primary rules, linked sums, the attack, and what hangs on a withheld estimate."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from estimation.releases.checks import Rules
from estimation.releases.content.content import CellStatus, FrozenCell, Text
from estimation.releases.content.estimates import Key, Stored
from estimation.releases.disclosure.protection import line_of, protect, sensitivity
from estimation.runs.compute.contributors import Concentration

SECTIONS = "ABCDEFGHIJKLMNOPQR"
REGIONS = [f"{number}0000" for number in range(11, 23)]
GROUPS = {"primary": "A", "secondary": "BCDE", "industry": "BCD", "tertiary": SECTIONS[5:]}
FINE = Concentration(50, 0.2, 0.3)


def cell(key: str, *keys: Key, value: float = 1.0, estimator: str = "total") -> FrozenCell:
    return FrozenCell(
        key,
        Text(key, key),
        Text("", ""),
        str(value),
        value=value,
        n=9,
        estimator=estimator,
        lineage=tuple(line_of(entry) for entry in keys),
    )


@pytest.fixture
def estimates() -> dict[Key, Stored]:
    rng = np.random.default_rng(7)
    amount = dict(zip(SECTIONS, rng.integers(5, 900, 18).astype(float), strict=True))
    total = sum(amount.values())
    stored = {("section", member): value for member, value in amount.items()}
    stored |= {
        ("industry_group", name): sum(amount[member] for member in members)
        for name, members in GROUPS.items()
    }
    share = rng.dirichlet(np.ones(len(REGIONS)))
    stored |= {("region_enterprise", code): total * part for code, part in zip(REGIONS, share, strict=True)}
    stored["nation", "enterprise"] = total
    return {
        Key(2025, "P01", "total", kind, code): Stored(value, n=50) for (kind, code), value in stored.items()
    }


def cells_of(estimates: dict[Key, Stored]) -> dict[str, FrozenCell]:
    return {
        line_of(key): cell(line_of(key), key, value=estimate.value or 0.0)
        for key, estimate in estimates.items()
    }


def concentration(
    estimates: dict[Key, Stored], **special: Concentration
) -> dict[tuple[str, str, str], Concentration]:
    result = {(key.variable, key.kind, key.code): FINE for key in estimates}
    return result | {("P01", "section", code): entry for code, entry in special.items()}


def withheld(cells: dict[str, FrozenCell]) -> set[str]:
    return {key for key, entry in cells.items() if entry.status is CellStatus.WITHHELD}


@pytest.mark.parametrize(
    ("concentration", "why"),
    [
        (Concentration(2, 0.5, 1.0), "few"),
        (Concentration(9, 0.71, 0.8), "one_dominates"),
        (Concentration(9, 0.60, 0.86), "two_dominate"),
        (Concentration(3, 0.70, 0.85), ""),
        (Concentration(0, 0, 0), ""),
    ],
)
def test_primary_rules(concentration: Concentration, why: str) -> None:
    assert sensitivity(Rules(), concentration) == why


def test_rules_can_be_configured() -> None:
    assert sensitivity(Rules(minimum=5), Concentration(4, 0.3, 0.5)) == "few"
    assert sensitivity(Rules(one=0.5), Concentration(9, 0.6, 0.7)) == "one_dominates"


def test_nothing_sensitive_withholds_nothing(estimates: dict[Key, Stored]) -> None:
    cells, verdict = protect(cells_of(estimates), estimates, concentration(estimates), Rules())
    assert withheld(cells) == set()
    (system,) = verdict.systems
    assert (verdict.leaks, system.sums, system.narrowest, system.crossed) == (0, 6, None, False)


@pytest.mark.parametrize(("noise", "sums"), [(-1e-12, 6), (1e-12, 6), (-1e-5, 4), (1e-5, 6)])
def test_a_sum_of_large_totals_holds_but_for_rounding(
    estimates: dict[Key, Stored], noise: float, sums: int
) -> None:
    """Parts that exceed their whole by more than rounding overlap; a whole that exceeds its parts has others."""
    large = {
        key: replace(estimate, value=1e7 * (estimate.value or 0.0)) for key, estimate in estimates.items()
    }
    total = Key(2025, "P01", "total", "nation", "enterprise")
    large[total] = replace(large[total], value=(large[total].value or 0.0) * (1.0 + noise))
    _, verdict = protect(cells_of(large), large, concentration(large), Rules())
    assert verdict.systems[0].sums == sums


@pytest.mark.parametrize("section", ["C", "H", "R", "A"])
def test_a_sensitive_section_is_withheld_with_secondary_cells_and_resists_the_attack(
    estimates: dict[Key, Stored], section: str
) -> None:
    few = Concentration(2, 0.5, 1.0)
    cells, verdict = protect(
        cells_of(estimates), estimates, concentration(estimates, **{section: few}), Rules()
    )
    gone = withheld(cells)
    assert f"P01/total/section/{section}/2025" in gone
    assert "P01/total/nation/enterprise/2025" not in gone
    assert len(gone) > 1, "alone it is the total minus the rest"
    assert verdict.leaks == 0
    low, high = attack(estimates, gone, f"P01/total/section/{section}/2025")
    true = estimates[Key(2025, "P01", "total", "section", section)].value or 0.0
    assert low <= true * 0.9 + 1e-6 and high >= true * 1.1 - 1e-6


def attack(estimates: dict[Key, Stored], gone: set[str], target: str) -> tuple[float, float]:
    """A reader's own linear program over the sums of the printed table, written without the code under test."""
    names = {(key.kind, key.code): line_of(key) for key in estimates}
    value = {line_of(key): estimate.value or 0.0 for key, estimate in estimates.items()}
    sums = [
        ([names["section", estimate] for estimate in members], names["industry_group", group])
        for group, members in GROUPS.items()
    ]
    sums += [([names["section", estimate] for estimate in SECTIONS], names["nation", "enterprise"])]
    sums += [([names["region_enterprise", estimate] for estimate in REGIONS], names["nation", "enterprise"])]
    unknown = sorted(gone)
    rows, right = [], []
    for parts, total in sums:
        rows.append([float(name in parts) - float(name == total) for name in unknown])
        right.append(
            sum(value[name] for name in [total] if name not in gone)
            - sum(value[name] for name in parts if name not in gone)
        )
    goal = np.array([float(name == target) for name in unknown])
    ends = []
    for sign in (1.0, -1.0):
        result = optimize.linprog(sign * goal, A_eq=rows, b_eq=right, bounds=(0, None), method="highs")
        ends.append(np.inf if result.status == 3 else sign * result.fun)
    return float(ends[0]), float(ends[1])


def test_the_attack_succeeds_without_secondary_suppression(estimates: dict[Key, Stored]) -> None:
    target = "P01/total/section/H/2025"
    low, high = attack(estimates, {target}, target)
    assert low == pytest.approx(high), "so the test above could have failed"


def test_everything_derived_from_a_withheld_estimate_is_withheld(estimates: dict[Key, Stored]) -> None:
    section, growth = (
        Key(2025, "P01", "total", "section", "H"),
        Key(2025, "P01", "panel_growth", "section", "H"),
    )
    free = Key(2025, "P01", "panel_growth", "section", "C")
    more = {
        "T2.H.production": cell("T2.H.production", section),
        "TXT-1": cell("TXT-1", section, free, estimator="derived"),
        "T2.H.growth": cell("T2.H.growth", growth),
        "T2.C.growth": cell("T2.C.growth", free),
    }
    all_estimates = {**estimates, growth: Stored(0.2, n=50), free: Stored(0.1, n=50)}
    few = Concentration(1, 1.0, 1.0)
    cells, _ = protect(
        {**cells_of(estimates), **more}, all_estimates, concentration(all_estimates, H=few), Rules()
    )
    assert {"T2.H.production", "TXT-1", "T2.H.growth"} <= withheld(cells)
    assert "T2.C.growth" not in withheld(cells) or "P01/total/section/C/2025" in withheld(cells)
    masked = cells["T2.H.production"]
    assert (masked.printed, masked.value, masked.se, masked.n, masked.reason) == (
        "×",
        None,
        None,
        None,
        "withheld",
    )


def test_the_growth_of_a_secondary_suppressed_level_is_withheld(estimates: dict[Key, Stored]) -> None:
    few = Concentration(2, 0.5, 1.0)
    growths = {
        Key(2025, "P01", "panel_growth", "section", section): Stored(0.1, n=50) for section in SECTIONS
    }
    cells = cells_of(estimates) | {line_of(key): cell(line_of(key), key) for key in growths}
    result, _ = protect(cells, {**estimates, **growths}, concentration(estimates, H=few), Rules())
    levels = {key.split("/")[3] for key in withheld(result) if "/total/section/" in key}
    assert len(levels) > 1
    assert {key.split("/")[3] for key in withheld(result) if "/panel_growth/" in key} == levels


def test_a_ratio_of_a_dominated_total_is_withheld(estimates: dict[Key, Stored]) -> None:
    key = Key(2025, "D01/P01", "ratio", "section", "C")
    all_estimates = {**estimates, key: Stored(0.4, n=50)}
    shares = concentration(estimates, C=Concentration(20, 0.9, 0.95))
    cells, verdict = protect({"T2": cell("T2", key)}, all_estimates, shares, Rules())
    assert withheld(cells) == {"T2"} and verdict.withheld[line_of(key)] == "one_dominates"


@pytest.mark.parametrize("few", [1.0, 2.0])
def test_counts_below_the_minimum_are_withheld_and_zero_is_not(few: float) -> None:
    amount = {"CAT01": few, "CAT02": 0.0, "CAT03": 40.0, "CAT04": 9.0 - few}
    all_estimates = {
        Key(2025, "valid", "count", "category", code): Stored(n, n=int(n)) for code, n in amount.items()
    }
    all_estimates[Key(2025, "valid", "count", "nation", "all")] = Stored(49.0, n=49)
    cells, _ = protect(cells_of(all_estimates), all_estimates, {}, Rules())
    gone = {key.split("/")[3] for key in withheld(cells)}
    assert "CAT01" in gone and len(gone) == 2 and "CAT02" not in gone


def test_a_count_at_the_minimum_is_published() -> None:
    all_estimates = {
        Key(2025, "valid", "count", kind, code): Stored(value, n=int(value))
        for kind, code, value in (
            ("category", "CAT01", 3.0),
            ("category", "CAT03", 40.0),
            ("nation", "all", 43.0),
        )
    }
    assert withheld(protect(cells_of(all_estimates), all_estimates, {}, Rules())[0]) == set()
    assert len(withheld(protect(cells_of(all_estimates), all_estimates, {}, Rules(minimum=4))[0])) == 2


@pytest.mark.parametrize("unit", [1.0, 0.005])
def test_the_national_total_is_published_even_where_nothing_else_protects(unit: float) -> None:
    """105 known, 5 hidden beside a sensitive 100: nobody could be kept from bounding it by 105 but by hiding the 105.

    A reader knows that it lies between 0 and 105, an interval of 1.05 times its value in every unit of measurement.
    """
    amounts = (("category", "CAT01", 100.0), ("category", "CAT03", 5.0), ("nation", "all", 105.0))
    all_estimates = {
        Key(2025, "P01", "total", kind, code): Stored(unit * value, n=50) for kind, code, value in amounts
    }
    shares = {("P01", "category", "CAT01"): Concentration(2, 0.6, 1.0), ("P01", "category", "CAT03"): FINE}
    cells, verdict = protect(cells_of(all_estimates), all_estimates, shares, Rules())
    assert withheld(cells) == {"P01/total/category/CAT01/2025", "P01/total/category/CAT03/2025"}
    assert verdict.withheld == {
        "P01/total/category/CAT01/2025": "few",
        "P01/total/category/CAT03/2025": "secondary",
    }
    (system,) = verdict.systems
    assert (system.primary, system.secondary, system.optimal, system.narrowest) == (1, 1, False, 1.05)


def test_what_an_earlier_release_withheld_stays_withheld(estimates: dict[Key, Stored]) -> None:
    before = frozenset({"P01/total/section/K/2025", "P01/total/section/L/2025"})
    cells, _ = protect(
        cells_of(estimates), estimates, concentration(estimates), Rules(), withheld_before=before
    )
    assert before <= withheld(cells)


def test_items_of_the_bureaus_tell_of_public_tasks() -> None:
    key = Key(2025, "MR02", "total", "region", "520000")
    shares = {("MR02", "region", "520000"): Concentration(1, 1.0, 1.0)}
    cells, _ = protect({"X": cell("X", key)}, {key: Stored(5.0, n=1)}, shares, Rules())
    assert withheld(cells) == set()


def test_absent_cells_stay_absent(estimates: dict[Key, Stored]) -> None:
    key = Key(2025, "P01", "total", "section", "H")
    absent = replace(cell("X", key), status=CellStatus.ABSENT, value=None, printed="—", reason="no_estimate")
    few = Concentration(1, 1.0, 1.0)
    cells, _ = protect(
        {"X": absent, **cells_of(estimates)}, estimates, concentration(estimates, H=few), Rules()
    )
    assert cells["X"] is absent
