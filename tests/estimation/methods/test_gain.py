import numpy as np
import pytest

from estimation.methods import StratifiedSample, optimal_cutoffs, total, treatment_gain, winsorize


def test_by_hand():
    # One stratum, 4 of 8, weights 2; the value 10 is lowered to 4, so the total falls by 12.
    sample = StratifiedSample([0, 0, 0, 0], [8])
    result = treatment_gain(sample, [1, 2, 3, 10], [1, 2, 3, 4])
    # V = N^2 (1 - f) s^2 / n = 64 * .5 * s^2 / 4 = 8 s^2, with s^2 = 50/3, 5/3 and, of the difference, 9.
    assert result.variance.item() == pytest.approx(8 * 50 / 3)
    assert result.variance_treated.item() == pytest.approx(8 * 5 / 3)
    assert (result.bias.item(), result.bias_se.item()) == (-12.0, pytest.approx(72**0.5))
    assert result.mse_treated.item() == pytest.approx(8 * 5 / 3 + 144 - 72)
    assert result.ratio.item() == pytest.approx((8 * 5 / 3 + 72) / (8 * 50 / 3))


def test_nothing_moved_is_no_gain_and_a_census_has_no_ratio():
    y = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 9.0], [4.0, 1.0]])
    sampled = treatment_gain(StratifiedSample([0, 0, 1, 1], [4, 5]), y, y)
    assert (sampled.ratio == 1.0).all() and (sampled.bias == 0.0).all()
    assert np.isnan(treatment_gain(StratifiedSample([0, 0, 1, 1], [2, 2]), y, y / 2).ratio).all()


def test_domains_are_separate_and_missing_values_outside_do_not_matter():
    sample = StratifiedSample([0, 0, 0, 0], [8])
    y, treated = [1.0, 2.0, np.nan, 10.0], [1.0, 2.0, np.nan, 4.0]
    result = treatment_gain(sample, y, treated, domain=[0, 0, -1, 1])
    assert result.bias[:, 0].tolist() == [0.0, -12.0]
    assert result.variance[1, 0] == total(sample, [0.0, 0.0, 0.0, 10.0]).variance.item()
    with pytest.raises(ValueError, match="differ in shape"):
        treatment_gain(sample, [1.0, 2.0, 3.0, 4.0], [[1.0], [2.0], [3.0], [4.0]])


def test_over_repeated_samples_the_estimated_mean_squared_error_is_that_of_fixed_cutoffs():
    rng = np.random.default_rng(8)
    population = rng.lognormal(0.0, 1.4, 400)
    truth, size, cutoff = population.sum(), 80, np.quantile(population, 0.97)
    fixed, own = np.empty((600, 2)), np.empty((600, 2))
    for number in range(600):
        y = rng.choice(population, size, replace=False)
        sample = StratifiedSample(np.zeros(size, dtype=int), [400.0])
        treatments = (np.minimum(y, cutoff), optimal_cutoffs(y, sample.weight).values)
        for result, treated in zip((fixed, own), treatments, strict=True):
            error = (total(sample, treated).value.item() - truth) ** 2
            result[number] = treatment_gain(sample, y, treated).mse_treated.item(), error
    estimated, true = fixed.mean(axis=0)
    assert estimated == pytest.approx(true, rel=0.15)
    # Cutoffs that follow the sample move with it, which this estimate does not see (docstring).
    estimated, true = own.mean(axis=0)
    assert 0.5 * true < estimated < true


def test_gain_distinguishes_small_from_large_treatments():
    rng = np.random.default_rng(3)
    y = rng.normal(100.0, 10.0, 500)
    sample = StratifiedSample(np.zeros(500, dtype=int), [5000.0])
    group = np.zeros(500, dtype=int)
    strict = treatment_gain(sample, y, winsorize(y, group, lower=0.0, upper=0.7).values)
    mild = treatment_gain(sample, y, winsorize(y, group, lower=0.0, upper=0.999).values)
    assert mild.ratio.item() < 1.1 < 10.0 < strict.ratio.item()
