import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import (
    StratifiedSample,
    bootstrap,
    bootstrap_part,
    combine,
    ratio,
    replicate_weights,
    total,
)
from estimation.methods.estimators.bootstrap import _Draws
from tests.estimation.methods.slow import make_sample


@pytest.mark.parametrize("fpc", [True, False])
def test_over_all_possible_draws_mean_and_variance_are_those_of_the_total(fpc):
    stratum = np.array([0, 1, 0, 1, 0, 2, 2])
    population = np.array([7.0, 4.0, 2.0])
    sample = StratifiedSample(stratum, population)
    y = np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0])
    draws = _Draws(sample, 0, fpc)
    # Sorted by stratum: units 0-2, 3-4, 5-6; draws of 2, 1 and 1 units.
    drawn = itertools.product(range(3), range(3), (3, 4), (5, 6))
    result = [draws.weights(np.bincount(chosen, minlength=7)) @ y for chosen in drawn]
    assert len(result) == 36
    expected = total(sample, y)
    variance = expected.variance.item()
    if not fpc:
        scaled = StratifiedSample(stratum, population * 1e9, weight=sample.weight)
        variance = total(scaled, y).variance.item()
    assert np.mean(result) == pytest.approx(expected.value.item(), rel=1e-13)
    assert np.var(result) == pytest.approx(variance, rel=1e-8)


def test_agrees_with_linearisation_for_totals_domains_and_ratios():
    stratum, population, y, domain = make_sample(3, n=400, strata=12)
    sample = StratifiedSample(stratum, population, lonely="certainty")
    full = bootstrap(sample, y, replicates=4000, seed=1)
    assert full.value.shape == (1, 3) and full.replicates.shape == (4000, 1, 3)
    linear = total(sample, y)
    np.testing.assert_allclose(full.value, linear.value, rtol=1e-14)
    np.testing.assert_allclose(full.se, linear.se, rtol=0.06)
    np.testing.assert_allclose(full.cv, linear.cv, rtol=0.06)
    low, high = full.percentiles()
    np.testing.assert_allclose((high - low) / (full.upper - full.lower), 1.0, rtol=0.06)
    parts = bootstrap(sample, y, replicates=4000, seed=1, domain=domain)
    np.testing.assert_allclose(parts.se, total(sample, y, domain=domain).se, rtol=0.06)
    np.testing.assert_allclose(parts.replicates.sum(axis=1), full.replicates[:, 0], rtol=1e-6)
    quotient = bootstrap(sample, lambda w: w @ y[:, 0] / (w @ y[:, 1]), replicates=4000, seed=1)
    np.testing.assert_allclose(quotient.se, ratio(sample, y[:, 0], y[:, 1]).se.item(), rtol=0.08)


def test_values_and_functions_use_the_same_replicates():
    stratum, population, y, domain = make_sample(8)
    sample = StratifiedSample(stratum, population)
    fast = bootstrap(sample, y, replicates=30, seed=7, chunk=8)
    slow = bootstrap(sample, lambda w: (w @ y)[None, :], replicates=30, seed=7, chunk=30)
    spread = slow.se.max()
    np.testing.assert_allclose(fast.replicates, slow.replicates, rtol=0, atol=1e-5 * spread)
    cut = bootstrap(sample, y, replicates=30, seed=7, domain=np.where(domain == 2, 0, -1))
    own = bootstrap(sample, lambda w: (w[domain == 2] @ y[domain == 2])[None, :], replicates=30, seed=7)
    np.testing.assert_allclose(cut.replicates, own.replicates, rtol=1e-10)


def test_chunks_and_workers_give_the_same_replicates_to_the_bit():
    stratum, population, y, _ = make_sample(9)
    sample = StratifiedSample(stratum, population)
    in_sevens = np.concatenate([c.weights for c in replicate_weights(sample, replicates=20, seed=5, chunk=7)])
    in_ones = [c.weights for c in replicate_weights(sample, replicates=20, seed=5, chunk=1)]
    at_once = next(replicate_weights(sample, replicates=20, seed=5, chunk=20)).weights
    np.testing.assert_array_equal(np.concatenate(in_ones), at_once)
    assert (in_sevens == at_once).all() and in_sevens.shape == (20, sample.n)
    later = next(replicate_weights(sample, replicates=5, seed=5, first=15))
    assert later.first == 15 and (later.weights == at_once[15:]).all()
    full = bootstrap(sample, y, replicates=20, seed=5)
    parts = [bootstrap_part(sample, y, first=f, count=10, seed=5) for f in (0, 10)]
    joined = combine(full.value, np.concatenate(parts))
    np.testing.assert_allclose(joined.se, full.se, rtol=1e-5)
    assert not (at_once == next(replicate_weights(sample, replicates=20, seed=6, chunk=20)).weights).all()


@settings(deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_weights_of_a_stratum_keep_their_sum_and_take_all_or_lonely_strata_are_unchanged(seed, fpc):
    stratum, population, _, _ = make_sample(seed % 50)
    sample = StratifiedSample(stratum, population)
    for chunk in replicate_weights(sample, replicates=3, seed=seed, fpc=fpc, chunk=2):
        for weights in chunk.weights:
            assert (weights >= 0).all()
            np.testing.assert_allclose(np.bincount(stratum, weights=weights), population, rtol=1e-12)
            still = sample.alone | ((sample.fraction == 1.0) & (fpc | (sample.sample_size == 1)))
            retained = still[stratum]
            assert (weights[retained] == sample.weight[retained]).all()


def test_wide_values_keep_their_scale_by_item():
    stratum, population, y, _ = make_sample(4)
    sample = StratifiedSample(stratum, population)
    scales = np.array([1e-30, 1.0, 1e60])
    plain, scaled = (bootstrap(sample, v, replicates=50, seed=2) for v in (y, y * scales))
    np.testing.assert_allclose(scaled.se, plain.se * scales, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicates": 1}, "replicates must be at least 2"),
        ({"chunk": 0}, "chunk must be at least 1"),
        ({"statistic_or_y": np.sum, "domain": np.array([0, 0, 0])}, "a function handles its own domains"),
        ({"statistic_or_y": np.array([1.0, np.nan, 2.0])}, "y must be finite: index"),
    ],
)
def test_bad_input_is_refused(options, message):
    sample = StratifiedSample(np.zeros(3, dtype=int), np.array([9.0]))
    arguments = {"statistic_or_y": np.ones(3), "seed": 1} | options
    with pytest.raises(ValueError, match=message):
        bootstrap(sample, arguments.pop("statistic_or_y"), **arguments)
    with pytest.raises(ValueError, match="do not fit the value"):
        combine(np.ones(2), np.ones((3, 4)))
