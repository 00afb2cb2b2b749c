"""Estimators written a second time, as loops over strata and units, to compare the library with."""

from __future__ import annotations

import numpy as np

from estimation.methods.arrays import Bools, Floats, Indices


def slow_variance(z: Floats, stratum: Indices, population: Floats, lonely: str = "adjust") -> float:
    """Variance of the total of weighted values z (n,), one stratum after the other."""
    grand = float(np.sum(z)) / len(z)
    variance, alone = 0.0, 0
    for h in range(len(population)):
        own = z[stratum == h]
        n_h, N_h = len(own), population[h]
        if n_h == N_h:
            continue
        f = n_h / N_h
        if n_h == 1:
            alone += 1
            if lonely == "adjust":
                variance += (1 - f) * (own[0] - grand) ** 2
            continue
        mean = sum(own) / n_h
        variance += (1 - f) * n_h / (n_h - 1) * sum((v - mean) ** 2 for v in own)
    if lonely == "average" and alone:
        variance *= len(population) / (len(population) - alone)
    return float(variance)


def slow_total(
    y: Floats,
    weight: Floats,
    stratum: Indices,
    population: Floats,
    inside: Bools,
    lonely: str = "adjust",
) -> tuple[float, float]:
    """Total of the units inside a domain and its standard error."""
    z = np.where(inside, weight * y, 0.0)
    return float(z.sum()), slow_variance(z, stratum, population, lonely) ** 0.5


def slow_ratio(
    y: Floats,
    x: Floats,
    weight: Floats,
    stratum: Indices,
    population: Floats,
    inside: Bools,
    lonely: str = "adjust",
) -> tuple[float, float]:
    """Combined ratio of a domain and its linearised standard error."""
    top = float(np.sum(weight * y * inside))
    bottom = float(np.sum(weight * x * inside))
    value = top / bottom
    z = np.where(inside, weight * (y - value * x) / bottom, 0.0)
    return value, slow_variance(z, stratum, population, lonely) ** 0.5


def make_sample(
    seed: int, n: int = 120, strata: int = 15, items: int = 3
) -> tuple[Indices, Floats, Floats, Indices]:
    """Stratum codes, populations, values (n, k) and domain codes of a random sample with odd strata.

    Stratum 0 is taken with certainty, stratum 1 is lonely, stratum 2 is a population of one.
    """
    rng = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(strata), rng.integers(3, strata, n - strata)]).astype(np.intp)
    codes[strata : strata + 3] = 0
    rng.shuffle(codes)
    size = np.bincount(codes, minlength=strata).astype(np.float64)
    population = size + rng.integers(1, 30, strata)
    population[0], population[2] = size[0], 1.0
    values = rng.lognormal(1.0, 1.5, (n, items))
    values[rng.random((n, items)) < 0.3] = 0.0
    return codes, population, values, rng.integers(0, 4, n).astype(np.intp)
