"""The stratified sample: checked once, sorted once, then shared by every estimator."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Bools, Floats, Indices

type Lonely = Literal["certainty", "adjust", "average", "fail"]

LONELY_POLICIES: tuple[Lonely, ...] = ("certainty", "adjust", "average", "fail")


@dataclass(frozen=True, eq=False)
class StratifiedSample:
    """A stratified simple random sample without replacement, with its weights.

    Parameters
    ----------
    stratum : (n,) integers, codes 0..H-1
    population : (H,) float, N_h, units in the frame per stratum
    weight : (n,) float or None
        Estimation weight of each unit; None means N_h / n_h.
    lonely : policy for a stratum with one sampled unit that is not taken with certainty
        ``certainty`` adds zero, ``adjust`` centres the unit on the grand mean, ``average`` scales the
        variance of the other strata by H / (H - lonely), ``fail`` raises.

    Raises
    ------
    ValueError
        With the offending index: NaN, a code outside 0..H-1, a stratum without units, n_h > N_h,
        weight <= 0, and, under ``fail``, a lonely stratum.

    Attributes
    ----------
    sample_size, fraction : (H,) n_h and f_h = n_h / N_h
    factor : (H,) (1 - f_h) n_h / (n_h - 1), 0 for a take-all stratum and for a lonely one
    alone : (H,) lonely strata; even : whether all units of a stratum have the same weight

    Notes
    -----
    The arrays are copied and made read-only, so that a sample cannot drift from what was checked.
    """

    stratum: Indices
    population: Floats
    _: KW_ONLY
    weight: Floats = field(default=None)  # type: ignore[arg-type]  # None: N_h / n_h
    lonely: Lonely = "adjust"
    sample_size: Indices = field(init=False, repr=False)
    fraction: Floats = field(init=False, repr=False)
    factor: Floats = field(init=False, repr=False)
    alone: Bools = field(init=False, repr=False)
    even: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        population = as_floats(self.population, "population", ndim=1)
        if len(population) == 0:
            raise ValueError("population is empty: a sample needs at least one stratum")
        stratum = as_codes(self.stratum, "stratum", size=len(population))
        n_h = np.bincount(stratum, minlength=len(population))
        _check_sizes(n_h, population)
        if self.weight is None:
            weight = (population / n_h)[stratum]
        else:
            weight = as_floats(self.weight, "weight", ndim=1, length=len(stratum))
            _refuse(weight <= 0, "weight must be positive", weight)
        fraction = n_h / population
        census = n_h == population
        alone = (n_h == 1) & ~census
        if self.lonely not in LONELY_POLICIES:
            raise ValueError(f"lonely must be one of {LONELY_POLICIES}, not {self.lonely!r}")
        if self.lonely == "fail" and alone.any():
            raise ValueError(f"stratum {int(np.flatnonzero(alone)[0])} has a single sampled unit")
        # (1 - f_h) n_h / (n_h - 1): what a sum of squares about the stratum mean is multiplied by.
        factor = np.where(census | alone, 0.0, (1.0 - fraction) * n_h / np.maximum(n_h - 1, 1))
        for name, value in (
            ("stratum", stratum),
            ("population", population),
            ("weight", weight),
            ("sample_size", n_h),
            ("fraction", fraction),
            ("factor", factor),
            ("alone", alone),
        ):
            frozen = np.array(value)
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)
        first = np.empty_like(population)
        first[stratum] = weight
        object.__setattr__(self, "even", bool(np.all(first[stratum] == weight)))

    @property
    def n(self) -> int:
        """Number of sampled units."""
        return len(self.stratum)

    @property
    def strata(self) -> int:
        """Number of strata, H."""
        return len(self.population)


def as_floats(values: npt.ArrayLike, name: str, *, ndim: int, length: int | None = None) -> Floats:
    """Finite float64 array of `ndim` dimensions and, if given, `length` rows; else ValueError."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension(s), not {array.ndim}")
    if length is not None and len(array) != length:
        raise ValueError(f"{name} has {len(array)} rows where {length} are needed")
    _refuse(~np.isfinite(array), f"{name} must be finite", array)
    return array


def as_matrix(values: npt.ArrayLike, name: str, length: int, *, base: Bools | None = None) -> Floats:
    """Values `(n,)` or `(n, k)` as a finite C-ordered `(n, k)` float64 matrix.

    Rows outside `base` may be missing (NaN); they come back as zero.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} must be (n,) or (n, k), not {array.ndim}-dimensional")
    if len(array) != length:
        raise ValueError(f"{name} has {len(array)} rows where {length} are needed")
    shape = array.shape
    matrix = np.ascontiguousarray(array.reshape(length, -1))
    # One sum finds most trouble without a mask the size of the data; overflow is sorted out below.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(matrix.sum())
    if suspicious:
        bad = ~np.isfinite(matrix)
        if base is not None and bad.any():
            matrix = np.where(base[:, None], matrix, 0.0)
            bad &= base[:, None]
        _refuse(bad.reshape(shape), f"{name} must be finite", matrix.reshape(shape))
    return matrix


def as_codes(
    values: npt.ArrayLike, name: str, *, size: int, length: int | None = None, lowest: int = 0
) -> Indices:
    """Integer codes `lowest`..size-1 as `(n,)` intp; else ValueError with the offending index."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must have 1 dimension, not {array.ndim}")
    if length is not None and len(array) != length:
        raise ValueError(f"{name} has {len(array)} rows where {length} are needed")
    if array.dtype.kind not in "iub" and array.size:
        raise ValueError(f"{name} must hold integer codes, not {array.dtype}")
    codes = array.astype(np.intp)
    _refuse((codes < lowest) | (codes >= size), f"{name} must lie in {lowest}..{size - 1}", codes)
    return codes


def as_mask(values: npt.ArrayLike, name: str, length: int) -> Bools:
    """Booleans `(n,)`, given as such or as 0 and 1; else ValueError."""
    array = np.asarray(values)
    if array.dtype.kind not in "biu" or array.shape != (length,):
        raise ValueError(f"{name} must be booleans of shape ({length},), not {array.dtype} {array.shape}")
    # Places of units instead of flags would pass as "true" here, so other integers are refused.
    _refuse((array != 0) & (array != 1), f"{name} must be 0 or 1", array)
    return array.astype(np.bool_)


def _check_sizes(n_h: Indices, population: Floats) -> None:
    _refuse(n_h == 0, "stratum has no sampled unit; population", population)
    _refuse(n_h > population, "stratum has more sampled units than population", population)


def _refuse(bad: Bools, message: str, values: npt.NDArray[Any]) -> None:
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        where = index[0] if len(index) == 1 else index
        raise ValueError(f"{message}: index {where} holds {values[index]} ({int(bad.sum())} in all)")
