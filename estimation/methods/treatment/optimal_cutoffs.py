"""Cutoffs that minimise the mean squared error of a total: one-sided winsorization of Kokic and Bell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Bools, Floats
from estimation.methods.sample import as_codes, as_floats, as_mask


@dataclass(frozen=True, eq=False)
class OptimalCutoffs:
    """Cutoffs of n units and what they do.

    cutoff : (n,) value above which a unit is lowered; inf for units that are never treated
    values : (n,) treated values, y if y <= cutoff, else cutoff + (y - cutoff) / w
    treated : (n,) units that were lowered
    bias : estimated amount by which the total is lowered, sum w (y - values)
    centre : (n,) expected value of each unit from which cutoffs are measured
    """

    cutoff: Floats
    values: Floats
    treated: Bools
    bias: float
    centre: Floats


def optimal_cutoffs(
    y: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    group: npt.ArrayLike | None = None,
    expected: npt.ArrayLike | None = None,
    history: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike] | None = None,
    exempt: npt.ArrayLike | None = None,
    share: npt.ArrayLike | None = None,
) -> OptimalCutoffs:
    """Winsorize the upper side so that the total has about the smallest mean squared error.

    Parameters
    ----------
    y : (n,) float without NaN
    weight : (n,) estimation weights; units of weight 1 or less stand for themselves and are not treated
    group : (n,) integer codes; the expected value of a unit is the weighted mean of its group (None: of all)
    expected : (n,) expected values, from a model say, instead of group means
    history : (y, weight, expected), each (m,), of an earlier survey from which the common bias is found; None
        uses the present data
    exempt : (n,) booleans, units that are not treated
    share : (n,) not negative, how often each unit counts in means and bias: w* / w of a bootstrap replicate

    Returns
    -------
    OptimalCutoffs

    Raises
    ------
    ValueError : NaN, weight <= 0, wrong shapes or codes, with the offending index.

    Notes
    -----
    Type II winsorization keeps 1 / w of the excess: the unit stands for itself in full and for others only up to
    the cutoff. The optimal cutoff is K_i = mu_i + B / (w_i - 1), B > 0 the absolute bias of the total, one number
    for the whole survey. With D_i = (y_i - mu_i)(w_i - 1), B solves B = sum max(D_i - B, 0): sorted downwards,
    B = (D_1 + ... + D_m) / (m + 1) for the one m with D_m >= B > D_{m+1}. With shares r_i the sums are of r_i D_i, and m is
    the sum of the r_i. For one total, that of all units given;
    domain totals of units treated together are not optimal one by one.

    References
    ----------
    Kokic and Bell (1994); Clark (1995).
    """
    values = as_floats(y, "y", ndim=1)
    n = len(values)
    w = _weights(weight, "weight", n)
    free = w > 1.0
    if exempt is not None:
        free &= ~as_mask(exempt, "exempt", n)
    times = np.ones(n) if share is None else as_floats(share, "share", ndim=1, length=n)
    negative = np.flatnonzero(times < 0)
    if len(negative):
        raise ValueError(f"share must not be negative: index {int(negative[0])} holds {times[negative[0]]}")
    centre = (
        _group_means(values, w * times, group)
        if expected is None
        else as_floats(expected, "expected", ndim=1, length=n)
    )
    if history is None:
        shift = _common_bias(((values - centre) * (w - 1.0))[free], times[free])
    else:
        past = as_floats(history[0], "history y", ndim=1)
        past_weight = _weights(history[1], "history weight", len(past))
        past_centre = as_floats(history[2], "history expected", ndim=1, length=len(past))
        lift = ((past - past_centre) * (past_weight - 1.0))[past_weight > 1.0]
        shift = _common_bias(lift, np.ones(len(lift)))
    cutoff = np.full(n, np.inf)
    cutoff[free] = centre[free] + shift / (w[free] - 1.0)
    # Without any value above its expectation there is nothing to lower, and rounding must not find something.
    treated = free & (values > cutoff) & (shift > 0.0)
    result = values.copy()
    result[treated] = cutoff[treated] + (values[treated] - cutoff[treated]) / w[treated]
    bias = float(w @ (values - result))
    return OptimalCutoffs(cutoff, result, treated, bias, centre)


def _common_bias(lift: Floats, share: Floats) -> float:
    """The root B of B = sum share max(lift - B, 0), 0 if no lift is positive."""
    order = np.argsort(-lift, kind="stable")[: int((lift > 0.0).sum())]
    if len(order) == 0:
        return 0.0
    descending, times = lift[order], share[order]
    candidate = np.cumsum(times * descending) / (np.cumsum(times) + 1.0)
    # Candidates rise while the next unit is still above them, then fall: the root is the largest.
    return float(candidate.max())


def _group_means(values: Floats, weight: Floats, group: npt.ArrayLike | None) -> Floats:
    codes = np.zeros(len(values), dtype=np.intp) if group is None else np.asarray(group)
    size = int(codes.max(initial=0)) + 1 if codes.dtype.kind in "iu" else 1
    checked = as_codes(codes, "group", size=size, length=len(values))
    units = np.bincount(checked, weights=weight, minlength=size)
    amount = np.bincount(checked, weights=weight * values, minlength=size)
    return np.asarray((amount / np.where(units > 0, units, 1.0))[checked])


def _weights(weight: npt.ArrayLike, name: str, length: int) -> Floats:
    w = as_floats(weight, name, ndim=1, length=length)
    bad = np.flatnonzero(w <= 0)
    if len(bad):
        raise ValueError(f"{name} must be positive: index {int(bad[0])} holds {w[bad[0]]}")
    return w
