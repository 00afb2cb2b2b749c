"""Units of the categories outside the enterprise strata: ministries to platforms, and institutions."""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Bools, Ints
from estimation.rehearsal.population.margins import Margins, largest_remainder
from estimation.rehearsal.population.regions import NO_SECTION, PLANNED_CITIES, REGION_INDEX, SECTION_INDEX
from estimation.rehearsal.population.units import CENTRAL, DATA, HEAD, PUBLIC, YEARS

# Order of the special units in the population; institutions and ordinary platforms are samples.
ORDER = (1, 2, 5, 6, 7, 8, 9, 10, 11, 14, 3, 4)
SAMPLED = (3, 4, 8)
# Population of the sampled ones as a multiple of the drawn; the others are taken with certainty.
_FRAME_FACTOR = {3: 2.6, 4: 2.2, 8: 1.45}
# Shares that existed in only one year: (2024 only, 2025 only).
_TURNOVER = {
    3: (0.02, 0.02),
    4: (0.015, 0.02),
    8: (0.03, 0.05),
    9: (0.0, 0.05),
    10: (0.02, 0.22),
    11: (0.02, 0.3),
}

# Sections of the special enterprises and of institutions (letter -> weight).
_SECTIONS: dict[int, dict[str, float]] = {
    6: {"I": 1},
    7: {"C": 34, "D": 9, "B": 8, "E": 11, "F": 9, "G": 10, "I": 4, "J": 6, "K": 3, "L": 5, "M": 8, "N": 2},
    8: {"I": 86, "G": 3, "F": 5, "J": 3, "L": 3},
    9: {"I": 26, "L": 9, "J": 6},
    10: {"I": 72, "L": 18, "M": 10},
    11: {"I": 66, "C": 12, "G": 7, "M": 9, "L": 4, "Q": 2},
    3: {"P": 34, "Q": 26, "N": 14, "R": 10, "M": 8, "G": 8},
    4: {"M": 1},
}
HEAD_SECTIONS: dict[str, float] = {"I": 30, "F": 2, "G": 2, "J": 2}


@dataclass(frozen=True, slots=True)
class SpecialUnits:
    """Arrays of the special units in their order; `existed` is (2, m), `outcome` the counts behind `status`."""

    category: Ints
    region: Ints
    section: Ints
    group: Ints
    head: Bools
    city: Ints
    existed: Bools


def _spread(weights: dict[str, float], count: int) -> Ints:
    row = np.zeros(18)
    for letter, weight in weights.items():
        row[SECTION_INDEX[letter]] = weight
    return np.repeat(np.arange(18), largest_remainder(row, count, cap=np.where(row > 0, 10**9, 0)))


def special_sections(scale: float) -> Ints:
    """Enterprises of the special categories by section, near enough for tilting the frame."""
    counts = np.zeros(18, np.int64)
    for category, size in {6: 4, 7: 109, 8: 260, 9: 44, 10: 264, 11: 908}.items():
        counts += np.bincount(_spread(_SECTIONS[category], max(1, round(size * min(scale, 1)))), minlength=18)
    return counts


def build_special(margins: Margins, unfiled: Ints, rng: np.random.Generator) -> SpecialUnits:
    """All special units that existed in 2024 or 2025."""
    parts: list[tuple[Ints, Ints, Ints, Ints, Bools, Ints, Bools]] = []
    for category in ORDER:
        drawn = margins.filed[:, category - 1] + unfiled[:, category - 1]
        if category == 8:
            parts.append(_part(8, margins.heads, rng, head=True))
            drawn = drawn - margins.heads
        if category == 2:
            parts.append(_bureaus())
            continue
        frame = drawn
        if category in SAMPLED:
            frame = np.where(drawn > 0, np.ceil(drawn * _FRAME_FACTOR[category]).astype(np.int64), 0)
        parts.append(_part(category, frame, rng))
    return SpecialUnits(*(np.concatenate(column, axis=-1) for column in zip(*parts, strict=True)))


def _bureaus() -> tuple[Ints, Ints, Ints, Ints, Bools, Ints, Bools]:
    count = 32 + len(PLANNED_CITIES)
    region = np.concatenate([np.arange(32), [REGION_INDEX[code] for _, _, code in PLANNED_CITIES]])
    city = np.concatenate([np.full(32, -1), np.arange(len(PLANNED_CITIES))])
    none = np.full(count, NO_SECTION)
    return (
        np.full(count, 2),
        region,
        none,
        np.full(count, PUBLIC),
        np.zeros(count, bool),
        city,
        np.ones((2, count), bool),
    )


def _part(
    category: int, by_region: Ints, rng: np.random.Generator, *, head: bool = False
) -> tuple[Ints, Ints, Ints, Ints, Bools, Ints, Bools]:
    """Units of one category with `by_region` (32,) of them alive in 2025, plus those that left."""
    left_share, new_share = (0.0, 0.0) if head else _TURNOVER.get(category, (0.0, 0.0))
    left = np.floor(by_region * left_share + rng.random(32)).astype(np.int64) * (left_share > 0)
    region = np.repeat(np.arange(32), by_region + left)
    count = len(region)
    first = np.repeat(np.cumsum(by_region + left) - by_region - left, by_region + left)
    alive = np.arange(count) - first < np.repeat(by_region, by_region + left)
    existed = np.ones((len(YEARS), count), bool)
    existed[1] = alive
    existed[0] = ~alive | (rng.random(count) >= new_share)
    weights = HEAD_SECTIONS if head else _SECTIONS.get(category)
    section = np.full(count, NO_SECTION) if weights is None else rng.permutation(_spread(weights, count))
    group = HEAD if head else CENTRAL if category in (6, 7) else DATA if 8 <= category <= 11 else PUBLIC
    flags = np.full(count, head)
    return (
        np.full(count, category),
        region,
        section,
        np.full(count, group),
        flags,
        np.full(count, -1),
        existed,
    )
