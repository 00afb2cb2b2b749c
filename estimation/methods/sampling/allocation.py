"""Allocation of a sample to strata, exact to the unit, and the precision it promises."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.sample import as_codes, as_floats, as_mask

type AllocationMethod = Literal["proportional", "neyman", "power"]


def allocate(
    population: npt.ArrayLike,
    n: int,
    *,
    method: AllocationMethod = "proportional",
    spread: npt.ArrayLike | None = None,
    minimum: int = 2,
    maximum: npt.ArrayLike | None = None,
    take_all: npt.ArrayLike | None = None,
    size: npt.ArrayLike | None = None,
    power: float = 0.5,
) -> Indices:
    """Sample sizes n_h that sum to n exactly.

    Parameters
    ----------
    population : (H,) whole numbers N_h
    n : sample size in all
    method : "proportional" to N_h; "neyman" to N_h S_h; "power" to size_h ** power * S_h / mean_h, which is
        size_h ** power times the unit CV
    spread : (H,) S_h for "neyman", the unit CV S_h / mean_h for "power" (None is 1 everywhere)
    minimum : units per stratum at least, or all of a smaller stratum
    maximum : (H,) caps below N_h; None is N_h
    take_all : (H,) booleans, strata surveyed whole
    size : (H,) measure for "power"; None is N_h
    power : exponent 0..1 for "power"

    Returns
    -------
    (H,) integers with minimum_h <= n_h <= cap_h.

    Raises
    ------
    ValueError : a bad value with its index; n below the sum of minima or above the sum of caps.

    Notes
    -----
    Shares that hit a bound are fixed there and the rest is shared out again; the real-valued result is
    rounded by
    largest remainder, ties to the lower index, so that equal input gives equal output to the unit.

    References
    ----------
    Cochran (1977), sections 5.5 to 5.9; Bankier (1988) for power allocation.
    """
    sizes = as_floats(population, "population", ndim=1)
    _refuse(sizes < 0, "population must not be negative", sizes)
    _refuse(sizes != np.floor(sizes), "population must be whole", sizes)
    strata = len(sizes)
    census = np.zeros(strata, dtype=np.bool_) if take_all is None else as_mask(take_all, "take_all", strata)
    cap = sizes.copy()
    if maximum is not None:
        cap = np.minimum(cap, np.floor(as_floats(maximum, "maximum", ndim=1, length=strata)))
    cap[census] = sizes[census]
    floor = np.where(census, sizes, np.minimum(float(minimum), cap))
    if not floor.sum() <= n <= cap.sum():
        raise ValueError(f"n = {n} lies outside {int(floor.sum())}..{int(cap.sum())}, what the bounds allow")
    share = _measure(sizes, method, spread, size, power)
    return _round_within(_share_out(share, float(n), floor, cap), n, floor, cap)


def largest_remainder(shares: npt.ArrayLike, total: int) -> Indices:
    """Whole numbers that sum to `total`, in proportion to non-negative `shares` (H,); ties to the lower
    index."""
    weights = as_floats(shares, "shares", ndim=1)
    _refuse(weights < 0, "shares must not be negative", weights)
    if weights.sum() <= 0:
        raise ValueError("shares sum to zero")
    exact = weights / weights.sum() * total
    return _round_within(exact, total, np.zeros_like(exact), np.full_like(exact, np.inf))


def expected_cv(
    population: npt.ArrayLike,
    n_h: npt.ArrayLike,
    *,
    mean: npt.ArrayLike,
    spread: npt.ArrayLike,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
) -> Floats:
    """Coefficient of variation (D,) that an allocation promises for the total of each domain of strata.

    Parameters
    ----------
    population, n_h, mean, spread : (H,) N_h, n_h, mean and standard deviation S_h in the stratum
    domain : (H,) codes of the domain of each stratum, -1 for none; None is the whole

    Returns
    -------
    (D,); inf if a stratum with spread is not sampled, NaN if the domain's total is 0.

    Notes
    -----
    V = sum_h N_h^2 (1 / n_h - 1 / N_h) S_h^2.
    """
    sizes = as_floats(population, "population", ndim=1)
    drawn = as_floats(n_h, "n_h", ndim=1, length=len(sizes))
    level = as_floats(mean, "mean", ndim=1, length=len(sizes))
    s = as_floats(spread, "spread", ndim=1, length=len(sizes))
    _refuse(s < 0, "spread must not be negative", s)
    _refuse(drawn > sizes, "n_h exceeds the population", drawn)
    codes = np.zeros(len(sizes), dtype=np.intp) if domain is None else np.asarray(domain)
    size = domains if domains is not None else int(codes.max(initial=0)) + 1
    codes = as_codes(codes, "domain", size=size, length=len(sizes), lowest=-1)
    unsampled = (drawn <= 0) & (s > 0) & (sizes > 0)
    safe = np.maximum(drawn, 1.0)
    variance = np.where(unsampled, np.inf, sizes * np.maximum(sizes / safe - 1.0, 0.0) * s**2)
    variance[s == 0] = 0.0
    inside = codes >= 0
    total = np.bincount(codes[inside], weights=(sizes * level)[inside], minlength=size)
    error = np.sqrt(np.bincount(codes[inside], weights=variance[inside], minlength=size))
    return np.asarray(error / np.where(total == 0, np.nan, np.abs(total)))


def _measure(
    population: Floats,
    method: AllocationMethod,
    spread: npt.ArrayLike | None,
    size: npt.ArrayLike | None,
    power: float,
) -> Floats:
    if method == "proportional":
        return population
    strata = len(population)
    s = np.ones(strata) if spread is None else as_floats(spread, "spread", ndim=1, length=strata)
    _refuse(s < 0, "spread must not be negative", s)
    if method == "neyman":
        if spread is None:
            raise ValueError("method='neyman' needs spread, the standard deviation per stratum")
        return population * s
    if method != "power":
        raise ValueError(f"method must be 'proportional', 'neyman' or 'power', not {method!r}")
    if not 0.0 <= power <= 1.0:
        raise ValueError(f"power must lie between 0 and 1, not {power}")
    x = population if size is None else as_floats(size, "size", ndim=1, length=strata)
    _refuse(x < 0, "size must not be negative", x)
    return np.where(population > 0, x**power, 0.0) * s


def _share_out(share: Floats, n: float, floor: Floats, cap: Floats) -> Floats:
    """Real-valued n_h = clip(t * share, floor, cap) with t such that they sum to n."""
    free = floor < cap
    fixed = np.where(free, 0.0, floor)
    while free.any():
        rest = n - fixed.sum()
        base = share[free].sum()
        # Without any measure left the rest goes to strata below their cap, so that n is still reached.
        proposal = np.zeros_like(share)
        proposal[free] = rest * (
            share[free] / base if base > 0 else (cap - floor)[free] / (cap - floor)[free].sum()
        )
        low, high = free & (proposal < floor), free & (proposal > cap)
        if not (low.any() or high.any()):
            return fixed + np.where(free, proposal, 0.0)
        # Fix only the side with the larger total violation: the other may come free again.
        if (floor - proposal)[low].sum() >= (proposal - cap)[high].sum():
            fixed[low] = floor[low]
            free &= ~low
        else:
            fixed[high] = cap[high]
            free &= ~high
    return fixed


def _round_within(exact: Floats, total: int, floor: Floats, cap: Floats) -> Indices:
    # A hair of rounding must not push a whole number below itself.
    base = np.floor(exact + 1e-9)
    base = np.clip(base, floor, cap)
    missing = round(total - float(base.sum()))
    order = np.argsort(-(exact - base), kind="stable")
    while missing > 0:
        candidates = order[base[order] < cap[order]][:missing]
        base[candidates] += 1
        missing -= len(candidates)
    while missing < 0:
        candidates = order[::-1][base[order[::-1]] > floor[order[::-1]]][:-missing]
        base[candidates] -= 1
        missing += len(candidates)
    return base.astype(np.intp)


def _refuse(bad: Bools, message: str, values: Floats) -> None:
    if bad.any():
        index = int(np.flatnonzero(bad)[0])
        raise ValueError(f"{message}: index {index} holds {values[index]}")
