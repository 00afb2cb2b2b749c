"""A synthetic sample of national size for the benchmark: shapes as in the survey, random values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estimation.methods import StratifiedSample
from estimation.methods.arrays import Bools, Floats, Indices

REGIONS, INDUSTRIES, SIZES, CATEGORIES = 32, 18, 3, 14
SEED = 2025


@dataclass(frozen=True, eq=False)
class Country:
    """n units in H strata (region x industry x size), k items in two years.

    stratum (n,), population (H,); y, x, previous (n, k); domains name -> (n,); panel (n,)
    """

    stratum: Indices
    population: Floats
    y: Floats
    x: Floats
    previous: Floats
    domains: dict[str, Indices]
    panel: Bools

    @property
    def sample(self) -> StratifiedSample:
        """The design, validated at every call."""
        return StratifiedSample(self.stratum, self.population)


def make_country(units: int, strata: int, items: int) -> Country:
    """A sample with heavy tails, zeros and a panel of four fifths; the same for the same arguments."""
    rng = np.random.default_rng(SEED)
    stratum = np.concatenate([np.arange(strata), rng.integers(0, strata, units - strata)])
    population = np.bincount(stratum, minlength=strata) * rng.integers(1, 40, strata).astype(np.float64)
    y = rng.lognormal(0.0, 2.0, (units, items))
    y *= rng.random((units, items)) > 0.3
    x = rng.lognormal(0.0, 1.0, (units, items))
    previous = y * rng.lognormal(-0.1, 0.3, (units, items))
    domains = {
        "region": stratum % REGIONS,
        "industry": stratum // REGIONS % INDUSTRIES,
        "size": stratum // (REGIONS * INDUSTRIES) % SIZES,
        "category": rng.integers(0, CATEGORIES, units),
    }
    return Country(stratum, population, y, x, previous, domains, rng.random(units) < 0.8)
