"""The rehearsal country: the margins of tables 3 and 4, repeatability, small scales, and the truth beside them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from estimation.rehearsal.country import build_country
from estimation.rehearsal.population.frame import LARGE, MEDIUM, SMALL, FramePlan, plan_frame
from estimation.rehearsal.population.regions import REGIONS
from estimation.rehearsal.population.special import special_sections
from estimation.rehearsal.population.truth import TrueItem, Truth, true_rows
from estimation.rehearsal.population.units import VALID
from estimation.rehearsal.storage import accounts
from estimation.rehearsal.storage.members import choose_members
from estimation.rehearsal.storage.outcomes import ACCEPTED

SEED = 20251231


@pytest.fixture(scope="module")
def plan() -> FramePlan:
    return plan_frame(1.0, special_sections(1.0), np.random.default_rng(SEED))


def test_the_national_plan_has_the_printed_margins(plan: FramePlan) -> None:
    """Tables 3 and 4 of the report: valid and filed units by category and by region."""
    assert plan.margins.valid.sum() == 42_505
    assert plan.margins.filed.sum() == 48_396
    assert plan.margins.valid.sum(0).tolist() == [
        25,
        37,
        2722,
        1259,
        10,
        4,
        109,
        168,
        41,
        246,
        826,
        16818,
        20184,
        56,
    ]
    regions = {region.code: index for index, region in enumerate(REGIONS)}
    for code, valid, filed in (("110000", 1956, 2035), ("320000", 4723, 5265), ("540000", 7, 10)):
        assert plan.margins.valid[regions[code]].sum() == valid
        assert plan.margins.filed[regions[code]].sum() == filed


def test_no_stratum_gives_more_than_it_holds_and_large_firms_are_drawn_more_often(plan: FramePlan) -> None:
    drawn = plan.valid + plan.invalid + plan.unfiled
    assert (drawn <= plan.population).all()
    large, medium, small = (
        drawn[:, :, level].sum() / plan.population[:, :, level].sum() for level in (LARGE, MEDIUM, SMALL)
    )
    assert large > 2 * medium > 4 * small


@pytest.mark.parametrize("scale", [0.005, 0.01, 0.02])
def test_small_countries_are_consistent_and_have_true_values(scale: float) -> None:
    """A domain in which nobody lives, such as pilot data spaces, must not stop a small country."""
    country = build_country(SEED, scale)
    assert (country.units.status[1] == VALID).sum() == round(42_505 * scale)
    truth = Truth(country)
    assert all((domain.codes >= 0).any() for domain in truth.domains)
    items = [TrueItem("P01", "quantity", tuple(range(1, 14))), TrueItem("B15", "yesno", tuple(range(1, 14)))]
    rows = {row[:5]: row[5] for row in true_rows(country, items, (), ())}
    total = rows[2025, "P01", "total", "nation", "all"]
    parts = [value for key, value in rows.items() if key[:4] == (2025, "P01", "total", "region")]
    assert sum(parts) == pytest.approx(total, rel=1e-12)
    assert 0 < rows[2025, "B15", "proportion", "nation", "all"] < 1


def test_a_respondent_account_has_an_accepted_sheet_in_a_comparable_group() -> None:
    """The account of the comparison: an enterprise that filed in 2025, in the most frequent industry and size."""
    country = build_country(SEED, 0.02)
    members = choose_members(country)
    writer: Any = SimpleNamespace(
        country=country, members=members, category=country.units.category[members.row]
    )
    index = accounts.compared(writer)
    row = members.row[index]
    assert members.outcome[index] == ACCEPTED and members.asked[1, index] and not members.extra[index]
    assert country.units.category[row] == 13 and not members.demo[index]
    alike = (members.outcome == ACCEPTED) & (country.units.section[members.row] == country.units.section[row])
    assert (alike & (country.units.size[members.row] == country.units.size[row])).sum() >= 10


def test_the_same_seed_gives_the_same_country_and_another_seed_another() -> None:
    entry, same, other = (build_country(seed, 0.005) for seed in (SEED, SEED, SEED + 1))
    assert np.array_equal(entry.values["P01"], same.values["P01"])
    assert np.array_equal(entry.units.status, same.units.status)
    assert not np.array_equal(entry.units.random_number[:100], other.units.random_number[:100])
