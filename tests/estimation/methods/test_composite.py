import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import composite_index, critic_weights, entropy_weights


def test_entropy_weights_by_hand():
    # Shares (1, 0): entropy 0. Shares (1/4, 3/4): entropy of log2. A constant: entropy 1.
    weights = entropy_weights(np.array([[8.0, 1.0, 5.0], [0.0, 3.0, 5.0]]))
    uneven = np.array([1.0, 1 + 0.25 * np.log2(0.25) + 0.75 * np.log2(0.75), 0.0])
    np.testing.assert_allclose(weights, uneven / uneven.sum(), rtol=1e-12)
    np.testing.assert_allclose(entropy_weights(np.ones((3, 2))), [0.5, 0.5])
    with pytest.raises(ValueError, match=r"scores must not be negative: index \(0, 1\)"):
        entropy_weights(np.array([[1.0, -1.0], [2.0, 2.0]]))


def test_a_constant_indicator_has_no_weight_at_all():
    for units in range(2, 60):
        scores = np.column_stack([np.full(units, 0.1), np.arange(1.0, units + 1)])
        assert entropy_weights(scores).tolist() == [0.0, 1.0]


def test_critic_weights_by_hand():
    x = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 1.0], [3.0, 6.0, 2.0]])
    # Spreads 1, 2, 1; correlations r12 = 1, r13 = r23 = -0.5: conflicts 1.5, 1.5, 3.
    np.testing.assert_allclose(critic_weights(x), np.array([1.5, 3.0, 3.0]) / 7.5, rtol=1e-12)
    flat = np.column_stack([x, np.full(3, 9.0)])
    np.testing.assert_allclose(critic_weights(flat), [0.2, 0.4, 0.4, 0.0], atol=1e-15)
    np.testing.assert_allclose(critic_weights(x[:, :2]), [1 / 3, 2 / 3])  # no conflict at all


def test_the_index_by_hand():
    x = np.array([[0.0, 30.0], [5.0, 10.0], [10.0, 20.0]])
    result = composite_index(x, direction=[1, -1], tails=0.0, importance=[3.0, 1.0], mix={"importance": 1.0})
    np.testing.assert_allclose(result.scores, [[0, 0], [50, 100], [100, 50]])
    np.testing.assert_allclose(result.weights.final, [0.75, 0.25])
    np.testing.assert_allclose(result.value, [0, 62.5, 87.5])
    assert result.rank.tolist() == [3, 2, 1]
    geometric = composite_index(
        x,
        direction=[1, -1],
        tails=0.0,
        importance=[3.0, 1.0],
        mix={"importance": 1.0},
        aggregation="geometric",
    )
    np.testing.assert_allclose(geometric.value, [1, 50**0.75 * 100**0.25, 100**0.75 * 50**0.25])


def test_learned_weights_without_fit_are_omitted():
    x = np.random.default_rng(1).gamma(2.0, 1.0, (10, 3))
    plain = composite_index(x)
    useless = composite_index(x, importance=[5.0, 1.0, 1.0], importance_fit=0.0)
    assert set(useless.weights.parts) == {"entropy", "critic"}
    assert (useless.value == plain.value).all()
    used = composite_index(x, importance=[5.0, 1.0, 1.0], importance_fit=0.3)
    assert used.weights.mix == pytest.approx({"entropy": 1 / 3, "critic": 1 / 3, "importance": 1 / 3})
    expected = sum(part / 3 for part in used.weights.parts.values())
    np.testing.assert_allclose(used.weights.final, expected)


def test_robustness_runs_and_bands():
    rng = np.random.default_rng(3)
    level = np.linspace(0, 10, 12)[:, None]
    x = level + rng.normal(0, 0.8, (12, 4))
    draws = x + rng.normal(0, 0.8, (60, 12, 4))
    result = composite_index(x, replicates=draws, importance=np.ones(4), importance_fit=0.5)
    assert len(result.variants) == 3 * 5 * 2 and result.variant_rank.shape == (30, 12)
    assert "minmax/final/arithmetic" in result.variants
    own = result.variant_rank[result.variants.index("minmax/final/arithmetic")]
    assert own.tolist() == result.rank.tolist()
    assert (result.rank_low <= result.median_rank).all() and (result.median_rank <= result.rank_high).all()
    assert (result.rank_high - result.rank_low).max() >= 1
    assert np.corrcoef(result.median_rank, -level[:, 0])[0, 1] > 0.95
    certain = composite_index(level * np.ones(4))
    assert (certain.rank_low == certain.rank_high).all() and certain.rank.tolist() == list(range(12, 0, -1))


def test_skewed_indicators_are_logged():
    # A value far from the rest of thirty: skewness about 5 without winsorization.
    skewed = np.concatenate([np.arange(1.0, 30.0), [1e6]])
    x = np.column_stack([skewed, np.arange(30.0)])
    result = composite_index(x, tails=0.0)
    assert result.logged.tolist() == [True, False]
    np.testing.assert_allclose(result.scores[:, 0], 100 * np.log(skewed) / np.log(1e6))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": [1, 0]}, r"direction must be 1 or -1: index 1 holds 0\.0"),
        ({"importance": [1, -1]}, r"importance must not be negative: index 1 holds -1\.0"),
        ({"mix": {"entropy": -1.0}}, "mix must give non-negative shares"),
        ({"mix": {"luck": 1.0}}, "mix must give non-negative shares"),
        ({"indicators": np.ones((1, 2))}, "at least 2 units"),
        ({"replicates": np.ones((3, 2, 2))}, "do not fit the indicators"),
        ({"scaling": "odd"}, "scaling must be one of"),
    ],
)
def test_bad_input_is_refused(options, message):
    arguments = {"indicators": np.array([[1.0, 2.0], [3.0, 1.0], [2.0, 2.0]])} | options
    with pytest.raises(ValueError, match=message):
        composite_index(arguments.pop("indicators"), **arguments)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([1e-6, 3.0, 1e9]))
def test_units_of_measure_and_order_do_not_matter(seed, unit):
    rng = np.random.default_rng(seed)
    x = rng.gamma(1.0, 2.0, (9, 3))
    first = composite_index(x)
    scaled = composite_index(x * np.array([unit, 1.0, 1.0]))
    np.testing.assert_allclose(scaled.value, first.value, rtol=1e-6, atol=1e-9)
    order = rng.permutation(9)
    np.testing.assert_allclose(composite_index(x[order]).value, first.value[order], rtol=1e-9, atol=1e-9)
    assert first.weights.final.sum() == pytest.approx(1.0)
    assert (first.value >= 0).all() and (first.value <= 100 + 1e-9).all()
