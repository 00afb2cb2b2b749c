import numpy as np
import pytest

from estimation.methods import Reason, StratifiedSample, total, trim, weighted_quantiles, winsorize


def test_equal_weights_give_the_quantiles_of_numpy():
    rng = np.random.default_rng(1)
    y = rng.lognormal(0, 2, 500)
    group = rng.integers(0, 7, 500)
    probs = [0.0, 0.01, 0.25, 0.5, 0.975, 1.0]
    for weight in (None, np.full(500, 3.7)):
        table = weighted_quantiles(y, probs, group=group, weight=weight)
        for g in range(7):
            np.testing.assert_allclose(table[g], np.quantile(y[group == g], probs), rtol=1e-11)


def test_weighted_quantile_by_hand():
    # Values 1, 2, 4 with weights 3, 1, 9: p = 0, 3/4, 1. At 0.5: 1 + (0.5 / 0.75) * 1; at 0.9: 2 + 0.15 /
    #   0.25 * 2.
    y, w = np.array([4.0, 1.0, 2.0]), np.array([9.0, 3.0, 1.0])
    np.testing.assert_allclose(weighted_quantiles(y, [0.5, 0.9], weight=w), [[1 + 2 / 3, 3.2]], rtol=1e-14)


def slow_quantile(y, w, p):
    order = np.argsort(y, kind="stable")
    y, w = y[order], w[order]
    if len(y) == 1:
        return y[0]
    positions = np.concatenate([[0], np.cumsum(w[:-1])]) / w[:-1].sum()
    return np.interp(p, positions, y)


def test_weighted_quantiles_equal_a_slow_loop():
    rng = np.random.default_rng(2)
    y = np.round(rng.lognormal(0, 2, 300), 1)  # with ties
    w = rng.uniform(0.1, 50, 300)
    group = rng.integers(0, 40, 300)
    probs = [0.01, 0.1, 0.5, 0.99]
    table = weighted_quantiles(y, probs, group=group, groups=42, weight=w)
    for g in range(40):
        expected = [slow_quantile(y[group == g], w[group == g], p) for p in probs]
        np.testing.assert_allclose(table[g], expected, rtol=1e-9)
    assert np.isnan(table[40:]).all()


def test_winsorize_by_hand_does_not_change_zeros():
    # Positive values 1, 2, 3, 4, 100; quantiles 0.25 and 0.75 are 2 and 4.
    y = np.array([0.0, 100.0, 1.0, 2.0, 3.0, 4.0, 0.0])
    result = winsorize(y, np.zeros(7, dtype=int), lower=0.25, upper=0.75)
    assert result.values.tolist() == [0, 4, 2, 2, 3, 4, 0]
    assert (result.lower.tolist(), result.upper.tolist()) == ([2.0], [4.0])
    assert result.reason.tolist() == [
        Reason.NOT_POSITIVE,
        Reason.LOWERED,
        Reason.RAISED,
        Reason.WITHIN,
        Reason.WITHIN,
        Reason.WITHIN,
        Reason.NOT_POSITIVE,
    ]
    assert result.counted.tolist() == [5]
    assert result.treated.sum() == 2
    assert y[1] == 100.0
    negative = winsorize(y - 2, np.zeros(7, dtype=int), lower=0.25, upper=0.75, positive_only=False)
    np.testing.assert_array_equal(negative.values, np.clip(y - 2, *np.quantile(y - 2, [0.25, 0.75])))


def test_trim_drops_the_unit_and_an_estimator_refuses_it():
    y = np.array([0.0, 100.0, 1.0, 2.0, 3.0, 4.0])
    result = trim(y, np.zeros(6, dtype=int), lower=0.25, upper=0.75)
    assert result.keep.tolist() == [True, False, False, True, True, True]
    assert np.isnan(result.values[1])
    assert result.reason[1:3].tolist() == [Reason.DROPPED_HIGH, Reason.DROPPED_LOW]
    sample = StratifiedSample(np.zeros(6, dtype=int), np.array([6.0]))
    with pytest.raises(ValueError, match="y must be finite"):
        total(sample, result.values)
    assert total(sample, result.values, domain=np.where(result.keep, 0, -1)).value.item() == 9.0


def test_exempt_units_and_units_of_weight_one_keep_their_values_and_say_why():
    y = np.array([1.0, 2.0, 3.0, 4.0, 100.0, 200.0])
    exempt = np.array([False, False, False, False, True, False])
    weight = np.array([5.0, 5, 5, 5, 5, 1])
    arguments = {"lower": 0.2, "upper": 0.8, "exempt": exempt, "design_weight": weight}
    result = winsorize(y, np.zeros(6, dtype=int), **arguments)
    assert result.values[4:].tolist() == [100.0, 200.0]
    assert result.reason[4:].tolist() == [Reason.EXEMPT, Reason.WEIGHT_ONE]
    assert result.upper.item() == 100.0  # they count in the quantiles of their class
    alone = winsorize(y, np.zeros(6, dtype=int), exempt_in_cutoffs=False, **arguments)
    np.testing.assert_allclose(alone.upper, np.quantile([1, 2, 3, 4], 0.8))
    assert alone.values[3] == pytest.approx(3.4)


def test_small_groups_use_their_parent_and_then_all_units():
    rng = np.random.default_rng(4)
    y = rng.lognormal(0, 1, 60)
    group = np.repeat([0, 1, 2, 3], [30, 10, 12, 8])
    industry = np.array([0, 1, 1, 2])[group]
    y[group == 0] *= 100
    result = winsorize(y, group, lower=0.1, upper=0.9, parent=[industry, np.zeros(60, dtype=int)])
    assert result.depth.tolist() == [0, 1, 1, 2]
    assert result.counted.tolist() == [30, 22, 22, 60]
    expected = [
        np.quantile(y[group == 0], 0.9),
        np.quantile(y[industry == 1], 0.9),
        np.quantile(y[industry == 1], 0.9),
        np.quantile(y, 0.9),
    ]
    np.testing.assert_allclose(result.upper, expected, rtol=1e-12)
    for g in range(4):
        assert result.values[group == g].max() == pytest.approx(min(expected[g], y[group == g].max()))


def test_the_minimum_counts_positive_values_only():
    y = np.concatenate([np.zeros(30), np.arange(1.0, 20.0), np.arange(1.0, 31.0)])
    group = np.repeat([0, 1], [49, 30])
    assert winsorize(y, group, parent=[np.zeros(79, dtype=int)]).depth.tolist() == [1, 0]
    y[0] = 50.0
    assert winsorize(y, group, parent=[np.zeros(79, dtype=int)]).depth.tolist() == [0, 0]


def test_a_group_without_positive_values_has_no_cutoffs():
    result = winsorize(np.array([0.0, 0.0, 5.0]), np.array([0, 0, 2]))
    assert result.depth.tolist() == [-1, -1, 0]
    assert np.isnan(result.lower[:2]).all()
    assert result.reason.tolist() == [Reason.NOT_POSITIVE, Reason.NOT_POSITIVE, Reason.WITHIN]
    all_exempt = winsorize(np.array([3.0]), np.array([0]), exempt=np.array([True]), exempt_in_cutoffs=False)
    assert all_exempt.reason.tolist() == [Reason.EXEMPT]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.array([1.0, np.nan])}, "y must be finite: index 1"),
        ({"weight": np.array([1.0, 0.0])}, r"weight must be positive: index 1 holds 0\.0"),
        ({"lower": 0.9, "upper": 0.1}, "lower < upper"),
        ({"group": np.array([0, -1])}, "group must lie in"),
        (
            {"group": np.array([0, 0]), "parent": [np.array([0, 1])]},
            "group 0 crosses a border of parent 0: see unit 0",
        ),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {"y": np.array([1.0, 2.0]), "group": np.array([0, 1])} | change
    with pytest.raises(ValueError, match=message):
        winsorize(arguments.pop("y"), arguments.pop("group"), **arguments)
