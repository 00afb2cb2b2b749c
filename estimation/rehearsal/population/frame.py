"""Counts of the enterprise frame and of the sample: how many in which stratum, before any unit exists."""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Floats, Ints
from estimation.rehearsal.population.calibrate import solve_tilt
from estimation.rehearsal.population.margins import Margins, build_margins, largest_remainder, rake
from estimation.rehearsal.population.regions import REGIONS, UNFILED_BY_CATEGORY
from estimation.rehearsal.population.targets import T1_BUYERS, T2_BUYERS

ENTERPRISES = 480_000
# Shares of sections A to R among enterprises before tilting, percent; plausible, not published.
SECTION_SHARES = np.array(
    [3.0, 0.8, 19.0, 1.4, 7.0, 21.0, 4.6, 2.2, 12.0, 1.6, 3.0, 9.5, 8.5, 1.4, 1.8, 1.0, 1.2, 1.8]
)
# Chance that an enterprise of the section is a data enterprise (category 12).
DATA_SHARES = np.array(
    [
        0.015,
        0.02,
        0.03,
        0.05,
        0.02,
        0.02,
        0.05,
        0.01,
        0.965,
        0.05,
        0.006,
        0.02,
        0.07,
        0.03,
        0.01,
        0.03,
        0.015,
        0.03,
    ]
)
I_SECTION = 8
# Large, medium, small and micro among the enterprises of each section, percent.
_LARGE = np.array([0.8, 3.0, 2.4, 3.5, 1.6, 0.9, 1.8, 0.6, 1.5, 2.5, 1.6, 0.7, 0.9, 1.0, 0.5, 0.8, 1.0, 0.7])
_MEDIUM = np.array([9, 13, 13, 13, 12, 9, 10, 8, 12, 13, 12, 7, 8, 9, 6, 9, 10, 7.0])
_TAKE_ALL_SHARE = 0.62  # of the large enterprises: those above the take-all threshold
# Levels of the design: taken with certainty, large, medium, small and micro.
TAKE_ALL, LARGE, MEDIUM, SMALL = 0, 1, 2, 3
_RATE = np.array([0.0, 16.0, 4.0, 1.0])  # relative sampling rates, near the spread of firms in a class

# Regions in which a section weighs more than elsewhere (section letter -> region code -> factor).
_TILTS: dict[int, dict[str, float]] = {
    8: {"110000": 2.3, "310000": 1.9, "440000": 1.3, "330000": 1.3, "510000": 1.1, "610000": 1.1},
    9: {"110000": 1.8, "310000": 2.2, "440000": 1.2},
    12: {"110000": 1.9, "310000": 1.6, "610000": 1.3},
    1: {"140000": 5, "150000": 4, "650000": 4, "610000": 2.5, "520000": 2, "630000": 2},
    0: {"230000": 3, "660000": 5, "650000": 2, "460000": 2, "150000": 2, "110000": 0.2, "310000": 0.2},
    2: {"440000": 1.3, "320000": 1.5, "330000": 1.4, "110000": 0.4, "460000": 0.4, "540000": 0.3},
}


@dataclass(frozen=True, slots=True)
class FramePlan:
    """Counts by region (32), section (18) and level (4): enterprises, valid, invalid, unfiled; and labels.

    `valid_data`, `invalid_data`: those of them that are data enterprises (category 12).
    """

    margins: Margins
    population: Ints
    valid: Ints
    invalid: Ints
    unfiled: Ints
    valid_data: Ints
    invalid_data: Ints
    unfiled_by_category: Ints  # (32, 14)
    data_share: Floats  # (32, 18): chance that an enterprise there is a data enterprise


def systematic(exact: Floats) -> Ints:
    """Whole numbers whose running sums follow those of `exact` (any shape) to within one."""
    sums = np.floor(np.cumsum(exact.ravel()) + 0.5)
    return np.diff(np.concatenate([[0.0], sums])).astype(np.int64).reshape(exact.shape)


def _region_section(total: float, section_shares: Floats) -> Floats:
    share = np.array([region.frame_share for region in REGIONS])
    valid = np.array([region.valid for region in REGIONS], float)
    rows = (share / share.sum()) ** 0.65 * (valid / valid.sum()) ** 0.35
    rows *= total / rows.sum()
    seed = np.ones((32, 18))
    index = {region.code: number for number, region in enumerate(REGIONS)}
    for section, factors in _TILTS.items():
        for code, factor in factors.items():
            seed[index[code], section] = factor
    return rake(seed, rows, section_shares * total / section_shares.sum())


def tilt_sections(special: Ints, total: float) -> Floats:
    """Section shares for which the frame-weighted share of buyers is the published one.

    `special` (18,) counts the enterprises of the special categories, which also stand in the sections.
    """
    buyers = np.array(T2_BUYERS)
    everyone = total + special.sum()
    goal = (T1_BUYERS[3] * everyone - float(special @ buyers)) / total
    return solve_tilt(SECTION_SHARES, [buyers], [goal])


def plan_frame(scale: float, special_sections: Ints, rng: np.random.Generator) -> FramePlan:
    """The whole plan. `special_sections` (18,) counts special enterprises per section at this scale."""
    total = round(ENTERPRISES * scale)
    table = _region_section(total, tilt_sections(special_sections, total))
    margins = build_margins(scale, table.sum(1), table @ DATA_SHARES)
    unfiled = _unfiled(scale, margins)
    large, take_all = _LARGE * (1 - _TAKE_ALL_SHARE), _LARGE * _TAKE_ALL_SHARE
    sizes = np.stack([take_all, large, _MEDIUM, 100 - _LARGE - _MEDIUM], axis=1) / 100
    shape = (32, 18, 4)
    population, valid, invalid, not_filed = (np.zeros(shape, np.int64) for _ in range(4))
    valid_data, invalid_data = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    data_share = np.zeros((32, 18))
    for r in range(32):
        target = _Target(
            *(int(counts[r, 11] + counts[r, 12]) for counts in (margins.valid, margins.invalid, unfiled))
        )
        cells = table[r][:, None] * sizes
        cells[:, TAKE_ALL] *= min(1.0, 0.3 * target.valid / max(cells[:, TAKE_ALL].sum(), 1e-9))
        population[r] = systematic(cells)
        data = int(margins.valid[r, 11])
        valid[r], invalid[r], not_filed[r] = _plan_region(population[r], target, data)
        population[r, :, TAKE_ALL] = (valid + invalid + not_filed)[r, :, TAKE_ALL]
        data_share[r] = _tilted(valid[r].sum(1), data)
        valid_data[r] = _labels(valid[r], data, rng)
        invalid_data[r] = _labels(invalid[r], int(margins.invalid[r, 11]), rng)
    drawn = valid + invalid + not_filed
    ordinary = np.array([False, True, True, True])
    # A stratum that is drawn from must hold more than is drawn, else it would not be a sample.
    population = np.where(ordinary, np.maximum(population, drawn + (drawn > 2)), population)
    return FramePlan(
        margins, population, valid, invalid, not_filed, valid_data, invalid_data, unfiled, data_share
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """Enterprises of categories 12 and 13 to be drawn in a region."""

    valid: int
    invalid: int
    unfiled: int

    @property
    def drawn(self) -> int:
        return max(self.valid + self.invalid + self.unfiled, 1)


def _plan_region(population: Ints, target: _Target, data_valid: int) -> tuple[Ints, Ints, Ints]:
    """Valid, invalid and unfiled units by section and level (18, 4) of one region."""
    take_all = population[:, TAKE_ALL]
    sure = min(round(take_all.sum() * target.valid / target.drawn), target.valid)
    sure_valid = largest_remainder(take_all, sure, cap=take_all)
    remaining = take_all - sure_valid
    wrong = min(target.invalid, round(take_all.sum() * target.invalid / target.drawn), int(remaining.sum()))
    sure_invalid = largest_remainder(remaining, wrong, cap=remaining)
    remaining = remaining - sure_invalid
    missing = min(target.unfiled, int(remaining.sum()))
    sure_unfiled = largest_remainder(remaining, missing, cap=remaining)
    rest = population.copy()
    rest[:, TAKE_ALL] = 0
    valid = _allocate(rest, target.valid - sure, data_valid)
    near = valid.ravel() + 1e-6 * (rest.ravel() > 0)
    invalid = largest_remainder(near, target.invalid - wrong).reshape(18, 4)
    unfiled = largest_remainder(near, target.unfiled - missing).reshape(18, 4)
    for cube, sure_part in ((valid, sure_valid), (invalid, sure_invalid), (unfiled, sure_unfiled)):
        cube[:, TAKE_ALL] += sure_part
    return valid, invalid, unfiled


def _allocate(population: Ints, target: int, data_target: int) -> Ints:
    """Valid units by section and level: section I so many that data enterprises can reach their margin."""
    caps = np.where(population <= 4, population, np.floor(0.78 * population)).astype(np.int64)
    size = population * _RATE
    other = np.arange(18) != I_SECTION
    other_share = float((DATA_SHARES * size.sum(1))[other].sum() / max(size[other].sum(), 1e-9))
    in_i = round((data_target - other_share * target) / (DATA_SHARES[I_SECTION] - other_share))
    in_i = int(np.clip(in_i, 0, min(target, caps[I_SECTION].sum())))
    in_i = max(in_i, target - int(caps[other].sum()))
    minimum = 2 if target > 300 else (1 if target > 140 else 0)
    result = np.zeros((18, 4), np.int64)
    floor_i = np.minimum(minimum, caps[I_SECTION])
    if in_i < floor_i.sum():
        floor_i = np.zeros(4, np.int64)
    if caps[I_SECTION].sum() < in_i:
        caps[I_SECTION, SMALL] += in_i - caps[I_SECTION].sum()
    result[I_SECTION] = largest_remainder(size[I_SECTION], in_i, minimum=floor_i, cap=caps[I_SECTION])
    flat = caps[other].ravel()
    if flat.sum() < target - in_i:
        flat = flat + (target - in_i)
    low = np.minimum(minimum, flat)
    if low.sum() > target - in_i:
        low = np.zeros_like(flat)
    result[other] = largest_remainder(size[other].ravel(), target - in_i, minimum=low, cap=flat).reshape(
        17, 4
    )
    return result


def _tilted(counts: Ints, target: int) -> Floats:
    """Shares of data enterprises by section (18,), their odds tilted so that `counts` (18,) hold `wanted` of them."""
    odds = DATA_SHARES / (1 - DATA_SHARES)
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        tilted = odds * np.exp(middle)
        low, high = (middle, high) if counts @ (tilted / (1 + tilted)) < target else (low, middle)
    tilted = odds * np.exp(high)
    return np.asarray(tilted / (1 + tilted))


def _labels(counts: Ints, target: int, rng: np.random.Generator) -> Ints:
    """How many of `counts` (18, 4) are data enterprises, `wanted` in all; unbiased in every cell.

    Largest remainders would never label a cell of few units, and the data enterprises of small sections would
    not be represented; systematic rounding in random order gives every cell its expectation.
    """
    target = min(target, int(counts.sum()))
    expected = (_tilted(counts.sum(1), target)[:, None] * counts).ravel()
    order = rng.permutation(expected.size)
    sums = np.floor(np.cumsum(expected[order]) * (target / max(expected.sum(), 1e-12)) + rng.random())
    sums = np.minimum(sums, target)
    sums[-1] = target
    result = np.zeros(expected.size, np.int64)
    result[order] = np.diff(np.concatenate([[0.0], sums])).astype(np.int64)
    over = np.maximum(result - counts.ravel(), 0)  # the last cell of the order may have taken a remainder
    result -= over
    by_remainder = np.argsort(-(counts.ravel() - result), kind="stable")
    result[by_remainder[: int(over.sum())]] += 1
    return result.reshape(18, 4)


def _unfiled(scale: float, margins: Margins) -> Ints:
    columns = np.array(UNFILED_BY_CATEGORY, np.int64)
    if scale < 1:
        columns = largest_remainder(columns * scale, max(1, round(columns.sum() * scale)))
    result = np.zeros((32, 14), np.int64)
    for c in np.flatnonzero(columns):
        result[:, c] = largest_remainder(margins.filed[:, c].astype(float), int(columns[c]))
    return result
