"""Response classes of take-all strata: who stands for whom, and the variance of it."""

from dataclasses import replace

import numpy as np
import pytest

from estimation.design.strata import Strata, counted_by_region
from estimation.methods.estimators.totals import total
from estimation.methods.sample import StratifiedSample
from estimation.runs.compute.arrays import Year
from estimation.runs.compute.spec import RunSpec
from estimation.runs.compute.weigh import Weighted, weigh
from survey.classification import REGIONS
from tests.estimation.runs.random_years import ITEMS, random_years

BEIJING, TIANJIN, HEBEI, SHANXI = (REGIONS.index(code) for code in ("110000", "120000", "130000", "140000"))


def year_of(counted: dict[int, int], valid: dict[int, int]) -> Year:
    """One stratum taken with certainty and one sampled stratum of Beijing with two of ten units."""
    regions = [region for region, units in valid.items() for _ in range(units)] + [BEIJING] * 2
    stratum = np.array([0] * (len(regions) - 2) + [1, 1])
    by_region = np.zeros((2, len(REGIONS)))
    for region, units in counted.items():
        by_region[0, region] = units
    strata = Strata(
        id=np.array([4, 9]),
        kind=np.array([2, 0]),
        category=np.array([6, -1]),
        region=np.array([-1, BEIJING]),
        section=np.array([-1, 8]),
        size=np.array([-1, 0]),
        population=np.array([float(sum(counted.values())), 10.0]),
        take_all=np.array([True, False]),
        by_region=by_region,
    )
    n = len(regions)
    index, nothing = np.array(regions), np.zeros(n, dtype=bool)
    return Year(
        year=2025,
        unit=np.arange(n),
        category=np.where(stratum == 0, 6, 13),
        region=index,
        section=np.full(n, 8),
        size=np.zeros(n, dtype=np.int64),
        head=nothing,
        pilot=nothing,
        newly_founded=nothing,
        stratum=stratum,
        drawn_in=index,
        strata=strata,
        items=ITEMS,
        values=np.ones((n, len(ITEMS))),
    )


def weights_in(weighted: Weighted, year: Year) -> dict[int, float]:
    """The weight of the certainty units of each region."""
    certain = year.stratum == 0
    pairs = set(zip(year.region[certain].tolist(), weighted.sample.weight[certain].tolist(), strict=True))
    result = dict(pairs)
    assert len(result) == len(pairs)
    return result


def test_respondents_of_a_region_represent_its_nonrespondents() -> None:
    year = year_of({BEIJING: 10, TIANJIN: 6, SHANXI: 4}, {BEIJING: 8, TIANJIN: 3, SHANXI: 4})
    weighted = weigh(year, RunSpec())
    assert weights_in(weighted, year) == {BEIJING: 10 / 8, TIANJIN: 2.0, SHANXI: 1.0}
    assert weighted.names[:3] == tuple(
        f"CAT06 · {REGIONS[r]} · certainty" for r in (BEIJING, TIANJIN, SHANXI)
    )
    assert weighted.sample.weight.sum() == pytest.approx(30)
    assert set(weighted.step) == {""}
    national = weigh(year, RunSpec(response_classes="stratum"))
    assert set(weights_in(national, year).values()) == {20 / 15}


def test_a_class_of_one_answer_joins_its_macro_region_and_no_sampled_stratum() -> None:
    year = year_of({BEIJING: 10, TIANJIN: 5, SHANXI: 4}, {BEIJING: 8, TIANJIN: 1, SHANXI: 4})
    weighted = weigh(year, RunSpec())
    assert weights_in(weighted, year) == {BEIJING: 15 / 9, TIANJIN: 15 / 9, SHANXI: 1.0}
    assert weighted.step == ("macro_region", "macro_region", "", "")
    assert weighted.names[0] == "CAT06 · east · certainty (2)"


def test_a_class_with_a_too_large_weight_is_joined_within_its_macro_region_else_nationally() -> None:
    counted, valid = {BEIJING: 10, TIANJIN: 9, SHANXI: 8}, {BEIJING: 9, TIANJIN: 3, SHANXI: 2}
    year = year_of(counted, valid)
    # Tianjin weighs 3, which is borne; Shanxi 4, nobody else is in the centre, and with Tianjin it is still 17 / 5.
    assert set(weights_in(weigh(year, RunSpec()), year).values()) == {27 / 14}
    tolerated = weigh(year, RunSpec(response_largest=3.5))
    assert weights_in(tolerated, year) == {BEIJING: 10 / 9, TIANJIN: 17 / 5, SHANXI: 17 / 5}
    assert tolerated.step == ("", "nation", "nation", "")
    assert weights_in(weigh(year, RunSpec(response_largest=4.0)), year) == {
        BEIJING: 10 / 9,
        TIANJIN: 3.0,
        SHANXI: 4.0,
    }
    strict = weigh(year, RunSpec(response_largest=2.0))
    # Tianjin finds Beijing first: 19 / 12; Shanxi comes to these.
    assert set(weights_in(strict, year).values()) == {27 / 14}
    assert strict.step[:3] == ("nation", "nation", "nation")


def test_a_region_without_respondents_is_represented_and_its_units_have_a_stratum() -> None:
    year = year_of({BEIJING: 10, TIANJIN: 3, SHANXI: 4}, {BEIJING: 8, SHANXI: 4})
    weighted = weigh(year, RunSpec())
    assert weights_in(weighted, year) == {BEIJING: 13 / 8, SHANXI: 1.0}
    stratum = np.array([0, 0, 0, 1, -1, 0])
    owner = weighted.owner(stratum, np.array([BEIJING, TIANJIN, SHANXI, BEIJING, BEIJING, HEBEI]))
    assert owner[0] == owner[1] == weighted.sample.stratum[0]
    assert owner[4] == owner[5] == -1  # outside the design; a region that holds none of the stratum
    assert len({int(owner[0]), int(owner[2]), int(owner[3])}) == 3


def test_a_stratum_is_not_split_when_its_counts_by_region_do_not_add_up() -> None:
    year = year_of({BEIJING: 10, TIANJIN: 6}, {BEIJING: 8, TIANJIN: 3})
    more = replace(year.strata, population=year.strata.population + 1)
    assert set(weights_in(weigh(replace(year, strata=more), RunSpec()), year).values()) == {17 / 11}


def test_the_variance_is_that_of_the_classes() -> None:
    year = random_years(4, size=14, nonresponse=True)[0]
    weighted = weigh(year, RunSpec(minimum_respondents=1, response_largest=100.0))
    is_split = weighted.classes.is_split
    assert is_split.sum() > 6 and weighted.sample.weight[year.strata.take_all[year.stratum]].max() > 1
    y = np.nan_to_num(year.values[:, 0])
    full = year.strata.take_all
    # By hand: each region of a take-all stratum is a stratum with its own count.
    key = np.where(full[year.stratum], 1000 + year.stratum * 100 + year.drawn_in, year.stratum)
    names, codes = np.unique(key, return_inverse=True)
    population = np.array(
        [
            year.strata.by_region[(k - 1000) // 100, k % 100] if k >= 1000 else year.strata.population[k]
            for k in names.tolist()
        ]
    )
    expected = total(StratifiedSample(codes, population), y)
    result = total(weighted.sample, y)
    assert result.value == pytest.approx(expected.value, rel=1e-12)
    assert result.se == pytest.approx(expected.se, rel=1e-12)
    national = total(weigh(year, RunSpec(response_classes="stratum")).sample, y)
    assert abs(result.value - national.value).item() > 1e-6


def test_units_are_counted_by_region_in_take_all_strata_only() -> None:
    counted = counted_by_region(
        np.array([0, 0, 1, -1, 0]), np.array([3, 3, 3, 3, -1]), np.array([True, False])
    )
    assert counted.shape == (2, len(REGIONS)) and counted.sum() == counted[0, 3] == 2


def test_impossible_classes_are_refused() -> None:
    refused = (
        ({"response_classes": "city"}, "response_classes"),
        ({"response_largest": 0.5}, "largest weight"),
    )
    for wrong, words in refused:
        with pytest.raises(ValueError, match=words):
            RunSpec.from_json(wrong)
