import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import score


def test_suspicion_impact_and_score_by_hand():
    expected = np.full(5, 100.0)
    y = 100.0 * np.exp([-1.0, -0.5, 0.0, 0.5, 3.0])
    weight = np.array([1.0, 1.0, 1.0, 1.0, 10.0])
    result = score(y, expected, weight=weight, minimum=1, domain=np.array([0, 0, 0, 1, 1]))
    # Median of log distances 0, median absolute deviation 0.5.
    spread = 1.4826022185056018 * 0.5
    np.testing.assert_allclose(result.suspicion[:, 0], np.array([1, 0.5, 0, 0.5, 3]) / spread)
    np.testing.assert_allclose(result.shift[:, 0], weight * (y - 100) / 1400)
    # The total expected in domain 0 is 300, in domain 1 it is 1100.
    own = np.abs(weight * (y - 100)) / np.array([300, 300, 300, 1100, 1100])
    np.testing.assert_allclose(result.impact[:, 0], own)
    np.testing.assert_allclose(result.score, result.suspicion[:, 0] * own)
    assert result.score.argmax() == 4
    with_totals = score(y, expected, weight=weight, total=np.array([5000.0]))
    np.testing.assert_allclose(with_totals.shift[:, 0], weight * (y - 100) / 5000)


def test_the_worst_item_counts_and_missing_expectations_do_not():
    y = np.array([[10.0, 10.0], [10.0, 500.0], [7.0, 10.0]])
    expected = np.array([[10.0, 10.0], [10.0, 10.0], [np.nan, 10.0]])
    result = score(y, expected, weight=np.ones(3))
    assert result.item[1] == 1 and result.score[1] > 0
    assert result.score[[0, 2]].tolist() == [0, 0]


def test_unit_slips_are_named():
    factor = np.array([1000, 1024, 1 / 1024, 1024**2, 1e-6, 1e9, 500, 1.0])
    result = score(7.0 * factor, np.full(8, 7.0), weight=np.ones(8))
    assert result.slip_base[:, 0].tolist() == [1000, 1024, 1024, 1024, 1000, 1000, 0, 0]
    assert result.slip_power[:, 0].tolist() == [1, 1, -1, 2, -2, 3, 0, 0]


def test_zeros_copies_and_classes():
    expected = np.array([5.0, 0.0, 0.0, 5.0, 5.0, 5.0])
    y = np.array([0.0, 5.0, 0.0, 5.0, 5.0, 5.0])
    result = score(y, expected, weight=np.ones(6), minimum=1)
    far = np.log(1000) / 0.1  # the class is made of copies: the least spread of 0.1 applies
    np.testing.assert_allclose(result.suspicion[:, 0], [far, far, 0, 0, 0, 0], rtol=1e-12)
    two = score(
        np.array([2.0, 2.0, 2.0, 1.0, 1.0, 1.0]),
        np.ones(6),
        weight=np.ones(6),
        group=np.arange(6) // 3,
        minimum=3,
    )
    assert (two.suspicion == 0).all()  # everybody in a class that doubled did the same
    with pytest.raises(ValueError, match=r"y must not be negative: index \(1, 0\) holds -2\.0"):
        score(np.array([1.0, -2.0]), np.ones(2), weight=np.ones(2))


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1e-9, 1.0, 1e12]))
def test_scores_do_not_depend_on_the_unit_of_measure_or_order(seed, unit):
    rng = np.random.default_rng(seed)
    y, expected = rng.lognormal(0, 2, (2, 30, 2))
    weight, group = rng.uniform(1, 9, 30), rng.integers(0, 3, 30)
    order = rng.permutation(30)
    first = score(y, expected, weight=weight, group=group, minimum=4)
    second = score(
        unit * y[order], unit * expected[order], weight=weight[order], group=group[order], minimum=4
    )
    np.testing.assert_allclose(second.score, first.score[order], rtol=1e-6, atol=1e-9)
    assert (first.score >= 0).all()
