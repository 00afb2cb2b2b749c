"""Rescaling bootstrap inside strata: replicates that are repeatable one by one, in chunks, on any machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from estimation.methods.arrays import Floats, Indices
from estimation.methods.cells import build_cells, domain_codes
from estimation.methods.estimators.variance import weighted
from estimation.methods.results import coefficient_of_variation
from estimation.methods.sample import StratifiedSample, as_matrix

type Statistic = Callable[[Floats], npt.ArrayLike]


class WeightChunk(NamedTuple):
    """Replicates first..first + r - 1: weights (r, n) in the order of the sample."""

    first: int
    weights: Floats


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """A statistic of any shape S with its B replicates.

    value : S, the statistic of the full sample; replicates : (B, *S)
    se : S, standard deviation of the replicates (divisor B - 1); cv : se / |value|
    lower, upper : S, value -+ normal quantile times se
    """

    value: Floats
    replicates: Floats
    se: Floats
    cv: Floats
    lower: Floats
    upper: Floats
    level: float

    def percentiles(self, level: float | None = None) -> tuple[Floats, Floats]:
        """Percentile interval, two arrays S."""
        tail = (1.0 - (self.level if level is None else level)) / 2.0
        low, high = np.quantile(self.replicates, [tail, 1.0 - tail], axis=0)
        return np.asarray(low), np.asarray(high)


def bootstrap(
    sample: StratifiedSample,
    statistic_or_y: Statistic | npt.ArrayLike,
    *,
    replicates: int = 500,
    seed: int,
    fpc: bool = True,
    chunk: int = 100,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    level: float = 0.95,
) -> Bootstrap:
    """Standard errors by the rescaling bootstrap.

    Parameters
    ----------
    statistic_or_y : a function of weights (n,) that returns an array of any fixed shape S, or values (n,) or
        (n, k) whose totals are wanted, with S = (D, k)
    replicates : B, at least 2
    seed : replicate b depends on (seed, b) alone, so neither `chunk` nor the number of machines changes it
    fpc : finite-population correction; False treats the sample as drawn with replacement
    chunk : replicates held in memory at once
    domain, domains : as `totals.total`, with values only

    Returns
    -------
    Bootstrap

    Raises
    ------
    ValueError : fewer than 2 replicates, chunk < 1, domains with a function; values as `total`.

    Notes
    -----
    In each stratum m_h = n_h - 1 units are drawn with replacement, k_i times unit i, and
    w*_i = w_i (1 - c_h + c_h (n_h / m_h) k_i) with c_h = sqrt(1 - f_h) (1 without correction). For totals the
    variance over all draws is the usual one exactly. A lonely stratum keeps its weight and adds nothing, as under
    `certainty`. Totals without domains are computed as deviations from the full total in single precision,
    scaled by item: replicates carry about six digits of their deviation, the value itself is in full precision.

    References
    ----------
    Rao and Wu (1988); Rao, Wu and Yue (1992).
    """
    if replicates < 2:
        raise ValueError(f"replicates must be at least 2, not {replicates}")
    source = _source(sample, statistic_or_y, seed, fpc, domain, domains)
    parts = [source.rows(first, count) for first, count in _chunks(0, replicates, chunk)]
    return combine(source.value, np.concatenate(parts), level=level)


def bootstrap_part(
    sample: StratifiedSample,
    statistic_or_y: Statistic | npt.ArrayLike,
    *,
    first: int,
    count: int,
    seed: int,
    fpc: bool = True,
    chunk: int = 100,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
) -> Floats:
    """Replicates first..first + count - 1 of `bootstrap`, (count, *S), for one of several workers.

    Parameters, Raises : as `bootstrap`. Stack the parts and give them to `combine`.
    """
    source = _source(sample, statistic_or_y, seed, fpc, domain, domains)
    return np.concatenate([source.rows(start, size) for start, size in _chunks(first, count, chunk)])


def combine(value: npt.ArrayLike, replicates: npt.ArrayLike, *, level: float = 0.95) -> Bootstrap:
    """Bootstrap record of a value S and replicates (B, *S), B >= 2; ValueError if the shapes do not fit."""
    centre, rows = np.asarray(value, dtype=np.float64), np.asarray(replicates, dtype=np.float64)
    if len(rows) < 2 or rows.shape[1:] != centre.shape:
        raise ValueError(f"replicates {rows.shape} do not fit the value {centre.shape}: (B, *S) with B > 1")
    se = np.asarray(rows.std(axis=0, ddof=1))
    half = se * float(special.ndtri(0.5 + level / 2.0))
    cv = coefficient_of_variation(centre, se)
    return Bootstrap(centre, rows, se, cv, np.asarray(centre - half), np.asarray(centre + half), level)


def replicate_weights(
    sample: StratifiedSample,
    *,
    replicates: int = 500,
    seed: int,
    fpc: bool = True,
    chunk: int = 100,
    first: int = 0,
) -> Iterator[WeightChunk]:
    """Replicate weights first..first + replicates - 1, chunk by chunk; never the whole matrix.

    Each chunk holds `chunk` rows (the last one fewer). Parameters as `bootstrap`.
    """
    draws = _Draws(sample, seed, fpc)
    for start, size in _chunks(first, replicates, chunk):
        rows = np.empty((size, sample.n))
        for row in range(size):
            rows[row] = draws.weights(draws.counts(start + row))
        yield WeightChunk(start, rows)


class _Draws:
    """The random draws of a sample; units sorted by stratum inside, as given outside."""

    def __init__(self, sample: StratifiedSample, seed: int, fpc: bool) -> None:
        self.seed = seed
        self.sample = sample
        n_h = sample.sample_size
        self.order = np.argsort(sample.stratum, kind="stable")
        self.place = np.empty_like(self.order)
        self.place[self.order] = np.arange(sample.n)
        drawn = n_h - 1
        self.total_drawn = int(drawn.sum())
        self.size_of_draw = np.repeat(n_h, drawn).astype(np.uint64)
        self.start_of_draw = np.repeat(np.cumsum(n_h) - n_h, drawn)
        scale = np.sqrt(1.0 - sample.fraction) if fpc else np.ones(sample.strata)
        self.scale = np.where(drawn > 0, scale, 0.0)
        # w* = w (1 - c + lift k), lift = c n_h / m_h
        self.lift = self.scale * n_h / np.maximum(drawn, 1)

    def counts(self, replicate: int) -> Indices:
        """How often each unit is drawn, (n,) in sorted order."""
        stream = np.random.SFC64(np.random.SeedSequence(self.seed, spawn_key=(replicate,)))
        raw = stream.random_raw((self.total_drawn + 1) // 2)
        bits = np.atleast_1d(np.asarray(raw, dtype=np.uint64)).view(np.uint32)[: self.total_drawn]
        # floor(u n_h) of a 32-bit fraction u: no unit is favoured by more than n_h / 2^32.
        index = bits * self.size_of_draw
        index >>= np.uint64(32)
        unit = index.view(np.int64)
        unit += self.start_of_draw
        return np.bincount(unit, minlength=self.sample.n)

    def weights(self, counts: Indices) -> Floats:
        """Replicate weights (n,) in the order of the sample from counts in sorted order."""
        h = self.sample.stratum
        factor = 1.0 - self.scale[h] + self.lift[h] * counts[self.place]
        return np.asarray(self.sample.weight * factor)


class _OfFunction:
    """Replicates of a function of the weights."""

    def __init__(self, draws: _Draws, statistic: Statistic) -> None:
        self.draws = draws
        self.statistic = statistic
        self.value = np.asarray(statistic(draws.sample.weight), dtype=np.float64)

    def rows(self, first: int, count: int) -> Floats:
        values = np.empty((count, *self.value.shape))
        for row in range(count):
            counts = self.draws.counts(first + row)
            values[row] = self.statistic(self.draws.weights(counts))
        return values


class _OfTotals:
    """Replicates (D, k) of totals: counts times values, one matrix product per chunk and domain."""

    def __init__(self, draws: _Draws, y: Floats, codes: Indices | None, size: int) -> None:
        self.draws = draws
        sample = draws.sample
        cells = build_cells(sample, codes, size)
        z = weighted(sample, cells, y)
        sums = cells.sums(z)
        self.value = cells.over_domains(sums)
        lift = draws.lift[sample.stratum[cells.order], None]
        self.whole = codes is None
        if self.whole:
            # The counts of a stratum have a fixed sum, so values may be centred there: only deviations remain.
            z -= cells.per_unit(sums / cells.count[:, None])
            z *= lift
            self.unit = np.abs(z).max(axis=0, initial=0.0)
            self.unit[self.unit == 0.0] = 1.0
            self.deviation = (z / self.unit).astype(np.float32)
            return
        z *= lift
        domain = np.repeat(cells.domain, cells.count)
        by_domain = np.argsort(domain, kind="stable")
        self.z = z[by_domain]
        self.sorted_place = draws.place[cells.order[by_domain]]
        self.expected = (1.0 - 1.0 / sample.sample_size)[sample.stratum[cells.order[by_domain]]]
        self.ends = np.concatenate([[0], np.cumsum(cells.units_per_domain)])

    def rows(self, first: int, count: int) -> Floats:
        if self.whole:
            counts = np.empty((count, self.draws.sample.n), dtype=np.float32)
            for row in range(count):
                counts[row] = self.draws.counts(first + row)
            moved = (counts @ self.deviation).astype(np.float64) * self.unit
            return np.asarray(self.value + moved[:, None, :])
        surplus = np.empty((count, len(self.sorted_place)))
        for row in range(count):
            np.subtract(self.draws.counts(first + row)[self.sorted_place], self.expected, out=surplus[row])
        values = np.empty((count, *self.value.shape))
        for d in range(len(self.value)):
            part = slice(self.ends[d], self.ends[d + 1])
            values[:, d] = self.value[d] + surplus[:, part] @ self.z[part]
        return values


def _source(
    sample: StratifiedSample,
    statistic_or_y: Statistic | npt.ArrayLike,
    seed: int,
    fpc: bool,
    domain: npt.ArrayLike | None,
    domains: int | None,
) -> _OfFunction | _OfTotals:
    draws = _Draws(sample, seed, fpc)
    if callable(statistic_or_y):
        if domain is not None or domains is not None:
            raise ValueError("domain belongs to values; a function handles its own domains")
        return _OfFunction(draws, statistic_or_y)
    codes, size = domain_codes(domain, sample.n, domains)
    base = None if codes is None else codes >= 0
    return _OfTotals(draws, as_matrix(statistic_or_y, "y", sample.n, base=base), codes, size)


def _chunks(first: int, count: int, chunk: int) -> Iterator[tuple[int, int]]:
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, not {chunk}")
    for start in range(first, first + count, chunk):
        yield start, min(chunk, first + count - start)
