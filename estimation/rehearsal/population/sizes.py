"""Industry codes and the figures of a firm (employees, turnover, assets) that give a wanted size class.

The 2017 rules: a firm is large, medium or small when every indicator of its industry reaches the class; micro
otherwise. The generator draws each indicator inside the wanted class, so the computed class is the wanted one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Floats, Ints

LARGE, MEDIUM, SMALL, MICRO = 0, 1, 2, 3
SIZE_CODES = ("large", "medium", "small", "micro")

# Section -> 4-digit classes of GB/T 4754-2017 that the generator uses.
INDUSTRY_CODES: dict[str, tuple[str, ...]] = {
    "A": ("0111", "0311", "0411"),
    "B": ("0610", "0711", "0810"),
    "C": ("1311", "1711", "2614", "2710", "3051", "3311", "3484", "3611", "3825", "3911", "3919"),
    "D": ("4411", "4420", "4511", "4610"),
    "E": ("4710", "4813", "4910"),
    "F": ("5111", "5137", "5211", "5292"),
    "G": ("5431", "5521", "5611", "5821", "5920", "6020"),
    "H": ("6110", "6210"),
    "I": ("6311", "6410", "6421", "6511", "6513", "6540", "6550"),
    "J": ("6621", "6711", "6812", "6930"),
    "K": ("7010", "7020", "7030"),
    "L": ("7119", "7211", "7241", "7291"),
    "M": ("7310", "7320", "7410", "7482", "7519"),
    "N": ("7610", "7721", "7810"),
    "O": ("8010", "8111", "8219"),
    "P": ("8310", "8341", "8391"),
    "Q": ("8411", "8423", "8512"),
    "R": ("8622", "8710", "8810", "9011"),
}

Bounds = tuple[float, float, float] | None  # lower limits of large, medium, small


def _bounds(code: str) -> tuple[Bounds, Bounds, Bounds]:
    """Limits of employees (persons), turnover and assets (10,000 yuan) for a 4-digit class."""
    division = int(code[:2])
    other: tuple[Bounds, Bounds, Bounds] = ((300, 100, 10), None, None)
    if code in ("7010",):
        return None, (200000, 1000, 100), (10000, 5000, 2000)
    if code in ("7020",):
        return (1000, 300, 100), (5000, 1000, 500), None
    if division <= 5:
        return None, (20000, 500, 50), None
    if division <= 46:
        return (1000, 300, 20), (40000, 2000, 300), None
    if division <= 50:
        return None, (80000, 6000, 300), (80000, 5000, 300)
    table: dict[int, tuple[Bounds, Bounds, Bounds]] = {
        51: ((200, 20, 5), (40000, 5000, 1000), None),
        52: ((300, 50, 10), (20000, 500, 100), None),
        59: ((200, 100, 20), (30000, 1000, 100), None),
        60: ((1000, 300, 20), (30000, 2000, 100), None),
        61: ((300, 100, 10), (10000, 2000, 100), None),
        62: ((300, 100, 10), (10000, 2000, 100), None),
        63: ((2000, 100, 10), (100000, 1000, 100), None),
        64: ((2000, 100, 10), (100000, 1000, 100), None),
        65: ((300, 100, 10), (10000, 1000, 50), None),
        71: ((300, 100, 10), None, (120000, 8000, 100)),
        72: ((300, 100, 10), None, (120000, 8000, 100)),
    }
    if 54 <= division <= 58:
        return (1000, 300, 20), (30000, 3000, 200), None
    return table.get(division, other)


# Figures used where the rules set no limit for the indicator.
_FREE: tuple[tuple[float, float, float], ...] = ((400, 90, 12), (60000, 4000, 250), (120000, 8000, 400))


@dataclass(frozen=True, slots=True)
class Firms:
    """Employees (persons), turnover and assets (10,000 yuan) of n firms."""

    employees: Floats
    turnover: Floats
    assets: Floats


def draw_industry(section: Ints, letters: Sequence[str], rng: np.random.Generator) -> Ints:
    """A 4-digit class (as a number) for each section code (n,); 0 where the code is outside `letters`."""
    result = np.zeros(len(section), np.int64)
    for code, letter in enumerate(letters):
        where = np.flatnonzero(section == code)
        choices = np.array([int(text) for text in INDUSTRY_CODES[letter]])
        weights = 1.0 / np.arange(1, len(choices) + 1) ** 0.5
        result[where] = rng.choice(choices, len(where), p=weights / weights.sum())
    return result


def draw_firms(
    industry: Ints, size: Ints, size_factor: Floats, position: tuple[Floats, Floats, Floats]
) -> Firms:
    """Figures of firms of wanted class `size` (n,) in `industry` (n,).

    `position` holds three arrays (n,) in (0, 1): where inside the class each indicator lies. `size_factor` (n,)
    multiplies the figures of large firms (1 for ordinary ones).
    """
    codes, inverse = np.unique(industry, return_inverse=True)
    columns = []
    for indicator in range(3):
        limits = np.array([_bounds(f"{code:04d}")[indicator] or _FREE[indicator] for code in codes])[inverse]
        upper_tail = (
            limits[:, 0] * np.exp(0.8 * -np.log1p(-np.clip(position[indicator], 0, 0.995))) * size_factor
        )
        low = np.choose(np.clip(size, 1, 3), [limits[:, 0], limits[:, 1], limits[:, 2], limits[:, 2] * 0.12])
        high = np.choose(np.clip(size, 1, 3), [limits[:, 0], limits[:, 0], limits[:, 1], limits[:, 2]])
        inside = low * (high / low) ** (0.02 + 0.95 * position[indicator])
        columns.append(np.where(size == LARGE, upper_tail * 1.001, inside))
    employees = np.floor(columns[0])
    # Whole persons must not fall below the limit of the class (limits are whole, so floor keeps them).
    return Firms(np.maximum(employees, 1), np.round(columns[1], 2), np.round(columns[2], 2))


def size_of(industry: Ints, employees: Floats, turnover: Floats, assets: Floats) -> Ints:
    """Size class 0..3 by the 2017 rules, for checking what was drawn."""
    result = np.full(len(industry), MICRO)
    for code in np.unique(industry):
        where = industry == code
        bounds = _bounds(f"{code:04d}")
        for rank in (SMALL, MEDIUM, LARGE):
            reached = np.ones(int(where.sum()), bool)
            for limit, values in zip(bounds, (employees, turnover, assets), strict=True):
                if limit is not None:
                    reached &= values[where] >= limit[rank]
            result[np.flatnonzero(where)[reached]] = rank
    return result
