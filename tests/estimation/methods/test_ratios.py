from itertools import combinations

import numpy as np
import pytest

from estimation.methods import StratifiedSample, contrast, mean, mean_multiple, ratio, total
from tests.estimation.methods.slow import make_sample, slow_variance


def test_combined_ratio_by_hand():
    # N = 6, n = 3, weight 2. y = 1, 4, 7 and x = 1, 2, 3: R = 24 / 12 = 2.
    # u = (y - 2 x) / 12 = -1/12, 0, 1/12; z = w u = -1/6, 0, 1/6.
    # V = (1 - 1/2) * 3/2 * (1/36 + 1/36) = 1/24.
    sample = StratifiedSample(np.zeros(3, dtype=int), np.array([6.0]))
    result = ratio(sample, np.array([1.0, 4.0, 7.0]), np.array([1.0, 2.0, 3.0]))
    assert result.value.item() == pytest.approx(2.0)
    assert result.variance.item() == pytest.approx(1 / 24)


def test_separate_ratio_by_hand():
    # Stratum 0: N = 4, y = 1, 3, x = 1, 1, R_0 = 2, X_0 = 10; stratum 1: N = 4, y = 6, 6, x = 1, 3, R_1 = 3,
    #   X_1 = 30.
    # R = 0.25 * 2 + 0.75 * 3 = 2.75.
    # V_0: e = -1, 1 over X_0 hat = 4 with weight 2: z = -1/2, 1/2; (1 - 1/2) * 2 * 1/2 = 1/2; times 0.25^2.
    # V_1: e = 3, -3 over X_1 hat = 8: z = 3/4, -3/4; (1 - 1/2) * 2 * 9/8 = 9/8; times 0.75^2.
    sample = StratifiedSample(np.array([0, 0, 1, 1]), np.array([4.0, 4.0]))
    y, x = np.array([1.0, 3.0, 6.0, 6.0]), np.array([1.0, 1.0, 1.0, 3.0])
    result = ratio(sample, y, x, form="separate", x_population=np.array([10.0, 30.0]))
    assert result.value.item() == pytest.approx(2.75)
    assert result.variance.item() == pytest.approx(0.0625 * 0.5 + 0.5625 * 1.125)


def test_separate_ratio_takes_known_totals_for_each_item():
    sample = StratifiedSample(np.array([0, 0, 1, 1]), np.array([4.0, 6.0]))
    y = np.array([[2.0, 1.0], [4.0, 1.0], [3.0, 5.0], [6.0, 5.0]])
    x = np.array([[1.0, 2.0], [2.0, 2.0], [3.0, 1.0], [3.0, 4.0]])
    known_totals = np.array([[10.0, 30.0], [30.0, 5.0]])  # (strata, items)
    both = ratio(sample, y, x, form="separate", x_population=known_totals)
    for item in (0, 1):
        alone = ratio(sample, y[:, item], x[:, item], form="separate", x_population=known_totals[:, item])
        assert both.value[0, item] == pytest.approx(alone.value[0, 0])
    # (10 x 6/3 + 30 x 9/6) / 40 and (30 x 2/4 + 5 x 10/5) / 35.
    assert both.value[0] == pytest.approx([65 / 40, 25 / 35])


def test_separate_ratio_by_domain_needs_totals_that_say_how_a_stratum_splits():
    sample = StratifiedSample(np.array([0, 0, 1, 1]), np.array([4.0, 4.0]))
    y, x = np.array([1.0, 3.0, 6.0, 6.0]), np.array([1.0, 1.0, 1.0, 3.0])
    nested = ratio(
        sample, y, x, domain=np.array([0, 0, 1, 1]), form="separate", x_population=np.array([10.0, 30.0])
    )
    assert nested.value[:, 0].tolist() == pytest.approx([2.0, 3.0])
    split = np.array([0, 1, 1, 1])
    with pytest.raises(ValueError, match="stratum 0 lies in several domains"):
        ratio(sample, y, x, domain=split, form="separate", x_population=np.array([10.0, 30.0]))
    known_totals = np.array([[10.0, 0.0], [5.0, 15.0]])
    result = ratio(sample, y, x, domain=split, form="separate", x_population=known_totals)
    assert result.value[:, 0].tolist() == pytest.approx([1.0, 0.25 * 3 + 0.75 * 3])


def test_separate_ratio_refuses_what_it_cannot_do():
    sample = StratifiedSample(np.array([0, 0, 1]), np.array([4.0, 4.0]))
    with pytest.raises(ValueError, match="needs x_population"):
        ratio(sample, np.ones(3), np.ones(3), form="separate")
    with pytest.raises(ValueError, match="stratum 1 has a known total of x but no x in the sample"):
        ratio(
            sample, np.ones(3), np.array([1.0, 1.0, 0.0]), form="separate", x_population=np.array([4.0, 4.0])
        )
    with pytest.raises(ValueError, match="fits neither"):
        ratio(sample, np.ones(3), np.ones(3), form="separate", x_population=np.ones(5))


def test_exact_proportionality_leaves_no_variance_over_many_orders_of_magnitude():
    stratum, population, _, domain = make_sample(3)
    x = 10.0 ** np.random.default_rng(1).uniform(-15, 15, len(stratum))
    result = ratio(StratifiedSample(stratum, population), 3.0 * x, x, domain=domain)
    np.testing.assert_allclose(result.value, 3.0, rtol=1e-14)
    assert (result.se < 1e-14).all()


def test_ratio_variance_agrees_with_all_samples_of_a_near_proportional_population():
    # The linearised variance is exact to first order only: with 5 of 8 units it lies within a tenth of the
    #   truth.
    x = np.array([4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0])
    y = 2 * x + np.array([0.1, -0.2, 0.15, 0.05, -0.1, 0.1, -0.15, 0.05])
    values, variances = [], []
    for index in combinations(range(8), 5):
        sample = StratifiedSample(np.zeros(5, dtype=int), np.array([8.0]))
        result = ratio(sample, y[list(index)], x[list(index)])
        values.append(result.value.item())
        variances.append(result.variance.item())
    assert np.mean(values) == pytest.approx(y.sum() / x.sum(), abs=2e-4)
    assert np.mean(variances) == pytest.approx(np.var(values), rel=0.1)


def test_a_zero_denominator_gives_no_ratio_and_does_not_affect_other_domains():
    sample = StratifiedSample(np.zeros(4, dtype=int), np.array([8.0]))
    x = np.array([0.0, 0.0, 1.0, 2.0])
    result = ratio(sample, np.ones(4), x, domain=np.array([0, 0, 1, 1]))
    assert np.isnan(result.value[0, 0]) and np.isnan(result.se[0, 0])
    assert result.value[1, 0] == pytest.approx(2 / 3)
    assert np.isfinite(result.se[1, 0])


def test_mean_multiple_is_the_ratio_of_two_means_with_slow_variance():
    stratum, population, y, domain = make_sample(11)
    sample = StratifiedSample(stratum, population)
    a, b = domain == 0, domain == 1
    result = mean_multiple(sample, y, a, b)
    means = mean(sample, y, domain=domain).value
    np.testing.assert_allclose(result.value[0], means[0] / means[1], rtol=1e-12)
    w = sample.weight
    for k in range(y.shape[1]):
        u_a = a * (y[:, k] - means[0, k]) / w[a].sum()
        u_b = b * (y[:, k] - means[1, k]) / w[b].sum()
        z = w * (u_a - result.value[0, k] * u_b) / means[1, k]
        assert result.variance[0, k] == pytest.approx(slow_variance(z, stratum, population), rel=1e-11)


def test_contrast_finds_the_ratio_again_with_and_without_gradient():
    stratum, population, y, domain = make_sample(5)
    sample = StratifiedSample(stratum, population)
    expected = ratio(sample, y[:, 0], y[:, 1], domain=domain)
    by_step = contrast(sample, y[:, :2], lambda t: t[0] / t[1], domain=domain)
    by_hand = contrast(
        sample,
        y[:, :2],
        lambda t: t[0] / t[1],
        gradient=lambda t: [1 / t[1], -t[0] / t[1] ** 2],
        domain=domain,
    )
    for result in (by_step, by_hand):
        np.testing.assert_allclose(result.value, expected.value, rtol=1e-13)
        np.testing.assert_allclose(result.se, expected.se, rtol=1e-10)


def test_contrast_of_several_functions_at_once():
    stratum, population, y, _ = make_sample(5)
    sample = StratifiedSample(stratum, population)
    result = contrast(sample, y, lambda t: np.array([t[0] + t[1], np.log(t[2])]))
    both = total(sample, y[:, 0] + y[:, 1])
    logged = total(sample, y[:, 2])
    np.testing.assert_allclose(result.value[0], [both.value.item(), np.log(logged.value.item())], rtol=1e-13)
    np.testing.assert_allclose(result.se[0], [both.se.item(), logged.cv.item()], rtol=1e-11)
