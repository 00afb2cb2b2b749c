import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from estimation.methods import optimal_cutoffs


def test_by_hand():
    # Mean 4; D = (y - 4) * 9 = -27, -18, -9, 54 for weights 10: B = 54 / 2 = 27, K = 4 + 27 / 9 = 7.
    result = optimal_cutoffs(np.array([1.0, 2.0, 3.0, 10.0]), np.full(4, 10.0))
    assert result.cutoff.tolist() == pytest.approx([7.0] * 4)
    assert result.values.tolist() == pytest.approx([1, 2, 3, 7.3])
    assert result.bias == pytest.approx(27.0)
    assert result.treated.tolist() == [False, False, False, True]


def test_certainty_and_exempt_units_are_unchanged():
    y = np.array([1.0, 1.0, 500.0, 900.0, 70.0])
    weight = np.array([10.0, 10.0, 10.0, 1.0, 10.0])
    result = optimal_cutoffs(y, weight, exempt=np.array([0, 0, 1, 0, 0], dtype=bool), expected=np.ones(5))
    assert result.values[:4].tolist() == y[:4].tolist() and np.isinf(result.cutoff[2:4]).all()
    # Only the last unit: D = 69 * 9 = 621, B = 310.5, K = 1 + 34.5.
    assert result.cutoff[4] == pytest.approx(35.5)


def test_groups_have_their_own_centre_and_history_sets_the_bias():
    y = np.array([1.0, 3.0, 100.0, 300.0])
    result = optimal_cutoffs(y, np.full(4, 5.0), group=np.array([0, 0, 1, 1]))
    assert result.centre.tolist() == [2, 2, 200, 200]
    assert result.cutoff.tolist() == [52, 52, 250, 250]  # D = 400 and 4, B = 200 > 4
    past = (np.array([11.0]), np.array([3.0]), np.array([1.0]))  # D = 20, B = 10
    result = optimal_cutoffs(y, np.full(4, 5.0), expected=np.zeros(4), history=past)
    assert result.cutoff.tolist() == [2.5] * 4
    with pytest.raises(ValueError, match=r"weight must be positive: index 1 holds 0\.0"):
        optimal_cutoffs(np.ones(2), np.array([1.0, 0.0]))


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(1.01, 500)), min_size=1, max_size=50))
def test_the_bias_solves_its_equation(units):
    y, w = np.array(units).T
    result = optimal_cutoffs(y, w)
    lift = (y - result.centre) * (w - 1.0)
    assert result.bias == pytest.approx(np.maximum(lift - result.bias, 0).sum(), rel=1e-6, abs=1e-3)
    assert (result.values <= y).all()
    high = max(lift.max(), 0.0) + 1.0
    root = optimize.brentq(lambda b: b - np.maximum(lift - b, 0).sum(), 0.0, high * len(y))
    assert result.bias == pytest.approx(root, rel=1e-6, abs=1e-3)


@pytest.mark.slow
def test_a_unit_that_counts_twice_is_two_units_and_one_that_counts_never_is_none():
    rng = np.random.default_rng(8)
    y, weight, group = rng.lognormal(2, 1.5, 30), rng.uniform(1, 6, 30), rng.integers(0, 3, 30)
    share = rng.integers(0, 3, 30)
    result = optimal_cutoffs(y, weight, group=group, share=share)
    again = np.repeat(np.arange(30), share)
    twice = optimal_cutoffs(y[again], weight[again], group=group[again])
    np.testing.assert_allclose(result.cutoff[again], twice.cutoff, rtol=1e-12)
    np.testing.assert_allclose(result.values[again], twice.values, rtol=1e-12)
    assert twice.treated.any()
    plain = optimal_cutoffs(y, weight, group=group)
    np.testing.assert_array_equal(
        optimal_cutoffs(y, weight, group=group, share=np.ones(30)).values, plain.values
    )
    with pytest.raises(ValueError, match="share must not be negative: index 2"):
        optimal_cutoffs(y, weight, share=np.where(np.arange(30) == 2, -1, 1))


def test_mean_squared_error_falls_in_simulation():
    # Skewed populations, the bias found from an independent earlier year, as the method is meant to be used.
    sizes, drawn = np.array([800, 300]), np.array([40, 30])
    stratum = np.repeat([0, 1], sizes)
    weight = np.repeat(sizes / drawn, drawn)
    gains = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        y = (rng.pareto(1.5, len(stratum)) + 1) * np.array([1.0, 4.0])[stratum]
        centre = np.array([y[stratum == h].mean() for h in (0, 1)])[stratum]
        errors = []
        for _ in range(1000):
            units, before = (
                np.concatenate([h * 800 + rng.permutation(sizes[h])[: drawn[h]] for h in (0, 1)])
                for _ in range(2)
            )
            result = optimal_cutoffs(
                y[units], weight, expected=centre[units], history=(y[before], weight, centre[before])
            )
            errors.append([weight @ y[units] - y.sum(), weight @ result.values - y.sum()])
        raw, treated = (np.array(errors) ** 2).mean(axis=0)
        gains.append(treated / raw)
    assert max(gains) < 1.0 and np.mean(gains) < 0.7, gains
