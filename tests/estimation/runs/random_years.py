"""Random years of answers and designs, as the pipeline gets them: pure arrays, no database."""

from dataclasses import replace

import numpy as np

from estimation.design.strata import KINDS, Strata, counted_by_region
from estimation.runs.compute.arrays import Item, Year
from survey.classification import REGIONS

EVERYBODY = np.array([False] + [True] * 14)
ENTERPRISES = np.array([False] + [False] * 5 + [True] * 8 + [False])
ITEMS = (
    Item("P01", "TB", "quantity", True, EVERYBODY),
    Item("P03", "TB", "quantity", False, EVERYBODY),
    Item("P04", "TB", "quantity", False, EVERYBODY),
    Item("S02", "TB", "quantity", True, EVERYBODY),
    Item("D01", "TB", "quantity", False, EVERYBODY),
    Item("F01", "TB", "quantity", True, EVERYBODY),
    Item("A02", "TB", "quantity", False, EVERYBODY),
    Item("T02", "万元", "money", False, ENTERPRISES),
    Item("B10", "万元", "money", True, ENTERPRISES),
    Item("T01", "", "yesno", True, EVERYBODY),
    Item("D02", "%", "ratio", False, EVERYBODY),
)


def random_years(
    seed: int, *, size: int = 6, lonely: bool = False, regions: int = 5, nonresponse: bool = False
) -> tuple[Year, Year]:
    """A year and the year before: most units in both, some in another category, a fifth exchanged.

    lonely : some strata have one answer, or fewer than they need, and must be collapsed
    nonresponse : take-all strata know their regions, in which a fifth or so of their units did not answer
    """
    rng = np.random.default_rng(seed)
    strata = _strata(rng, size, regions)
    stratum = np.repeat(
        np.arange(strata.count), np.maximum(rng.integers(size // 2, size + 1, strata.count), 3)
    )
    if lonely:
        thin = rng.random(strata.count) < 0.2
        first = np.r_[True, stratum[1:] != stratum[:-1]]
        stratum = stratum[~thin[stratum] | first]
    pool = len(stratum) * 2
    unit = np.sort(rng.choice(pool, len(stratum), replace=False)) + 1000
    now = _year(rng, 2025, unit, stratum, strata, nonresponse)
    stay = rng.random(len(unit)) < 0.8
    # Everybody's stratum of last year is the same list of strata, with other counts.
    old = replace(strata, population=np.ceil(strata.population * rng.uniform(1.0, 1.3, strata.count)))
    others = np.setdiff1d(np.arange(1000, 1000 + pool), unit)
    new = np.sort(rng.choice(others, int((~stay).sum()), replace=False))
    moved = stratum.copy()
    swap = np.flatnonzero(stay & (strata.kind[stratum] == 0))
    if not lonely:
        pairs = rng.permutation(swap)[: 2 * (len(swap) // 12)].reshape(-1, 2)
        moved[pairs[:, 0]], moved[pairs[:, 1]] = stratum[pairs[:, 1]], stratum[pairs[:, 0]]
    ids, positions = np.r_[unit[stay], new], np.r_[moved[stay], stratum[~stay]]
    order = np.argsort(ids)
    before = _year(rng, 2024, ids[order], positions[order], old, nonresponse)
    common = np.isin(now.unit, before.unit)
    rows = np.searchsorted(before.unit, now.unit[common])
    grown = before.values[rows] * rng.lognormal(0.1, 0.3, before.values[rows].shape)
    amounts = [index for index, item in enumerate(ITEMS) if item.is_amount]
    now.values[np.ix_(common, amounts)] = grown[:, amounts]
    return now, before


def _strata(rng: np.random.Generator, size: int, regions: int) -> Strata:
    keys = [(0, -1, r, s, z, False) for r in range(regions) for s in (2, 8, 16) for z in range(3)]
    keys += [(1, c, r, -1, -1, False) for c in (3, 4) for r in range(regions)]
    keys += [(2, c, -1, -1, -1, True) for c in (1, 6, 8)]
    kind, category, region, section, scale, total = (np.array(part) for part in zip(*keys, strict=True))
    population = rng.integers(size + 1, 8 * size, len(keys)).astype(float)
    return Strata(
        np.arange(len(keys)) + 7,
        kind,
        category,
        region,
        section,
        scale,
        population,
        total.astype(bool),
        np.zeros((len(keys), len(REGIONS))),
    )


def _year(
    rng: np.random.Generator,
    year: int,
    unit: np.ndarray,
    stratum: np.ndarray,
    strata: Strata,
    nonresponse: bool,
) -> Year:
    n = len(unit)
    count = np.bincount(stratum, minlength=strata.count)
    certain = strata.kind == KINDS.index("certainty")
    strata = replace(strata, population=np.where(certain, count, np.maximum(strata.population, count)))
    enterprise = strata.kind[stratum] == 0
    category = np.where(enterprise, rng.choice([8, 9, 13], n), np.maximum(strata.category[stratum], 1))
    values = rng.lognormal(3.0, 1.2, (n, len(ITEMS)))
    values[rng.random(values.shape) < 0.2] = 0.0
    values[:, 9] = rng.random(n) < 0.4
    values[rng.random(values.shape) < 0.05] = np.nan
    region = np.where(strata.region[stratum] >= 0, strata.region[stratum], rng.integers(0, 5, n))
    if nonresponse:
        counted = counted_by_region(stratum, region, strata.take_all)
        counted += (counted > 0) * np.random.default_rng(year).integers(0, 2, counted.shape)
        population = np.where(certain, counted.sum(axis=1), strata.population)
        strata = replace(strata, population=population, by_region=counted)
    return Year(
        year=year,
        unit=unit.astype(np.int64),
        category=category.astype(np.int64),
        region=region,
        drawn_in=region,
        section=np.where(enterprise, strata.section[stratum], np.where(category >= 6, 8, -1)),
        size=np.where(enterprise, strata.size[stratum], np.where(category >= 6, 0, -1)),
        head=(category >= 6) & (rng.random(n) < 0.05),
        pilot=np.zeros(n, bool),
        newly_founded=rng.random(n) < 0.03,
        stratum=stratum,
        strata=strata,
        items=ITEMS,
        values=values,
    )
