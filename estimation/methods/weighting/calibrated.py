"""Totals, means and ratios under calibrated weights, with the variance of the residuals."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Floats, Indices
from estimation.methods.cells import build_cells, domain_codes
from estimation.methods.estimators.ratios import _same_columns
from estimation.methods.estimators.variance import design_effect, moments, stratified_variance, weighted
from estimation.methods.results import Estimates, IntervalBasis, make_estimates
from estimation.methods.sample import StratifiedSample, as_matrix
from estimation.methods.weighting.calibration import Calibrated
from estimation.methods.weighting.response import Poststratified

type ResidualFit = Literal["weighted", "unweighted"]


def calibrated_total(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    calibration: Calibrated | Poststratified,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    fit: ResidualFit = "weighted",
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """Totals under calibrated weights.

    Parameters
    ----------
    sample : the design; its own weights are not used
    y : (n,) or (n, k) float; may be NaN only where `domain` is -1
    calibration : of the same n units, from `calibrate`, `rake` or `poststratify`
    fit : regression of the residuals; "weighted" by the weights before calibration, as R after `calibrate` and
        `postStratify`; "unweighted" as R after `rake`, whose estimates are the same and whose errors are not
    domain, domains, level, df : as `totals.total`

    Returns
    -------
    Estimates (D, k); deff compares with simple random sampling of y itself, so it shows what was gained.

    Raises
    ------
    ValueError : as `total`; a calibration of another number of units.

    Notes
    -----
    z = w g e, e the residual of 1_d y in its regression on x over the whole sample. The residuals outside the
    domain are not zero and they count.

    References
    ----------
    Deville and Särndal (1992), section 3; Särndal, Swensson and Wretman (1992), section 6.6.
    """
    calibration = _calibration(calibration)
    matrix, codes, size = _checked(sample, y, calibration, domain, domains)
    return _estimates(sample, matrix, None, calibration, codes, size, fit, level, df)


def calibrated_mean(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    calibration: Calibrated | Poststratified,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    fit: ResidualFit = "weighted",
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """Means under calibrated weights; parameters as `calibrated_total`. NaN for an empty domain."""
    ones = np.ones(sample.n)
    return calibrated_ratio(
        sample, y, ones, calibration, domain=domain, domains=domains, fit=fit, level=level, df=df
    )


def calibrated_ratio(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    x: npt.ArrayLike,
    calibration: Calibrated | Poststratified,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    fit: ResidualFit = "weighted",
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """Ratios of two totals under calibrated weights; x (n,) or (n, k), the rest as `calibrated_total`.

    Notes
    -----
    The linearised variable 1_d (y - R x) / X_d takes the place of y in the residuals.
    """
    calibration = _calibration(calibration)
    matrix, codes, size = _checked(sample, y, calibration, domain, domains)
    base = None if codes is None else codes >= 0
    denominator = _same_columns(as_matrix(x, "x", sample.n, base=base), matrix.shape[1])
    return _estimates(sample, matrix, denominator, calibration, codes, size, fit, level, df)


def _calibration(given: Calibrated | Poststratified) -> Calibrated:
    return given.calibration if isinstance(given, Poststratified) else given


def _checked(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    calibration: Calibrated,
    domain: npt.ArrayLike | None,
    domains: int | None,
) -> tuple[Floats, Indices | None, int]:
    if len(calibration.weight) != sample.n:
        raise ValueError(f"calibration has {len(calibration.weight)} units where {sample.n} are needed")
    codes, size = domain_codes(domain, sample.n, domains)
    return as_matrix(y, "y", sample.n, base=None if codes is None else codes >= 0), codes, size


def _estimates(
    sample: StratifiedSample,
    y: Floats,
    x: Floats | None,
    calibration: Calibrated,
    codes: Indices | None,
    size: int,
    fit: ResidualFit,
    level: float,
    df: IntervalBasis,
) -> Estimates:
    """Value, variance and design effect domain by domain: each has residuals in the whole sample."""
    design = _with_weights(sample, calibration)
    everyone = build_cells(design, None, 1)
    regression = _Regression(calibration, fit)
    domain_code = np.zeros(sample.n, dtype=np.intp) if codes is None else codes
    shape = (size, y.shape[1])
    value, variance, deff = np.zeros(shape), np.zeros(shape), np.full(shape, np.nan)
    for d in range(size):
        inside = (domain_code == d)[:, None]
        linear = np.where(inside, y, 0.0)
        value[d] = calibration.weight @ linear
        if x is not None:
            amount = calibration.weight @ np.where(inside, x, 0.0)
            amount = np.where(amount == 0.0, np.nan, amount)
            value[d] /= amount
            linear = np.where(inside, (y - value[d] * x) / amount, 0.0)
        residual = regression.residual(np.nan_to_num(linear)) * calibration.weight[:, None]
        parts = moments(design, everyone, residual[everyone.order])
        row = stratified_variance(design, everyone, parts)
        variance[d] = np.where(np.isnan(value[d]), np.nan, row[0])
        own = build_cells(design, np.where(inside[:, 0], 0, -1), 1)
        plain = moments(design, own, weighted(design, own, np.nan_to_num(linear)))
        deff[d] = design_effect(own, plain, variance[d : d + 1])[0]
    cells = build_cells(design, codes, size)
    z = weighted(design, cells, y)
    positive = cells.over_domains(cells.sums((z > 0).astype(np.float64))).astype(np.intp)
    weight = cells.over_domains(cells.sums(design.weight[cells.order, None]))[:, 0]
    return make_estimates(
        value, variance, deff, cells, positive=positive, weight=weight, level=level, basis=df
    )


def _with_weights(sample: StratifiedSample, calibration: Calibrated) -> StratifiedSample:
    # A linear calibration may give a weight of 0 or below; the design must still be built, since values and
    # residuals take their weights from the calibration. Such weights only blur the design effect.
    usable = np.maximum(calibration.weight, np.finfo(np.float64).tiny)
    return StratifiedSample(sample.stratum, sample.population, weight=usable, lonely=sample.lonely)


class _Regression:
    """Least squares on x, decomposed once for all items and domains."""

    def __init__(self, calibration: Calibrated, fit: ResidualFit) -> None:
        if fit not in ("weighted", "unweighted"):
            raise ValueError(f"fit must be 'weighted' or 'unweighted', not {fit!r}")
        root = np.sqrt(calibration.before) if fit == "weighted" else np.ones(len(calibration.before))
        columns = calibration.x * root[:, None]
        size = np.sqrt((columns**2).sum(axis=0))
        # An orthonormal basis of the columns; redundant ones (margins sharing a sum) drop out.
        basis, strength, _ = np.linalg.svd(columns / np.where(size == 0, 1.0, size), full_matrices=False)
        self.basis = basis[:, strength > 1e-11 * strength.max(initial=0.0)]
        self.root = root[:, None]

    def residual(self, linear: Floats) -> Floats:
        """Residuals (n, k) of (n, k)."""
        scaled = linear * self.root
        scaled -= self.basis @ (self.basis.T @ scaled)
        scaled /= self.root
        return scaled
