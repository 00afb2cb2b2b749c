"""The smallest sample that meets several precision targets at once (Bethel)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.sample import as_codes, as_floats, as_mask, as_matrix
from estimation.methods.weighting.calibration import ConvergenceError

# How far the real-valued solution may be from its constraints before it is rounded to whole units.
_FEASIBLE = 1e-9


@dataclass(frozen=True, eq=False)
class CVTarget:
    """Wanted coefficients of variation of the totals of k items in D domains of strata.

    cv : scalar, (k,) or (D, k), positive; NaN asks for nothing
    domain : (H,) integer codes of the domain of each stratum, -1 for none; None is the whole
    """

    cv: npt.ArrayLike
    domain: npt.ArrayLike | None = None


@dataclass(frozen=True, eq=False)
class MultivariateAllocation:
    """Sample sizes that meet all targets.

    n_h : (H,) whole sample sizes; exact : (H,) real-valued optimum before rounding
    cv : per target (D, k), the coefficients of variation that n_h promises
    multiplier : per target (D, k), what a relative loosening of the variance target saves, in cost; 0 where the
        target does not bind
    cost : cost of n_h
    """

    n_h: Indices
    exact: Floats
    cv: tuple[Floats, ...]
    multiplier: tuple[Floats, ...]
    cost: float


def allocate_multivariate(
    population: npt.ArrayLike,
    *,
    mean: npt.ArrayLike,
    spread: npt.ArrayLike,
    targets: Sequence[CVTarget],
    unit_cost: npt.ArrayLike | None = None,
    minimum: int = 2,
    take_all: npt.ArrayLike | None = None,
    max_iterations: int = 20000,
) -> MultivariateAllocation:
    """The cheapest allocation that keeps every target coefficient of variation.

    Parameters
    ----------
    population : (H,) whole numbers N_h
    mean, spread : (H,) or (H, k) mean and standard deviation S_h of each item in the stratum
    targets : wanted precision, for the nation, regions, industries, ... at once
    unit_cost : (H,) positive cost of a unit; None is 1
    minimum : units per stratum at least, or all of a smaller stratum
    take_all : (H,) booleans, strata surveyed whole

    Returns
    -------
    MultivariateAllocation; no stratum above its minimum can be lowered by one without breaking a target.

    Raises
    ------
    ValueError : bad values with their index; no target; a target for a total of 0 with spread.
    ConvergenceError : the real-valued optimum was not reached in `max_iterations`.

    Notes
    -----
    Minimise sum c_h n_h subject to sum_h a_hj / n_h <= 1 and minimum <= n_h <= N_h, with
    a_hj = N_h^2 S_hj^2 / (cv_j^2 Y_j^2 + sum_h N_h S_hj^2) over the strata of target j. A stationary point is
    n_h = sqrt(sum_j l_j a_hj / c_h), clipped; the multipliers follow Chromy's steps l_j <- l_j (sum a / n)^2
    or, where that is better, steps that know how targets share strata (Newton's for log l on log sum a / n = 0, damped).
    The problem is convex in n, so the point is the optimum. A census meets every target, so a solution exists.
    Sizes are rounded up; then units that no target needs are removed, the most expensive first.

    References
    ----------
    Bethel (1989); Chromy (1987); Cochran (1977), section 5A.4.
    """
    sizes = as_floats(population, "population", ndim=1)
    _refuse((sizes < 0) | (sizes != np.floor(sizes)), "population must be whole and not negative", sizes)
    strata = len(sizes)
    level = as_matrix(mean, "mean", strata)
    s = as_matrix(spread, "spread", strata)
    if level.shape != s.shape:
        raise ValueError(f"mean {level.shape} and spread {s.shape} differ in shape")
    _refuse((s < 0).any(axis=1), "spread must not be negative", s)
    cost = np.ones(strata) if unit_cost is None else as_floats(unit_cost, "unit_cost", ndim=1, length=strata)
    _refuse(cost <= 0, "unit_cost must be positive", cost)
    census = np.zeros(strata, dtype=np.bool_) if take_all is None else as_mask(take_all, "take_all", strata)
    floor = np.where(census, sizes, np.minimum(float(max(minimum, 1)), sizes))
    plans = [_Plan.of(number, t, sizes, level, s) for number, t in enumerate(targets)]
    rows = [plan.rows for plan in plans]
    need = np.concatenate(rows) if rows else np.zeros((0, strata))
    if len(need) == 0:
        raise ValueError("targets ask for nothing")
    exact, multiplier = _optimum(need, cost, floor, sizes, max_iterations)
    n_h = _whole_units(need, cost, floor, sizes, exact)
    ends = np.cumsum([len(r) for r in rows])[:-1]
    return MultivariateAllocation(
        n_h=n_h.astype(np.intp),
        exact=exact,
        cv=tuple(plan.expected_cv(sizes, s, n_h) for plan in plans),
        multiplier=tuple(
            plan.spread_out(part) for plan, part in zip(plans, np.split(multiplier, ends), strict=True)
        ),
        cost=float(cost @ n_h),
    )


@dataclass(frozen=True, eq=False)
class _Plan:
    """One target: rows (J, H) of needs a_hj, where they sit in (D, k), totals (D, k), domains (H,)."""

    rows: Floats
    asked: Bools
    total: Floats
    domain: Indices

    @classmethod
    def of(cls, number: int, target: CVTarget, sizes: Floats, mean: Floats, s: Floats) -> _Plan:
        strata, items = s.shape
        codes = np.zeros(strata, dtype=np.intp) if target.domain is None else np.asarray(target.domain)
        target_cv = np.asarray(target.cv, dtype=np.float64)
        size = len(target_cv) if target_cv.ndim == 2 else int(codes.max(initial=0)) + 1
        domain = as_codes(codes, f"domain of target {number}", size=size, length=strata, lowest=-1)
        target_cv = np.broadcast_to(target_cv, (size, items))
        asked = ~np.isnan(target_cv)
        if not (target_cv[asked] > 0).all():
            raise ValueError(f"target {number} holds a coefficient of variation that is not positive")
        inside = np.arange(size)[:, None] == domain
        total = inside @ (sizes[:, None] * mean)
        # (D, k, H): squares N^2 S^2 of each domain and item.
        square = inside[:, None, :] * ((sizes[:, None] * s) ** 2).T
        denominator = (target_cv * total) ** 2 + inside @ (sizes[:, None] * s**2)
        impossible = asked & (total == 0) & (square.sum(axis=2) > 0)
        if impossible.any():
            d, item = np.argwhere(impossible)[0]
            raise ValueError(f"target {number}: domain {d}, item {item} has a total of 0 and no precision")
        asked = asked & (square.sum(axis=2) > 0)
        return cls(square[asked] / denominator[asked][:, None], asked, np.abs(total), domain)

    def spread_out(self, values: Floats) -> Floats:
        """Values (J,) at their positions in (D, k), 0 elsewhere."""
        result = np.zeros(self.asked.shape)
        result[self.asked] = values
        return result

    def expected_cv(self, sizes: Floats, s: Floats, n_h: Floats) -> Floats:
        """Coefficients of variation (D, k) of an allocation; NaN where the total is 0."""
        safe = np.maximum(n_h, 1.0)
        variance = (sizes * np.maximum(sizes / safe - 1.0, 0.0))[:, None] * s**2
        inside = np.arange(len(self.total))[:, None] == self.domain
        error = np.sqrt(inside @ variance)
        return np.asarray(error / np.where(self.total == 0, np.nan, self.total))


def _optimum(
    need: Floats, cost: Floats, floor: Floats, cap: Floats, max_iterations: int
) -> tuple[Floats, Floats]:
    """Real-valued sizes (H,) and multipliers (J,): the better of Chromy's step and one towards Newton's, each time."""
    dual = _Dual.of(need, cost, floor, cap)
    point = dual.at(np.full(len(need), float(cost @ floor) / len(need) + 1.0))
    damping = 1.0
    for _ in range(max_iterations):
        # Met, and every target with slack has lost its multiplier.
        if point.worst <= 1.0 + _FEASIBLE and point.slack <= _FEASIBLE:
            # A target that is all but met keeps its multiplier: it is part of what makes the sizes stationary.
            idle = (point.use < 1.0 - 1e-6) & (point.multiplier <= 1e-6 * point.multiplier.sum())
            result = floor.copy()
            result[dual.moving] = point.sizes
            return result, np.where(idle, 0.0, point.multiplier)
        step = dual.at(point.multiplier * point.use**2)
        bold = dual.at(dual.towards_newton(point, damping))
        if bold.distance < step.distance:
            step, damping = bold, max(damping / 4.0, 1e-9)
        else:
            damping = min(damping * 8.0, 1.0)
        point = step
    raise ConvergenceError(
        "allocation failed",
        distance=point.worst - 1.0,
        column=int(np.argmax(point.use)),
        iterations=max_iterations,
    )


@dataclass(frozen=True, eq=False)
class _Point:
    """Multipliers (J,), the best sizes (M,) for them, and what these use of each target; slack is relative to the cost."""

    multiplier: Floats
    sizes: Floats
    use: Floats
    slack: float

    @property
    def worst(self) -> float:
        """Use of the target that is missed most."""
        return float(self.use.max())

    @property
    def distance(self) -> float:
        """From targets that are met and multipliers of those that bind alone; 0 at the optimum."""
        return max(self.worst - 1.0, 0.0) + self.slack


@dataclass(frozen=True, eq=False)
class _Dual:
    """The dual g(l) = sum_h min_n (c n + l a / n) - sum l of the allocation, whose gradient is use - 1.

    need (J, M), cost, floor, cap (M,) of the strata that can move; moving (H,) which these are; base (J,) what the
    others use of each target, at a cost of fixed_cost
    """

    need: Floats
    cost: Floats
    floor: Floats
    cap: Floats
    moving: Bools
    base: Floats
    fixed_cost: float

    @classmethod
    def of(cls, need: Floats, cost: Floats, floor: Floats, cap: Floats) -> _Dual:
        moving = (cap > floor) & (need > 0).any(axis=0)
        still = ~moving & (cap > 0)
        base = need[:, still] @ (1.0 / np.maximum(floor[still], 1e-300))
        return cls(
            np.ascontiguousarray(need[:, moving]),
            cost[moving],
            floor[moving],
            cap[moving],
            moving,
            base,
            float(cost[~moving] @ floor[~moving]),
        )

    def at(self, multiplier: Floats) -> _Point:
        """The point of some multipliers."""
        sizes = np.clip(np.sqrt(multiplier @ self.need / self.cost), self.floor, self.cap)
        use = self.base + self.need @ (1.0 / sizes)
        cost = float(self.cost @ sizes) + self.fixed_cost
        return _Point(multiplier, sizes, use, float(multiplier @ np.maximum(1.0 - use, 0.0)) / cost)

    def towards_newton(self, point: _Point, damping: float) -> Floats:
        """A step for log l on log use = 0. Damped wholly it is Chromy's, whose diagonal bounds the curvature.

        With L = diag(l), K = sum over strata between their bounds of a a' / (2 c n^3), the rows of L K L sum to at most
        l use / 2; l use / 2 alone in place of the matrix gives l <- l use^2.
        """
        inside = (point.sizes > self.floor) & (point.sizes < self.cap)
        # A target whose multiplier is near zero takes its own step, outside the linear system.
        binding = (point.multiplier > 1e-12 * point.multiplier.sum()) | (point.use > 1.0)
        level = np.maximum(point.multiplier[binding], 1e-300)
        rows = self.need[np.ix_(binding, inside)] * level[:, None]
        rows /= np.sqrt(2.0 * self.cost[inside] * point.sizes[inside] ** 3)
        diagonal = 0.5 * level * point.use[binding]
        matrix = (1.0 - damping) * (rows @ rows.T) + np.diag(damping * diagonal + 1e-12 * diagonal)
        move = np.linalg.solve(matrix, level * point.use[binding] * np.log(point.use[binding]))
        result = point.multiplier * point.use**2
        result[binding] = point.multiplier[binding] * np.exp(np.clip(move, -3.0, 3.0))
        return result


def _whole_units(need: Floats, cost: Floats, floor: Floats, cap: Floats, exact: Floats) -> Floats:
    """Whole sizes (H,): rounded up, then lowered one by one, dearest and most rounded first."""
    sizes = np.clip(np.ceil(exact - 1e-9), floor, cap)
    # The rounding of 1e-9 may leave a target missed by a hair: lift what helps the worst one most.
    while (use := (need / np.maximum(sizes, 1.0)).sum(axis=1)).max() > 1.0 + _FEASIBLE:
        gain = need[int(np.argmax(use))] * (1 / np.maximum(sizes, 1.0) - 1 / (sizes + 1.0)) / cost
        gain[sizes >= cap] = -1.0
        sizes[int(np.argmax(gain))] += 1.0
    order = np.lexsort((-(sizes - exact), -cost))
    lowered = True
    while lowered:
        lowered = False
        for h in order[sizes[order] > floor[order]]:
            trial = use + need[:, h] * (1.0 / (sizes[h] - 1.0) - 1.0 / sizes[h]) if sizes[h] > 1 else None
            if trial is not None and trial.max() <= 1.0:
                sizes[h] -= 1.0
                use, lowered = trial, True
    return sizes


def _refuse(bad: Bools, message: str, values: Floats) -> None:
    if bad.any():
        index = int(np.flatnonzero(bad)[0])
        raise ValueError(f"{message}: index {index} holds {values[index]}")
