"""Calibration of weights to known totals: linear, raking, logit; with bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Floats, Indices
from estimation.methods.sample import as_codes, as_floats, as_matrix

type CalibrationMethod = Literal["linear", "raking", "logit"]

_MARGIN_AGREEMENT = 1e-9


class ConvergenceError(ArithmeticError):
    """Known totals that the weights cannot meet.

    distance : largest |sum w x - t| / (1 + |t|) that was achieved; column : the total that is missed most;
    iterations : steps taken.
    """

    def __init__(self, message: str, *, distance: float, column: int, iterations: int) -> None:
        super().__init__(
            f"{message}: total {column} is missed by {distance:.3g} of its size after {iterations} iterations"
        )
        self.distance = distance
        self.column = column
        self.iterations = iterations


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Weights that meet known totals.

    weight : (n,) new weights; g : (n,) new over old weight; before : (n,) old weights
    x : (n, p) auxiliary variables; totals : (p,) their known totals
    distance : achieved largest |sum w x - t| / (1 + |t|)
    movement : sum of old w (g - 1)^2, the chi-square distance of the new weights from the old
    iterations : Newton steps, or rounds of raking
    """

    weight: Floats
    g: Floats
    before: Floats
    x: Floats
    totals: Floats
    distance: float
    movement: float
    iterations: int

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """The weights, so that the record itself can be given where weights are wanted."""
        return np.array(self.weight, dtype=dtype, copy=copy)


def calibrate(
    weight: npt.ArrayLike,
    x: npt.ArrayLike,
    totals: npt.ArrayLike,
    *,
    method: CalibrationMethod = "linear",
    bounds: tuple[float, float] | None = None,
    tol: float = 1e-9,
    max_iterations: int = 200,
) -> Calibrated:
    """Weights closest to the given ones whose sums over x are the known totals.

    Parameters
    ----------
    weight : (n,) positive weights before calibration
    x : (n,) or (n, p) auxiliary variables (include a column of ones to fix the number of units)
    totals : (p,) known totals
    method : distance; "linear" is the regression estimator (GREG), "raking" keeps weights positive, "logit"
        keeps g inside `bounds` smoothly
    bounds : (L, U) with L < 1 < U, limits of g; needed by "logit", a truncation of the other two
    tol : largest allowed |sum w x - t| / (1 + |t|)
    max_iterations : Newton steps before giving up

    Returns
    -------
    Calibrated

    Raises
    ------
    ValueError : NaN, weight <= 0, wrong shapes or bounds, with the offending index.
    ConvergenceError : the totals cannot be met (they contradict each other or the bounds); carries the distance
        that was achieved.

    Notes
    -----
    g_i = F(x_i' b) with F(u) = 1 + u, exp(u) or the logit of Deville and Särndal (1992, section 2), truncated
    at the bounds. b minimises the convex function sum w G(x' b) - t' b, G' = F, by damped Newton steps;
    redundant columns of x are harmless as long as their totals agree.

    References
    ----------
    Deville and Särndal (1992); Deville, Särndal and Sautory (1993).
    """
    old = _positive(weight)
    auxiliary = as_matrix(x, "x", len(old))
    benchmark = as_floats(totals, "totals", ndim=1, length=auxiliary.shape[1])
    curve = _Curve(method, bounds)
    # Columns of one size: counts and turnover differ by many orders of magnitude.
    size = np.sqrt(old @ auxiliary**2)
    size[size == 0] = 1.0
    scaled, target = auxiliary / size, benchmark / size
    b = np.zeros(len(benchmark))
    g, iterations = np.ones(len(old)), 0
    best: tuple[float, Floats] | None = None
    while True:
        misfit = target - (old * g) @ scaled
        distance, column = _distance(misfit * size, benchmark)
        if best is not None:
            # One step beyond the tolerance, kept if it helps: it squares the distance and costs little.
            distance, g = (distance, g) if distance < best[0] else best
            break
        if distance <= tol:
            best = (distance, g)
        elif iterations == max_iterations:
            raise ConvergenceError(
                f"{method} calibration failed", distance=distance, column=column, iterations=iterations
            )
        slope = old * curve.slope(scaled @ b)
        step = np.linalg.pinv((scaled * slope[:, None]).T @ scaled, rcond=1e-13, hermitian=True) @ misfit
        moved = _damped(curve, old, scaled, target, b, step, float(step @ misfit))
        if moved is None:
            if best is not None:
                break
            raise ConvergenceError(
                f"{method} calibration failed", distance=distance, column=column, iterations=iterations
            )
        iterations += best is None
        b = moved
        g = curve.g(scaled @ b)
    movement = float(old @ (g - 1.0) ** 2)
    return Calibrated(old * g, g, old, auxiliary, benchmark, distance, movement, iterations)


def rake(
    weight: npt.ArrayLike,
    margins: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    tol: float = 1e-9,
    max_iterations: int = 1000,
) -> Calibrated:
    """Weights that meet the known counts of several classifications, by iterative proportional fitting.

    Parameters
    ----------
    weight : (n,) positive
    margins : pairs of codes (n,) 0..P_j-1 and known totals (P_j,)
    tol, max_iterations : as `calibrate`; an iteration is one round over all margins

    Returns
    -------
    Calibrated; `x` holds one 0/1 column per category, margins side by side.

    Raises
    ------
    ValueError : as `calibrate`; a category with a total and no unit (or the reverse); margins that sum to
        different totals.
    ConvergenceError : the margins cannot be met together.

    Notes
    -----
    The limit is that of `calibrate(..., method="raking")` on these columns.

    References
    ----------
    Deming and Stephan (1940); Deville, Särndal and Sautory (1993).
    """
    old = _positive(weight)
    sides = [
        _margin(number, old, codes, margin_totals) for number, (codes, margin_totals) in enumerate(margins)
    ]
    if not sides:
        raise ValueError("margins is empty: raking needs at least one")
    sums = [float(margin_totals.sum()) for _, margin_totals in sides]
    for number, margin_sum in enumerate(sums):
        if abs(margin_sum - sums[0]) > _MARGIN_AGREEMENT * max(abs(sums[0]), 1.0):
            raise ValueError(f"margin {number} sums to {margin_sum}, margin 0 to {sums[0]}")
    g, iterations = np.ones(len(old)), 0
    totals = np.concatenate([margin_totals for _, margin_totals in sides])
    while True:
        estimated = np.concatenate(
            [np.bincount(c, weights=old * g, minlength=len(margin_totals)) for c, margin_totals in sides]
        )
        distance, column = _distance(totals - estimated, totals)
        if distance <= tol:
            break
        if iterations == max_iterations:
            raise ConvergenceError("raking failed", distance=distance, column=column, iterations=iterations)
        iterations += 1
        for codes, margin_totals in sides:
            now = np.bincount(codes, weights=old * g, minlength=len(margin_totals))
            g = g * np.divide(margin_totals, now, out=np.ones_like(margin_totals), where=now > 0)[codes]
    columns = np.concatenate([np.eye(len(margin_totals))[codes] for codes, margin_totals in sides], axis=1)
    movement = float(old @ (g - 1.0) ** 2)
    return Calibrated(old * g, g, old, columns, totals, distance, movement, iterations)


class _Curve:
    """The calibration function F with its slope and integral, truncated at the bounds."""

    def __init__(self, method: CalibrationMethod, bounds: tuple[float, float] | None) -> None:
        if method not in ("linear", "raking", "logit"):
            raise ValueError(f"method must be 'linear', 'raking' or 'logit', not {method!r}")
        if bounds is None and method == "logit":
            raise ValueError("method='logit' needs bounds")
        self.method = method
        self.low, self.high = (-np.inf, np.inf) if bounds is None else bounds
        if not self.low < 1.0 < self.high or (method == "logit" and not np.isfinite(self.high - self.low)):
            raise ValueError(f"bounds need low < 1 < high, not {bounds}")
        if method == "logit":
            self.logit_scale = (self.high - self.low) / ((1.0 - self.low) * (self.high - 1.0))

    def g(self, u: Floats) -> Floats:
        """F(u)."""
        if self.method == "linear":
            return np.clip(1.0 + u, self.low, self.high)
        if self.method == "raking":
            with np.errstate(over="ignore"):
                return np.clip(np.exp(u), max(self.low, 0.0), self.high)
        odds = (1.0 - self.low) / (self.high - 1.0) * np.exp(np.clip(self.logit_scale * u, -700.0, 700.0))
        return np.asarray(self.low + (self.high - self.low) * (odds / (1.0 + odds)))

    def slope(self, u: Floats) -> Floats:
        """F'(u), 0 where a bound holds."""
        g = self.g(u)
        if self.method == "logit":
            return np.asarray(self.logit_scale * (g - self.low) * (self.high - g) / (self.high - self.low))
        free = (g > self.low) & (g < self.high)
        return np.where(free, 1.0 if self.method == "linear" else g, 0.0)


def _damped(
    curve: _Curve,
    weight: Floats,
    x: Floats,
    target: Floats,
    b: Floats,
    step: Floats,
    descent: float,
) -> Floats | None:
    """b + c step with the largest c = 1, 1/2, 1/4, ... at which the convex function has not turned steeply
    uphill along the step; None when no c is left. The test needs slopes only, so nothing cancels."""
    if not descent > 0.0:
        return None
    for halving in range(60):
        trial = b + step * 0.5**halving
        g = curve.g(x @ trial)
        if np.isfinite(g).all():
            ahead = float(step @ (target - (weight * g) @ x))
            if ahead >= -0.9 * descent:
                return trial
    return None


def _distance(misfit: Floats, totals: Floats) -> tuple[float, int]:
    relative = np.abs(misfit) / (1.0 + np.abs(totals))
    column = int(np.argmax(relative))
    return float(relative[column]), column


def _positive(weight: npt.ArrayLike) -> Floats:
    w = as_floats(weight, "weight", ndim=1)
    bad = np.flatnonzero(w <= 0)
    if len(bad):
        raise ValueError(f"weight must be positive: index {int(bad[0])} holds {w[bad[0]]}")
    return w


def _margin(
    number: int, weight: Floats, codes: npt.ArrayLike, totals: npt.ArrayLike
) -> tuple[Indices, Floats]:
    margin_totals = as_floats(totals, f"totals of margin {number}", ndim=1)
    checked = as_codes(codes, f"codes of margin {number}", size=len(margin_totals), length=len(weight))
    present = np.bincount(checked, minlength=len(margin_totals)) > 0
    wrong = np.flatnonzero((margin_totals < 0) | ((margin_totals > 0) != present))
    if len(wrong):
        p = int(wrong[0])
        units = "units" if present[p] else "no unit"
        raise ValueError(
            f"category {p} of margin {number} has a known total of {margin_totals[p]} and {units}"
        )
    return checked, margin_totals
