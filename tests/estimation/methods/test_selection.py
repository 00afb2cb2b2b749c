import numpy as np
import pytest

from estimation.methods import permanent_random_numbers, select


def test_numbers_belong_to_the_unit_and_the_seed():
    names = [f"unit-{i}" for i in range(2000)]
    numbers = permanent_random_numbers(names, "survey")
    again = permanent_random_numbers(reversed(names), "survey")
    np.testing.assert_array_equal(numbers, again[::-1])
    assert not np.array_equal(numbers, permanent_random_numbers(names, "other"))
    assert (numbers >= 0).all() and (numbers < 1).all() and len(set(numbers)) == 2000
    assert np.histogram(numbers, bins=10, range=(0, 1))[0].std() < 30


def test_the_smallest_numbers_after_the_start_are_drawn_around_the_circle():
    prn = np.array([0.1, 0.9, 0.5, 0.3, 0.7, 0.2])
    stratum = np.array([0, 0, 0, 0, 1, 1])
    assert select(prn, stratum, np.array([2, 1])).tolist() == [True, False, False, True, False, True]
    moved = select(prn, stratum, np.array([2, 1]), start=0.6)
    assert moved.tolist() == [True, True, False, False, True, False]
    at_start = select(prn, stratum, np.array([1, 0]), start=0.5)
    assert at_start.tolist() == [False, False, True, False, False, False]
    own = select(prn, stratum, np.array([1, 0]), start=np.array([0.4, 0.0]))
    assert own.tolist() == [False, False, True, False, False, False]


def test_two_years_overlap_as_much_as_the_design_allows():
    prn = permanent_random_numbers((str(i) for i in range(500)), "survey")
    stratum = np.repeat([0, 1], 250)
    first = select(prn, stratum, np.array([60, 40]))
    second = select(prn, stratum, np.array([45, 70]))
    assert (first & second)[stratum == 0].sum() == 45
    assert (first & second)[stratum == 1].sum() == 40


def test_every_unit_has_the_same_chance():
    rng = np.random.default_rng(5)
    hits = np.zeros(8)
    for _ in range(4000):
        hits += select(rng.random(8), np.zeros(8, dtype=int), np.array([3]))
    np.testing.assert_allclose(hits / 4000, 3 / 8, atol=0.03)


def test_impossible_draws_are_refused():
    with pytest.raises(ValueError, match="stratum 1 has 1 units where n_h asks for 2"):
        select(np.array([0.1, 0.2]), np.array([0, 1]), np.array([1, 2]))
    with pytest.raises(ValueError, match=r"prn must lie in \[0, 1\): index 1 holds 1\.0"):
        select(np.array([0.1, 1.0]), np.array([0, 0]), np.array([1]))
    with pytest.raises(ValueError, match=r"n_h must lie in 0\.\..*index 0 holds -1"):
        select(np.array([0.1]), np.array([0]), np.array([-1]))
