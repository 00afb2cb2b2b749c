"""Composite index: scaled indicators, objective and learned weights, ranks with their robustness."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.sample import as_floats, as_matrix

type Scaling = Literal["minmax", "zscore", "rank"]
type Aggregation = Literal["arithmetic", "geometric"]

SCALINGS: tuple[Scaling, ...] = ("minmax", "zscore", "rank")
AGGREGATIONS: tuple[Aggregation, ...] = ("arithmetic", "geometric")
_LEAST = 1.0  # a geometric mean needs positive scores; below this no score counts


@dataclass(frozen=True, eq=False)
class IndexWeights:
    """Weights of k indicators, each (k,) with sum 1.

    parts : name -> weights ("entropy", "critic", and "importance" if it is used); mix : name -> share of each
    final : the convex combination
    """

    parts: dict[str, Floats]
    mix: dict[str, float]
    final: Floats


@dataclass(frozen=True, eq=False)
class CompositeIndex:
    """Index of u units (regions or industries) from k indicators.

    value : (u,) index, 0..100 for min-max scaling; rank : (u,) 1 is the best, ties share the better rank
    scores : (u, k) indicators after treatment and scaling; weights : how they are weighted
    logged : (k,) indicators that were taken in logarithms
    variants : names of the robustness runs; variant_rank : (V, u) their ranks
    median_rank, rank_low, rank_high : (u,) over all robustness runs and replicates, and the band at `band`
    """

    value: Floats
    rank: Indices
    scores: Floats
    weights: IndexWeights
    logged: Bools
    variants: tuple[str, ...]
    variant_rank: Indices
    median_rank: Floats
    rank_low: Floats
    rank_high: Floats
    band: float


def composite_index(
    indicators: npt.ArrayLike,
    *,
    direction: npt.ArrayLike | None = None,
    importance: npt.ArrayLike | None = None,
    importance_fit: float | None = None,
    mix: dict[str, float] | None = None,
    scaling: Scaling = "minmax",
    aggregation: Aggregation = "arithmetic",
    tails: float = 0.025,
    skew_limit: float = 2.0,
    replicates: npt.ArrayLike | None = None,
    band: float = 0.90,
) -> CompositeIndex:
    """Composite index with the ranks it would have had under other choices.

    Parameters
    ----------
    indicators : (u, k) float without NaN, u >= 2
    direction : (k,) of 1 (more is better) and -1; None is 1
    importance : (k,) non-negative learned importances, such as mean absolute SHAP values on held-out folds
    importance_fit : held-out R^2 of the model behind them; if it is not positive they are left out
    mix : shares of "entropy", "critic" and "importance" in the final weight; None gives equal shares to those
        available. A share for importances that are missing or left out goes to the others in proportion.
    scaling, aggregation : of the index itself; the robustness runs take every combination
    tails : share of units winsorized at each end before scaling
    skew_limit : indicators of positive values with a larger absolute skewness are taken in logarithms
    replicates : (B, u, k) bootstrap replicates of the indicators; each is indexed like the original
    band : probability of the band of ranks

    Returns
    -------
    CompositeIndex

    Raises
    ------
    ValueError : missing values, fewer than 2 units, wrong directions, mixes or importances, with the index.

    Notes
    -----
    Scores run from 0 to 100: (x - min) / (max - min); 50 + 10 z; or the share of units ranked below. An indicator
    that is equal everywhere scores 50 and has objective weight 0. For the geometric mean scores below 1 count as
    1. Entropy: p_ij = x_ij / sum_i x_ij of the min-max scores, e_j = -sum p ln p / ln u, weight ~ 1 - e_j. CRITIC:
    weight ~ s_j sum_l (1 - r_jl). Robustness: scaling x weighting (equal, each part, final) x aggregation.

    References
    ----------
    OECD/JRC (2008); Diakoulaki, Mavrotas and Papayannakis (1995) for CRITIC; Shannon (1948), Zeleny (1982) for
    entropy weights.
    """
    raw = _units(indicators)
    sign = _directions(direction, raw.shape[1])
    if scaling not in SCALINGS or aggregation not in AGGREGATIONS:
        raise ValueError(f"scaling must be one of {SCALINGS} and aggregation one of {AGGREGATIONS}")
    if not 0.0 <= tails < 0.5 or not 0.0 < band < 1.0:
        raise ValueError(f"tails must lie in 0..0.5 and band in 0..1, not {tails} and {band}")
    learned = _learned(importance, importance_fit, raw.shape[1])
    treated, logged = _treated(raw, tails, skew_limit, None)
    weights = _weights(treated * sign, learned, mix)
    scores = scale(treated * sign, scaling)
    value = aggregate(scores, weights.final, aggregation)
    names, ranks = _variants(treated * sign, weights)
    every = [ranks]
    if replicates is not None:
        draws = as_floats(replicates, "replicates", ndim=3)
        if draws.shape[1:] != raw.shape:
            raise ValueError(f"replicates {draws.shape} do not fit the indicators {raw.shape}")
        for draw in draws:
            again = _treated(draw, tails, skew_limit, logged)[0] * sign
            own = _weights(again, learned, mix)
            every.append(rank_of(aggregate(scale(again, scaling), own.final, aggregation))[None, :])
    pool = np.concatenate(every)
    low, high = np.quantile(pool, [(1.0 - band) / 2.0, (1.0 + band) / 2.0], axis=0, method="inverted_cdf")
    return CompositeIndex(
        value=value,
        rank=rank_of(value),
        scores=scores,
        weights=weights,
        logged=logged,
        variants=names,
        variant_rank=ranks,
        median_rank=np.median(pool, axis=0),
        rank_low=low.astype(np.float64),
        rank_high=high.astype(np.float64),
        band=band,
    )


def entropy_weights(scores: npt.ArrayLike) -> Floats:
    """Weights (k,) of indicators by the unevenness of non-negative scores (u, k); equal if all are even."""
    x = _units(scores)
    if (x < 0).any():
        index = tuple(int(i) for i in np.argwhere(x < 0)[0])
        raise ValueError(f"scores must not be negative: index {index} holds {x[index]}")
    sums = x.sum(axis=0)
    p = x / np.where(sums > 0, sums, 1.0)
    entropy = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0)), 0.0).sum(axis=0) / np.log(len(x))
    # Rounding must not leave a constant indicator a hair of weight.
    uneven = np.where((sums > 0) & (np.ptp(x, axis=0) > 0), 1.0 - entropy, 0.0)
    return _normalised(np.maximum(uneven, 0.0))


def critic_weights(scores: npt.ArrayLike) -> Floats:
    """Weights (k,) of indicators by their spread and their conflict with the others, scores (u, k)."""
    x = _units(scores)
    centred = x - x.mean(axis=0)
    spread = np.where(np.ptp(x, axis=0) > 0, np.sqrt((centred**2).sum(axis=0) / (len(x) - 1)), 0.0)
    standard = centred / np.where(spread > 0, spread, 1.0)
    correlation = standard.T @ standard / (len(x) - 1)
    np.fill_diagonal(correlation, 1.0)
    conflict = (1.0 - correlation) @ (spread > 0)
    # One indicator alone has no conflict; its spread then decides.
    information = spread * np.maximum(conflict, 0.0)
    return _normalised(
        information if information.max(initial=0.0) > 1e-12 * spread.max(initial=0.0) else spread
    )


def scale(indicators: npt.ArrayLike, scaling: Scaling) -> Floats:
    """Scores (u, k) of indicators (u, k) that already point one way."""
    x = _units(indicators)
    low, width = x.min(axis=0), np.ptp(x, axis=0)
    flat = width == 0
    if scaling == "minmax":
        scaled = (x - low) / np.where(flat, 1.0, width) * 100.0
    elif scaling == "zscore":
        spread = x.std(axis=0, ddof=1)
        scaled = 50.0 + 10.0 * (x - x.mean(axis=0)) / np.where(flat, 1.0, spread)
    elif scaling == "rank":
        scaled = (scipy.stats.rankdata(x, axis=0) - 1.0) / (len(x) - 1.0) * 100.0
    else:
        raise ValueError(f"scaling must be one of {SCALINGS}, not {scaling!r}")
    return np.where(flat, 50.0, scaled)


def aggregate(scores: Floats, weight: Floats, aggregation: Aggregation) -> Floats:
    """Weighted mean (u,) of scores (u, k), arithmetic or geometric; weights (k,) sum to 1."""
    if aggregation == "arithmetic":
        return np.asarray(scores @ weight)
    if aggregation == "geometric":
        return np.asarray(np.exp(np.log(np.maximum(scores, _LEAST)) @ weight))
    raise ValueError(f"aggregation must be one of {AGGREGATIONS}, not {aggregation!r}")


def rank_of(value: Floats) -> Indices:
    """Ranks (u,) from 1 for the largest; values equal to twelve digits share the better rank."""
    digits = np.array([float(f"{v:.12g}") for v in value])
    return scipy.stats.rankdata(-digits, method="min").astype(np.intp)


def _variants(treated: Floats, weights: IndexWeights) -> tuple[tuple[str, ...], Indices]:
    """Every combination of scaling, weighting and aggregation."""
    k = treated.shape[1]
    weightings = {"equal": np.full(k, 1.0 / k), **weights.parts, "final": weights.final}
    names, ranks = [], []
    for scaling, (name, weight), aggregation in itertools.product(SCALINGS, weightings.items(), AGGREGATIONS):
        names.append(f"{scaling}/{name}/{aggregation}")
        ranks.append(rank_of(aggregate(scale(treated, scaling), weight, aggregation)))
    return tuple(names), np.stack(ranks)


def _weights(treated: Floats, learned: Floats | None, mix: dict[str, float] | None) -> IndexWeights:
    scores = scale(treated, "minmax")
    parts = {"entropy": entropy_weights(scores), "critic": critic_weights(scores)}
    if learned is not None:
        parts["importance"] = learned
    requested = dict.fromkeys(parts, 1.0) if mix is None else mix
    unknown = set(requested) - {"entropy", "critic", "importance"}
    shares = {name: float(requested.get(name, 0.0)) for name in parts}
    if unknown or min(requested.values(), default=0.0) < 0 or sum(shares.values()) <= 0:
        raise ValueError(f"mix must give non-negative shares to {sorted(parts)}, not {requested}")
    total = sum(shares.values())
    shares = {name: share / total for name, share in shares.items()}
    final = _normalised(np.sum([shares[name] * part for name, part in parts.items()], axis=0))
    return IndexWeights(parts, shares, final)


def _treated(raw: Floats, tails: float, skew_limit: float, logged: Bools | None) -> tuple[Floats, Bools]:
    """Indicators winsorized and, where skewed, in logarithms; `logged` fixes which for replicates."""
    low, high = np.quantile(raw, [tails, 1.0 - tails], axis=0)
    x = np.clip(raw, low, high)
    if logged is None:
        centred = x - x.mean(axis=0)
        spread = np.sqrt((centred**2).mean(axis=0))
        skewness = (centred**3).mean(axis=0) / np.where(spread > 0, spread, 1.0) ** 3
        logged = (np.abs(skewness) > skew_limit) & (x.min(axis=0) >= 0) & (x.max(axis=0) > 0)
    # A zero is taken as half the smallest positive value: free of the unit of measure.
    least = np.where(x > 0, x, np.inf).min(axis=0)
    floor = np.where(np.isfinite(least), least / 2.0, 1.0)
    return np.where(logged, np.log(np.maximum(x, floor)), x), logged


def _learned(importance: npt.ArrayLike | None, fit: float | None, k: int) -> Floats | None:
    if importance is None:
        return None
    values = as_floats(importance, "importance", ndim=1, length=k)
    wrong = np.flatnonzero(values < 0)
    if len(wrong):
        raise ValueError(f"importance must not be negative: index {int(wrong[0])} holds {values[wrong[0]]}")
    if (fit is not None and not fit > 0.0) or values.sum() == 0:
        return None
    return _normalised(values)


def _normalised(weight: Floats) -> Floats:
    total = float(weight.sum())
    return np.asarray(weight / total) if total > 0 else np.full(len(weight), 1.0 / len(weight))


def _units(indicators: npt.ArrayLike) -> Floats:
    array = np.asarray(indicators, dtype=np.float64)
    x = as_matrix(array, "indicators", len(array) if array.ndim else 0)
    if len(x) < 2:
        raise ValueError(f"indicators need at least 2 units, not {len(x)}")
    return x


def _directions(direction: npt.ArrayLike | None, k: int) -> Floats:
    if direction is None:
        return np.ones(k)
    sign = as_floats(direction, "direction", ndim=1, length=k)
    wrong = np.flatnonzero(np.abs(sign) != 1.0)
    if len(wrong):
        raise ValueError(f"direction must be 1 or -1: index {int(wrong[0])} holds {sign[wrong[0]]}")
    return sign
