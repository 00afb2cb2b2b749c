import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import Source, expected_values, impute

NAN = np.nan


def test_each_source_in_its_turn_by_hand():
    #              answered units of class 0            missing: past, size, neither
    y = np.array([10.0, 20.0, 30.0, NAN, NAN, NAN])
    previous = np.array([5.0, 10.0, NAN, 8.0, NAN, NAN])
    size = np.array([1.0, 2.0, 3.0, 9.0, 4.0, NAN])
    result = impute(y, np.zeros(6, dtype=int), previous=previous, size=size, minimum=2)
    # Growth 30 / 15, ratio 60 / 6, median 20.
    assert result.values.tolist() == [10, 20, 30, 16, 40, 20]
    assert result.source.tolist() == [0, 0, 0, Source.PREVIOUS, Source.SIZE, Source.MEDIAN]
    assert result.imputed.tolist() == [False] * 3 + [True] * 3
    assert result.depth.tolist() == [-1, -1, -1, 0, 0, 0]
    assert result.share(np.array([1, 1, 1, 1, 1, 2.0])) == pytest.approx(96 / 156)
    weighted = impute(y, np.zeros(6, dtype=int), previous=previous, weight=[1, 3, 1, 1, 1, 1], minimum=2)
    assert weighted.values[3] == pytest.approx(8 * 70 / 35)


def test_what_nothing_is_known_about_has_no_expectation_and_no_class():
    expected = expected_values(np.array([4.0, NAN]), [0, 1], previous=[2.0, NAN], minimum=1)
    assert expected.value[0] == 4 and np.isnan(expected.value[1])
    assert (expected.source.tolist(), expected.depth.tolist()) == ([Source.PREVIOUS, Source.NONE], [0, -1])


def test_bad_codes_name_the_classes_that_they_are_of():
    for group, parent, name in (([0, -1], [0, 0], "group"), ([0, 0], [0, -1], "parent 0")):
        with pytest.raises(ValueError, match=name):
            expected_values(np.ones(2), group, parent=[parent], size=np.ones(2))


def test_small_classes_go_to_their_parent_and_unallowed_items_stay_missing():
    y = np.array([1.0, 3.0, 5.0, 7.0, NAN, NAN, NAN])
    group = np.array([0, 1, 1, 1, 0, 1, 2])
    allowed = np.array([True, True, True, True, True, True, False])
    result = impute(y, group, parent=[np.zeros(7, dtype=int)], minimum=3, allowed=allowed)
    assert result.values[:6].tolist() == [1, 3, 5, 7, 4, 5] and np.isnan(result.values[6])
    assert result.depth.tolist() == [-1, -1, -1, -1, 1, 0, -1]
    nothing = impute(y, group, minimum=4)
    assert np.isnan(nothing.values[4:]).all() and not nothing.imputed.any()


def test_a_robust_factor_is_not_moved_by_one_wrong_value():
    y, size = np.array([2.0, 4.0, 6000.0, NAN]), np.array([1.0, 2.0, 3.0, 10.0])
    zero = np.zeros(4, dtype=int)
    robust = expected_values(y, zero, size=size, minimum=3, factor="median").value
    assert robust.tolist() == [2, 4, 6, 20]
    assert expected_values(y, zero, size=size, minimum=3).value[3] == pytest.approx(10 * 6006 / 6)


def test_hot_deck_is_repeatable_fair_and_inside_the_class():
    n = 3000
    group = np.arange(n) % 2
    y = np.where(np.arange(n) < 6, 10.0 * group + np.arange(n) // 2, NAN)
    result = impute(y, group, method="hot_deck", seed=4, minimum=3)
    again = impute(y, group, method="hot_deck", seed=4, minimum=3)
    assert (result.values == again.values).all() and (result.donor == again.donor).all()
    filled = result.imputed
    assert filled.sum() == n - 6 and (group[result.donor[filled]] == group[filled]).all()
    counts = np.bincount(result.donor[filled], minlength=6)
    assert (np.abs(counts - (n - 6) / 6) < 5 * (n / 6 * 5 / 6) ** 0.5).all()
    with pytest.raises(ValueError, match="needs a seed"):
        impute(y, group, method="hot_deck")
    with pytest.raises(ValueError, match="seed belongs to"):
        impute(y, group, seed=3)
    with pytest.raises(ValueError, match="y must be finite: index 0 holds inf"):
        impute(np.array([np.inf]), np.array([0]))


@settings(deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from(["deterministic", "hot_deck"]), st.sampled_from([0.001, 1.0, 1e9])
)
def test_answers_stay_and_imputations_scale(seed, method, scale):
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(40) < 0.4, NAN, rng.gamma(2.0, 3.0, 40))
    previous = np.where(rng.random(40) < 0.5, NAN, rng.gamma(2.0, 3.0, 40))
    group, everyone = rng.integers(0, 4, 40), np.zeros(40, dtype=int)
    options = {
        "parent": [everyone],
        "method": method,
        "minimum": 3,
        "seed": 1 if method == "hot_deck" else None,
    }
    result = impute(y, group, previous=previous, **options)
    answered = ~np.isnan(y)
    assert (result.values[answered] == y[answered]).all() and not result.imputed[answered].any()
    if answered.sum() >= 3:
        assert result.imputed[~answered].all()
    other = impute(scale * y, group, previous=scale * previous, **options)
    np.testing.assert_allclose(other.values, scale * result.values, rtol=1e-12)
