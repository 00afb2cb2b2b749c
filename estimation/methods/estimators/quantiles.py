"""Quantiles of unit values under the design, with Woodruff intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from estimation.methods.arrays import Floats, Indices
from estimation.methods.cells import domain_codes
from estimation.methods.estimators.ratios import ratio
from estimation.methods.results import IntervalBasis, coefficient_of_variation, limits
from estimation.methods.sample import StratifiedSample, as_matrix

# Cumulative weights closer than this to the target, relative to the domain's weight, are on it: otherwise the
# order of summation would decide which of two neighbours is the median.
_ON_TARGET = 1e-10


@dataclass(frozen=True, eq=False)
class Quantiles:
    """Quantiles of k items in D domains at P probabilities, each array `(D, k, P)` unless said otherwise.

    One probability given as a number, not as a list, leaves the last axis out: `(D, k)`, as in `Estimates`.

    value : smallest sampled value y with F(y) >= p, F the weighted distribution function of the domain
    lower, upper : Woodruff limits, NaN where the interval of F leaves 0..1
    se : (upper - lower) / (2 q), q the quantile of the interval; cv : se / |value|
    deff : design effect of the share F(value), the estimate behind the interval
    probs : (P,); n : (D, k) sampled units in the domain; df : (D,) units minus strata in the domain
    """

    value: Floats
    se: Floats
    cv: Floats
    lower: Floats
    upper: Floats
    deff: Floats
    probs: Floats
    n: Indices
    df: Floats
    level: float
    basis: IntervalBasis


def quantile(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    probs: npt.ArrayLike,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Quantiles:
    """Quantiles per domain and item with Woodruff intervals.

    Parameters
    ----------
    y : (n,) or (n, k) float; may be NaN only where `domain` is -1
    probs : scalar or (P,), each in 0..1
    domain, domains, level, df : as `totals.total`

    Returns
    -------
    Quantiles with arrays (D, k, P), (D, k) for a scalar `probs`; NaN for an empty domain.

    Raises
    ------
    ValueError : as `total`; a probability outside 0..1, with its index.

    Notes
    -----
    Rule: inverse of the distribution function, q = min {y : F(y) >= p}, F(y) = sum w 1_d 1(y_i <= y) / N_d.
    Interval: F(q) with its linearised standard error s gives the limits F(q) -+ z s, and the same inverse maps
    them back. These are the conventions of R's `svyquantile(interval.type = "mean", qrule = "math")`, with
    `df="design"` for its default. Where p is exactly a step of F, R leaves the choice between two neighbours to
    rounding; here it is the lower one, as the definition says.

    References
    ----------
    Woodruff (1952); Särndal, Swensson and Wretman (1992), section 5.11; Lumley (2010), section 2.4.
    """
    probabilities = _probabilities(probs)
    codes, size = domain_codes(domain, sample.n, domains)
    matrix = as_matrix(y, "y", sample.n, base=None if codes is None else codes >= 0)
    inside = np.arange(sample.n) if codes is None else np.flatnonzero(codes >= 0)
    domain_code = np.zeros(len(inside), dtype=np.intp) if codes is None else codes[inside]
    shape = (size, matrix.shape[1], len(probabilities))
    value, lower, upper, deff = (np.empty(shape) for _ in range(4))
    base = np.ones(sample.n)
    n, df_of_domain = np.zeros((size, 1), dtype=np.intp), np.zeros(size)
    for item in range(matrix.shape[1]):
        column = matrix[:, item]
        curve = _Distribution(column[inside], sample.weight[inside], domain_code, size)
        quantiles = curve.inverse(np.broadcast_to(probabilities, (size, len(probabilities))))
        # Outside the domains the comparison is with NaN, and False is as good as anything there.
        bound = quantiles[np.zeros(sample.n, dtype=np.intp) if codes is None else codes]
        share = ratio(sample, column[:, None] <= bound, base, domain=codes, domains=size, level=level, df=df)
        value[:, item] = quantiles
        lower[:, item], upper[:, item] = curve.inverse(share.lower), curve.inverse(share.upper)
        deff[:, item] = share.deff
        n, df_of_domain = share.n[:, :1], share.df
    half = (upper - lower).reshape(size, -1) / 2.0
    se = (half / _multiplier(df_of_domain, level, df)[:, None]).reshape(shape)
    # A scalar probability has no axis of its own.
    shaped = shape[:2] if np.ndim(probs) == 0 else shape
    return Quantiles(
        value=value.reshape(shaped),
        se=se.reshape(shaped),
        cv=coefficient_of_variation(value, se).reshape(shaped),
        lower=lower.reshape(shaped),
        upper=upper.reshape(shaped),
        deff=deff.reshape(shaped),
        probs=probabilities,
        n=np.repeat(n, shape[1], axis=1),
        df=df_of_domain,
        level=level,
        basis=df,
    )


class _Distribution:
    """Weighted distribution functions of one item in D domains, ready to be inverted."""

    def __init__(self, values: Floats, weight: Floats, domain: Indices, domains: int) -> None:
        order = np.lexsort((values, domain))
        self.values = values[order]
        self.count = np.bincount(domain, minlength=domains)
        self.first = np.cumsum(self.count) - self.count
        sorted_weight = weight[order]
        self.whole = np.bincount(domain, weights=weight, minlength=domains)
        self.cumulative = [
            np.cumsum(sorted_weight[start : start + count])
            for start, count in zip(self.first, self.count, strict=True)
        ]

    def inverse(self, share: Floats) -> Floats:
        """Smallest values (D, P) at which each domain's function reaches `share` (D, P); NaN outside 0..1."""
        result = np.full(share.shape, np.nan)
        for d in np.flatnonzero(self.count):
            usable = (share[d] >= 0.0) & (share[d] <= 1.0 + _ON_TARGET)
            target = share[d][usable] * self.whole[d] - _ON_TARGET * self.whole[d]
            rank = np.searchsorted(self.cumulative[d], target, side="left")
            result[d, usable] = self.values[self.first[d] + np.minimum(rank, self.count[d] - 1)]
        return result


def _multiplier(df: Floats, level: float, basis: IntervalBasis) -> Floats:
    """Quantile (D,) by which a standard error is multiplied in an interval."""
    if basis == "normal":
        return np.full(len(df), float(special.ndtri(0.5 + level / 2.0)))
    unit = np.ones((len(df), 1))
    return np.asarray(limits(np.zeros_like(unit), unit, df, level, basis)[1][:, 0])


def _probabilities(probs: npt.ArrayLike) -> Floats:
    probabilities = np.atleast_1d(np.asarray(probs, dtype=np.float64))
    if probabilities.ndim != 1:
        raise ValueError(f"probs must be a scalar or (P,), not {probabilities.ndim}-dimensional")
    wrong = np.flatnonzero(~((probabilities >= 0.0) & (probabilities <= 1.0)))
    if len(wrong):
        raise ValueError(f"probs must lie in 0..1: index {int(wrong[0])} holds {probabilities[wrong[0]]}")
    return probabilities
