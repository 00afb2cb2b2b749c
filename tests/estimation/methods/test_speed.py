"""A run at national size must stay a matter of a second, in processor time because machines are shared."""

import time

import numpy as np
import pytest

from estimation.methods import StratifiedSample, crosstotals, growth, ratio, total

pytestmark = pytest.mark.slow


def test_national_size_in_two_processor_seconds():
    rng = np.random.default_rng(1)
    n, items, strata = 42505, 40, 1700
    stratum = np.concatenate([np.arange(strata), rng.integers(0, strata, n - strata)])
    population = np.bincount(stratum) * rng.integers(1, 40, strata).astype(float)
    y = rng.lognormal(0, 2, (n, items)) * (rng.random((n, items)) > 0.3)
    x = y * rng.lognormal(0, 0.3, (n, items))
    region, industry, size = stratum % 32, stratum // 32 % 18, stratum // 576 % 3
    category = rng.integers(0, 14, n)
    panel = rng.random(n) < 0.8
    start = time.process_time()
    sample = StratifiedSample(stratum, population)
    total(sample, y)
    domains = {"region": region, "industry": industry, "size": size, "category": category}
    cells = crosstotals(sample, y, domains=domains, cross=[("region", "industry")])
    for domain in (None, region):
        ratio(sample, y, x, domain=domain)
    for domain in (None, industry):
        growth(sample, y, x, panel=panel, domain=domain, form="stratified")
    assert cells[("region", "industry")].value.shape == (576, items)
    assert time.process_time() - start < 2.0
