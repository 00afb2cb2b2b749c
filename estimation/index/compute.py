"""The composite index of regions and industries from the estimates of a run. Pure: arrays in, a document out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from estimation.index.indicators import INDICATORS, OUTSIDE, THIN
from estimation.methods.arrays import Floats, Ints
from estimation.methods.index.composite import CompositeIndex, aggregate, composite_index, rank_of
from estimation.runs.compute.arrays import Year

if TYPE_CHECKING:  # pages import this module, too, without scikit-learn
    from estimation.index.importance import Importance

DIGITS = 10  # of every stored number: the last ones may differ between machines


@dataclass(frozen=True)
class DomainIndicators:
    """Indicators of the regions or industries.

    codes : (u,) domain codes; values : (u, k) estimates, 0 where missing; n : (u, k) units that answered; unreliable :
    (u, k) grade E or none; replicates : (B, u, k) or None
    """

    kind: str
    codes: tuple[str, ...]
    values: Floats
    n: Ints
    unreliable: np.ndarray[Any, np.dtype[np.bool_]]
    replicates: Floats | None


def respondents(year: Year) -> tuple[Floats, Floats]:
    """Indicators (m, k) and external measure (m,) of the respondents that report revenue and employees.

    Amounts in logarithms of 1 + value, a ratio between 0 and 1, a yes as 1; a missing answer as 0.
    """
    codes = {item.code: column for column, item in enumerate(year.items)}
    if any(code not in codes for code in OUTSIDE):
        return np.zeros((0, len(INDICATORS))), np.zeros(0)
    revenue, people = (year.values[:, codes[code]] for code in OUTSIDE)
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((revenue > 0) & (people > 0))
    columns = []
    for indicator in INDICATORS:
        parts = [
            np.nan_to_num(year.values[rows, codes[part]]) if part in codes else np.zeros(len(rows))
            for part in indicator.variable.split("/")
        ]
        if indicator.statistic == "ratio":
            columns.append(np.clip(parts[0] / np.where(parts[1] > 0, parts[1], np.inf), 0.0, 1.0))
        else:
            columns.append(
                np.log1p(np.maximum(parts[0], 0.0)) if indicator.statistic == "total" else parts[0]
            )
    return np.column_stack(columns), np.log(revenue[rows] / people[rows])


def index_document(
    domains: list[DomainIndicators], learned: Importance | None, *, seed: int
) -> dict[str, Any]:
    """The stored document of an index, with numbers of ten digits."""
    return {
        "seed": seed,
        "indicators": [
            [entry.variable, entry.statistic, entry.pillar, entry.direction] for entry in INDICATORS
        ],
        "model": _model(learned),
        "kinds": {entry.kind: _kind(entry, learned) for entry in domains},
    }


def _model(learned: Importance | None) -> dict[str, Any] | None:
    if learned is None:
        return None
    return {
        "rows": learned.rows,
        "outside": "/".join(OUTSIDE),
        "fits": {name: _digits(fit) for name, fit in learned.fits.items()},
        "importance": {name: _list(values) for name, values in learned.by_model.items()},
        "spread": {name: _list(values) for name, values in learned.spread.items()},
        "used": learned.value is not None,
    }


def _kind(domains: DomainIndicators, learned: Importance | None) -> dict[str, Any]:
    value = None if learned is None else learned.value
    fit = None if learned is None else learned.fit
    direction = [indicator.direction for indicator in INDICATORS]
    index = composite_index(
        domains.values,
        direction=direction,
        importance=value,
        importance_fit=fit,
        replicates=domains.replicates,
    )
    # The width of the bands that comes from the choice of method alone.
    method = composite_index(domains.values, direction=direction, importance=value, importance_fit=fit)
    geometric = aggregate(index.scores, index.weights.final, "geometric")
    return {
        "codes": list(domains.codes),
        "value": _list(index.value),
        "rank": index.rank.tolist(),
        "geometric": _list(geometric),
        "geometric_rank": rank_of(geometric).tolist(),
        "median": _list(index.median_rank),
        "low": _list(index.rank_low),
        "high": _list(index.rank_high),
        "method_low": _list(method.rank_low),
        "method_high": _list(method.rank_high),
        "scores": [_list(row) for row in index.scores],
        "estimates": [_list(row) for row in domains.values],
        "thin": [int(count) for count in ((domains.n < THIN) | domains.unreliable).sum(axis=1)],
        "weights": {name: _list(part) for name, part in index.weights.parts.items()},
        "mix": {name: _digits(share) for name, share in index.weights.mix.items()},
        "final": _list(index.weights.final),
        "logged": index.logged.tolist(),
        "band": index.band,
        "replicates": 0 if domains.replicates is None else len(domains.replicates),
        "variants": _variants(index),
    }


def _variants(index: CompositeIndex) -> list[list[Any]]:
    """Name of each robustness run, its rank correlation with the index, and its largest change of a rank."""
    rows = []
    for name, ranks in zip(index.variants, index.variant_rank, strict=True):
        moved = int(np.abs(ranks - index.rank).max())
        flat = np.ptp(ranks) == 0 or np.ptp(index.rank) == 0
        correlation = None if flat else _digits(float(scipy.stats.spearmanr(ranks, index.rank).statistic))
        rows.append([name, correlation, moved])
    return rows


def _digits(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _list(values: Floats) -> list[float]:
    return [_digits(float(value)) for value in values]
