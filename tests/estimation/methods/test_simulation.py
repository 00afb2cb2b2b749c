"""A known population, many samples: bias, coverage, and what winsorization is for."""

import numpy as np
import pytest

from estimation.methods import StratifiedSample, crosstotals, growth, ratio, total, winsorize

pytestmark = pytest.mark.slow

SAMPLES = 1000
SIZES, DRAWN = np.array([400, 200, 60, 5]), np.array([60, 60, 30, 5])


def draw(rng):
    start = np.concatenate([[0], np.cumsum(SIZES)[:-1]])
    units = [s + rng.permutation(N)[:n] for s, N, n in zip(start, SIZES, DRAWN, strict=True)]
    return np.concatenate(units)


@pytest.fixture(scope="module")
def population():
    rng = np.random.default_rng(2025)
    stratum = np.repeat(np.arange(4), SIZES)
    size = np.array([1.0, 3.0, 10.0, 80.0])[stratum]
    x = size * rng.gamma(3.0, 1.0, len(stratum))
    y = x * rng.gamma(8.0, 0.2, len(stratum))
    return stratum, x, y, rng.integers(0, 3, len(stratum))


def test_bias_and_coverage_of_totals_ratios_and_growth(population):
    stratum, x, y, domain = population
    truths = np.array(
        [y.sum(), *(y[domain == d].sum() for d in range(3)), y.sum() / x.sum(), y.sum() / x.sum() - 1]
    )
    rng = np.random.default_rng(1)
    values, variances, covered = np.zeros((3, SAMPLES, len(truths)))
    for i in range(SAMPLES):
        index = draw(rng)
        sample = StratifiedSample(stratum[index], SIZES.astype(float))
        totals = crosstotals(sample, y[index], domains={"d": domain[index]})
        everyone = np.ones(len(index), dtype=bool)
        results = [totals["all"], totals["d"], ratio(sample, y[index], x[index])]
        results.append(growth(sample, y[index], x[index], panel=everyone, form="stratified"))
        value, lower, upper, se = (
            np.concatenate([getattr(r, name).ravel() for r in results])
            for name in ("value", "lower", "upper", "se")
        )
        values[i], variances[i] = value, se**2
        covered[i] = (lower <= truths) & (truths <= upper)
    error = values.std(axis=0) / np.sqrt(SAMPLES)
    assert (np.abs(values.mean(axis=0) - truths) < 4 * error)[:4].all()
    assert (np.abs(values.mean(axis=0) / truths - 1) < 0.01).all()
    np.testing.assert_allclose(variances.mean(axis=0), values.var(axis=0), rtol=0.15)
    coverage = covered.mean(axis=0)
    assert (coverage > 0.93).all() and (coverage < 0.97).all(), coverage


def test_winsorized_totals_of_heavy_tails_have_the_smaller_mean_squared_error_on_average():
    # A statement about populations, not about each: some populations lose (see README.md), so eight are
    # drawn from consecutive seeds, the default cutoffs are used and the mean ratio of errors is judged.
    stratum = np.repeat(np.arange(4), SIZES)
    group = np.zeros(DRAWN.sum(), dtype=int)
    ratios = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        y = rng.pareto(1.3, len(stratum)) + 1
        estimates = np.empty((200, 2))
        for i in range(len(estimates)):
            index = draw(rng)
            sample = StratifiedSample(stratum[index], SIZES.astype(float))
            treated = winsorize(y[index], group, design_weight=sample.weight).values
            estimates[i] = total(sample, np.stack([y[index], treated], axis=1)).value[0]
        raw, treated = ((estimates - y.sum()) ** 2).mean(axis=0)
        ratios.append(treated / raw)
        assert estimates[:, 1].mean() < estimates[:, 0].mean()
    assert np.mean(ratios) < 0.9, ratios
