"""What a treatment of extreme values buys: its bias against the variance that it takes away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Floats
from estimation.methods.estimators.totals import total
from estimation.methods.sample import StratifiedSample


@dataclass(frozen=True, eq=False)
class TreatmentGain:
    """Estimated mean squared errors of totals before and after a treatment, each array `(D, k)`.

    bias : estimated bias of the treated total, treated minus raw; bias_se : its standard error
    variance, variance_treated : of the two totals; the raw one has no bias, so its variance is its MSE
    mse_treated : variance_treated + max(0, bias^2 - bias_se^2)
    ratio : mse_treated / variance, below 1 where the treatment pays; NaN where the raw total has no error
    """

    bias: Floats
    bias_se: Floats
    variance: Floats
    variance_treated: Floats
    mse_treated: Floats
    ratio: Floats


def treatment_gain(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
) -> TreatmentGain:
    """Estimated gain in mean squared error of the totals of `treated` over those of `y`.

    Parameters
    ----------
    y, treated : (n,) or (n, k) values before and after, such as `winsorize(...).values`
    domain, domains : as `totals.total`

    Raises
    ------
    ValueError : as `total`; shapes that differ. Trimmed units are missing values and are refused: put them outside
        the domain.

    Notes
    -----
    The square of the estimated bias is too large by its own variance, which is taken off. Cutoffs are taken as given:
    where they come from the same sample they move with it, and the estimate is too small (by a quarter for a
    lognormal population in the tests). So the ratio tells a treatment that is not worth its bias; that one is worth
    it a simulation says (`manage.py simulate`), or a bootstrap that finds the cutoffs anew in each replicate.
    """
    before, after = np.asarray(y, dtype=np.float64), np.asarray(treated, dtype=np.float64)
    if before.shape != after.shape:
        raise ValueError(f"y {before.shape} and treated {after.shape} differ in shape")
    if domain is not None:
        # Outside every domain both may be missing, and their difference with them.
        outside = np.asarray(domain) < 0
        before, after = before.copy(), after.copy()
        before[outside], after[outside] = 0.0, 0.0
    raw, new, moved = (
        total(sample, values, domain=domain, domains=domains) for values in (before, after, after - before)
    )
    excess = np.maximum(moved.value**2 - moved.variance, 0.0)
    mse = new.variance + excess
    ratio = np.divide(mse, raw.variance, out=np.full_like(mse, np.nan), where=raw.variance > 0)
    return TreatmentGain(moved.value, moved.se, raw.variance, new.variance, mse, ratio)
