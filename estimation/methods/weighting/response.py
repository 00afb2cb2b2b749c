"""Design weights, non-response inside strata, post-stratification, effective sample size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Floats, Indices
from estimation.methods.sample import as_codes, as_floats, as_mask
from estimation.methods.weighting.calibration import Calibrated


@dataclass(frozen=True, eq=False)
class Poststratified:
    """Weights after post-stratification.

    weight : (n,); factor : (P,) new over old weight in each cell; before : (P,) sums of the old weights
    cell : (n,) codes; totals : (P,) known totals
    """

    weight: Floats
    factor: Floats
    before: Floats
    cell: Indices
    totals: Floats

    @property
    def calibration(self) -> Calibrated:
        """The same as linear calibration on the cells, for the variance of `calibrated_total` and its like."""
        g = self.factor[self.cell]
        old = self.weight / g
        columns = np.eye(len(self.totals))[self.cell]
        movement = float(old @ (g - 1.0) ** 2)
        return Calibrated(self.weight, g, old, columns, self.totals, 0.0, movement, 1)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """The weights, so that the record itself can be given where weights are wanted."""
        return np.array(self.weight, dtype=dtype, copy=copy)


def design_weights(stratum: npt.ArrayLike, population: npt.ArrayLike) -> Floats:
    """N_h / n_h for each drawn unit, (n,); stratum (n,) codes, population (H,). Raises as
    `nonresponse_weights`."""
    codes, sizes = _strata(stratum, population)
    return nonresponse_weights(codes, sizes)


def nonresponse_weights(
    stratum: npt.ArrayLike, population: npt.ArrayLike, *, respondent: npt.ArrayLike | None = None
) -> Floats:
    """Weights N_h / r_h: the valid respondents of a stratum stand for all of it.

    Parameters
    ----------
    stratum : (n,) integer codes 0..H-1 of the drawn units (after collapsing)
    population : (H,) N_h
    respondent : (n,) booleans, valid respondents; None if only respondents are given

    Returns
    -------
    (n,) weights, 0 for non-respondents; those of a stratum sum to N_h.

    Raises
    ------
    ValueError : a stratum with N_h > 0 has no respondent, or r_h > N_h, with its index.
    """
    codes, sizes = _strata(stratum, population)
    answered = (
        np.ones(len(codes), dtype=np.bool_)
        if respondent is None
        else as_mask(respondent, "respondent", len(codes))
    )
    r_h = np.bincount(codes[answered], minlength=len(sizes))
    empty = np.flatnonzero((r_h == 0) & (sizes > 0))
    if len(empty):
        raise ValueError(f"stratum {int(empty[0])} has no respondent: collapse it first")
    excess = np.flatnonzero(r_h > sizes)
    if len(excess):
        h = int(excess[0])
        raise ValueError(f"stratum {h} has {int(r_h[h])} respondents and a population of {sizes[h]}")
    return np.where(answered, (sizes / np.maximum(r_h, 1))[codes], 0.0)


def poststratify(weight: npt.ArrayLike, cell: npt.ArrayLike, totals: npt.ArrayLike) -> Poststratified:
    """Scale weights so that each cell sums to its known total.

    Parameters
    ----------
    weight : (n,) positive; cell : (n,) integer codes 0..P-1; totals : (P,) known counts

    Returns
    -------
    Poststratified; give it to `calibrated_total`, `calibrated_mean` or `calibrated_ratio` for estimates with the
    variance of residuals.

    Raises
    ------
    ValueError : weight <= 0, a negative total, or a cell with a total and no unit, with its index.

    References
    ----------
    Särndal, Swensson and Wretman (1992), section 7.6.
    """
    benchmark = as_floats(totals, "totals", ndim=1)
    w = as_floats(weight, "weight", ndim=1)
    bad = np.flatnonzero(w <= 0)
    if len(bad):
        raise ValueError(f"weight must be positive: index {int(bad[0])} holds {w[bad[0]]}")
    codes = as_codes(cell, "cell", size=len(benchmark), length=len(w))
    before = np.bincount(codes, weights=w, minlength=len(benchmark))
    wrong = np.flatnonzero(
        (benchmark < 0) | ((benchmark > 0) & (before == 0)) | ((benchmark == 0) & (before > 0))
    )
    if len(wrong):
        p = int(wrong[0])
        raise ValueError(f"cell {p} has a known total of {benchmark[p]} and weights that sum to {before[p]}")
    factor = np.divide(benchmark, before, out=np.ones_like(benchmark), where=before > 0)
    return Poststratified(w * factor[codes], factor, before, codes, benchmark)


def effective_sample_size(
    weight: npt.ArrayLike, *, domain: npt.ArrayLike | None = None, domains: int | None = None
) -> Floats:
    """Kish's effective sample size (sum w)^2 / sum w^2 per domain, (D,); 0 for an empty domain.

    weight (n,), zero for units that do not count; domain (n,) codes with -1 outside.
    """
    w = as_floats(weight, "weight", ndim=1)
    codes = np.zeros(len(w), dtype=np.intp) if domain is None else np.asarray(domain)
    size = domains if domains is not None else int(codes.max(initial=0)) + 1
    checked = as_codes(codes, "domain", size=size, length=len(w), lowest=-1)
    inside = checked >= 0
    total = np.bincount(checked[inside], weights=w[inside], minlength=size)
    square = np.bincount(checked[inside], weights=w[inside] ** 2, minlength=size)
    return np.divide(total**2, square, out=np.zeros(size), where=square > 0)


def _strata(stratum: npt.ArrayLike, population: npt.ArrayLike) -> tuple[Indices, Floats]:
    sizes = as_floats(population, "population", ndim=1)
    negative = np.flatnonzero(sizes < 0)
    if len(negative):
        raise ValueError(
            f"population must not be negative: index {int(negative[0])} holds {sizes[negative[0]]}"
        )
    return as_codes(stratum, "stratum", size=len(sizes)), sizes
