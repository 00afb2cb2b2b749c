import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import StratifiedSample, allocate, expected_cv, largest_remainder, total

# The machine is shared: a slow example is not a wrong one.
NO_DEADLINE = settings(deadline=None)


def test_proportional_allocation_by_hand():
    # 20 * (50, 30, 17, 3) / 100 = 10, 6, 3.4, 0.6; the last is lifted to 2, the other three share 18:
    # 9.278, 5.567, 3.155 -> 9, 5, 3 and the largest remainder 0.567 gets the one left.
    assert allocate(np.array([50.0, 30.0, 17.0, 3.0]), 20).tolist() == [9, 6, 3, 2]


def test_neyman_allocation_by_hand():
    # N S = 100 * 1, 100 * 3, 50 * 4 = 100, 300, 200 -> n = 60: 10, 30, 20.
    population = np.array([100.0, 100.0, 50.0])
    spread = np.array([1.0, 3.0, 4.0])
    assert allocate(population, 60, method="neyman", spread=spread).tolist() == [10, 30, 20]
    # A cap of 12 on the last: the other two share 48 as 1 : 3.
    capped = allocate(population, 60, method="neyman", spread=spread, maximum=np.array([100.0, 100.0, 12.0]))
    assert capped.tolist() == [12, 36, 12]


def test_power_allocation_by_hand():
    # sqrt(N) = 10, 20, 30 -> n = 60: 10, 20, 30.
    assert allocate(np.array([100.0, 400.0, 900.0]), 60, method="power").tolist() == [10, 20, 30]


def test_take_all_and_small_strata():
    result = allocate(np.array([1.0, 40.0, 200.0]), 60, take_all=np.array([False, True, False]), minimum=3)
    assert result.tolist() == [1, 40, 19]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([10.0, 10.0], 3), r"n = 3 lies outside 4\.\.20"),
        (([10.0, 10.0], 21), r"n = 21 lies outside 4\.\.20"),
        (([10.0, 2.5], 6), r"population must be whole: index 1 holds 2\.5"),
        (([10.0, -2.0], 6), r"population must not be negative: index 1"),
    ],
)
def test_impossible_allocations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        allocate(np.array(arguments[0]), arguments[1])
    with pytest.raises(ValueError, match="needs spread"):
        allocate(np.array([10.0, 10.0]), 5, method="neyman")


@NO_DEADLINE
@given(
    st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 100)), min_size=1, max_size=30),
    st.floats(0, 1),
    st.sampled_from(["proportional", "neyman", "power"]),
    st.integers(0, 4),
)
def test_allocation_is_exact_and_within_bounds(strata, where, method, minimum):
    population = np.array([float(n) for n, _ in strata])
    spread = np.array([s for _, s in strata])
    floor = np.minimum(minimum, population)
    n = int(floor.sum() + round(where * (population.sum() - floor.sum())))
    result = allocate(population, n, method=method, spread=spread, minimum=minimum)
    assert result.sum() == n
    assert (result >= floor).all() and (result <= population).all()


def test_neyman_is_never_worse_than_its_neighbours():
    population, spread = np.array([60.0, 30.0, 10.0]), np.array([1.0, 3.0, 10.0])
    best = allocate(population, 25, method="neyman", spread=spread)
    mean = np.ones(3)
    cv = expected_cv(population, best, mean=mean, spread=spread).item()
    for i in range(3):
        for j in range(3):
            other = best.copy()
            other[i] += 1
            other[j] -= 1
            if (other <= population).all():
                assert expected_cv(population, other, mean=mean, spread=spread).item() >= cv - 1e-12


def test_largest_remainder_is_exact_with_ties_to_the_first():
    assert largest_remainder([1.0, 1.0, 1.0], 10).tolist() == [4, 3, 3]
    assert largest_remainder([0.5, 0.25, 0.25], 4).tolist() == [2, 1, 1]


def test_expected_cv_is_the_error_the_sample_then_has():
    # With S_h and means taken from the sample itself, the promise must equal the estimate.
    rng = np.random.default_rng(3)
    stratum = np.repeat([0, 1, 2], [8, 5, 4])
    y = rng.lognormal(1, 1, 17)
    population = np.array([30.0, 20.0, 4.0])
    result = total(StratifiedSample(stratum, population), y, domain=np.array([0, 0, 1])[stratum])
    expected = expected_cv(
        population,
        np.bincount(stratum),
        mean=np.array([y[stratum == h].mean() for h in range(3)]),
        spread=np.array([y[stratum == h].std(ddof=1) for h in range(3)]),
        domain=np.array([0, 0, 1]),
    )
    np.testing.assert_allclose(expected, result.cv[:, 0], rtol=1e-12, atol=1e-15)
    unsampled = expected_cv(population, np.array([8, 0, 4]), mean=np.ones(3), spread=np.ones(3))
    assert np.isinf(unsampled.item())
