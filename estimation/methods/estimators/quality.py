"""Quality of an estimate: grade, concentration, and how much treatment moved it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Floats
from estimation.methods.cells import domain_codes, grouped_sums
from estimation.methods.results import Estimates
from estimation.methods.sample import StratifiedSample, as_matrix

GRADES = ("A", "B", "C", "D", "E")
THRESHOLDS = (0.05, 0.10, 0.20, 0.35)


def grade(cv: npt.ArrayLike, *, thresholds: Sequence[float] = THRESHOLDS) -> npt.NDArray[np.str_]:
    """Grade A to E of each coefficient of variation, same shape; E means not published.

    A below the first threshold, B below the second, and so on; NaN is E.
    """
    if len(thresholds) != len(GRADES) - 1 or list(thresholds) != sorted(thresholds):
        raise ValueError(f"thresholds must be {len(GRADES) - 1} ascending numbers, not {tuple(thresholds)}")
    array = np.asarray(cv, dtype=np.float64)
    grade_index = np.searchsorted(
        np.asarray(thresholds), np.where(np.isnan(array), np.inf, array), side="right"
    )
    return np.asarray(GRADES)[grade_index]


def grade_estimates(
    estimates: Estimates, *, thresholds: Sequence[float] = THRESHOLDS
) -> npt.NDArray[np.str_]:
    """Grades (D, k): by cv; without sampling error (taken with certainty) A, even for a true zero; without units
    E."""
    letters = grade(estimates.cv, thresholds=thresholds)
    letters[(estimates.se == 0) & np.isfinite(estimates.value)] = "A"
    letters[estimates.n == 0] = "E"
    return letters


def largest_share(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
) -> Floats:
    """Share (D, k) of the largest weighted contributor in the sum of absolute weighted values; NaN if that
    is 0.

    y, domain, domains : as `totals.total`.
    """
    codes, size = domain_codes(domain, sample.n, domains)
    matrix = as_matrix(y, "y", sample.n, base=None if codes is None else codes >= 0)
    rows = np.arange(sample.n) if codes is None else np.flatnonzero(codes >= 0)
    owner = np.zeros(sample.n, dtype=np.intp) if codes is None else codes[rows]
    z = np.abs(matrix[rows] * sample.weight[rows, None])
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    largest = np.zeros((size, matrix.shape[1]))
    if len(starts):
        largest[owner[order][starts]] = np.maximum.reduceat(z[order], starts, axis=0)
    total = grouped_sums(z, owner, size)
    return np.asarray(largest / np.where(total == 0, np.nan, total))


def moved_share(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
) -> Floats:
    """Relative change (D, k) of the total by winsorization: (treated - raw) / |raw|; NaN if the raw total
    is 0.

    y, treated : (n,) or (n, k) values before and after; domain, domains : as `totals.total`.
    """
    codes, size = domain_codes(domain, sample.n, domains)
    base = None if codes is None else codes >= 0
    before = as_matrix(y, "y", sample.n, base=base)
    after = as_matrix(treated, "treated", sample.n, base=base)
    if before.shape != after.shape:
        raise ValueError(f"y {before.shape} and treated {after.shape} differ in shape")
    rows = np.arange(sample.n) if codes is None else np.flatnonzero(codes >= 0)
    owner = np.zeros(sample.n, dtype=np.intp) if codes is None else codes[rows]
    weight = sample.weight[rows, None]
    raw = grouped_sums(weight * before[rows], owner, size)
    change = grouped_sums(weight * (after[rows] - before[rows]), owner, size)
    return np.asarray(change / np.where(raw == 0, np.nan, np.abs(raw)))
