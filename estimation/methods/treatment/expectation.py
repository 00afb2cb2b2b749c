"""Expected values of units: own past times class growth, else class ratio times size, else class median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.sample import as_codes, as_floats
from estimation.methods.treatment.winsorization import weighted_quantiles

type Factor = Literal["sums", "median"]


class Source(IntEnum):
    """Where an expected value comes from."""

    NONE = 0
    PREVIOUS = 1  # own previous value times the growth of the class
    SIZE = 2  # own size measure times the ratio of the class
    MEDIAN = 3  # median of the class
    DONOR = 4  # value of a random unit of the class


@dataclass(frozen=True, eq=False)
class Expected:
    """Expected values of n units.

    value : (n,), NaN where there is none; source : (n,) codes of `Source`
    depth : (n,) 0 if the unit's own class gave the factor, 1 its first parent, and so on; -1 for none
    """

    value: Floats
    source: npt.NDArray[np.int8]
    depth: npt.NDArray[np.int8]


def expected_values(
    y: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    previous: npt.ArrayLike | None = None,
    size: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    parent: Sequence[npt.ArrayLike] = (),
    minimum: int = 5,
    factor: Factor = "sums",
    median: bool = True,
) -> Expected:
    """What each unit's value should be, from its past, its size or its class.

    Parameters
    ----------
    y : (n,) present values, NaN where missing
    group : (n,) integer codes 0..G-1, the class
    previous : (n,) accepted values of the year before, NaN where there is none
    size : (n,) size measure, NaN where there is none
    weight : (n,) weights of sums and medians; None is 1
    parent : wider classes, fine to coarse, each (n,) codes
    minimum : fewest units a factor is computed from; otherwise the next parent, and finally the next source
    factor : "sums" is the ratio of weighted sums, "median" the weighted median of unit ratios, which a wrong value
        cannot move
    median : whether the class median is the last resort

    Returns
    -------
    Expected; a missing value does not enter factors, but has an expected value like the others.

    Raises
    ------
    ValueError : infinite values, bad codes or weights, with the offending index.

    References
    ----------
    de Waal, Pannekoek and Scholtus (2011), sections 7.3 (ratio) and 10.5 (change over time).
    """
    values = sparse_floats(y, "y")
    n = len(values)
    w = np.ones(n) if weight is None else as_floats(weight, "weight", ndim=1, length=n)
    levels = class_levels(group, parent, n)
    result = np.full(n, np.nan)
    source, depth = np.zeros(n, dtype=np.int8), np.full(n, -1, dtype=np.int8)
    bases = [(Source.PREVIOUS, previous, "previous"), (Source.SIZE, size, "size")]
    for code, given, name in bases:
        if given is None:
            continue
        base = sparse_floats(given, name, length=n)
        # A base of zero has no ratio, and zero times a growth is no expectation.
        usable = np.isfinite(base) & (base > 0)
        factors, level = _factors(values, base, usable & ~np.isnan(values), w, levels, minimum, factor)
        _fill(
            result, source, depth, usable & (level >= 0), factors * np.where(usable, base, 0.0), level, code
        )
    if median:
        factors, level = _factors(values, np.ones(n), ~np.isnan(values), w, levels, minimum, "median")
        _fill(result, source, depth, level >= 0, factors, level, Source.MEDIAN)
    return Expected(result, source, depth)


def sparse_floats(values: npt.ArrayLike, name: str, length: int | None = None) -> Floats:
    """Values (n,) that may be missing (NaN) but not infinite; else ValueError with the index."""
    array = np.asarray(values, dtype=np.float64)
    as_floats(np.where(np.isnan(array), 0.0, array), name, ndim=1, length=length)
    return array


def class_levels(group: npt.ArrayLike, parent: Sequence[npt.ArrayLike], n: int) -> list[tuple[Indices, int]]:
    """Codes and number of classes of the group and each of its parents."""
    levels = []
    for number, codes in enumerate((group, *parent)):
        array = np.asarray(codes)
        size = int(array.max(initial=0)) + 1 if array.dtype.kind in "iu" else 1
        name = "group" if number == 0 else f"parent {number - 1}"
        levels.append((as_codes(array, name, size=size, length=n), size))
    return levels


def _factors(
    values: Floats,
    base: Floats,
    used: Bools,
    weight: Floats,
    levels: list[tuple[Indices, int]],
    minimum: int,
    factor: Factor,
) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Factor (n,) of each unit's class and the level it comes from, -1 for none."""
    if factor not in ("sums", "median"):
        raise ValueError(f"factor must be 'sums' or 'median', not {factor!r}")
    result, level = np.full(len(values), np.nan), np.full(len(values), -1, dtype=np.int8)
    rows = np.flatnonzero(used)
    for number, (codes, size) in enumerate(levels):
        inside = codes[rows]
        count = np.bincount(inside, minlength=size)
        if factor == "sums":
            top = np.bincount(inside, weights=(weight * values)[rows], minlength=size)
            bottom = np.bincount(inside, weights=(weight * base)[rows], minlength=size)
            table = top / np.where(bottom > 0, bottom, np.nan)
        else:
            ratios = values[rows] / base[rows]
            table = weighted_quantiles(ratios, [0.5], group=inside, groups=size, weight=weight[rows])[:, 0]
        ready = (level < 0) & (count >= max(minimum, 1))[codes]
        result[ready], level[ready] = table[codes[ready]], number
    return result, level


def _fill(
    result: Floats,
    source: npt.NDArray[np.int8],
    depth: npt.NDArray[np.int8],
    ready: Bools,
    value: Floats,
    level: npt.NDArray[np.int8],
    code: Source,
) -> None:
    fillable = ready & (source == Source.NONE)
    result[fillable], source[fillable], depth[fillable] = value[fillable], code, level[fillable]
