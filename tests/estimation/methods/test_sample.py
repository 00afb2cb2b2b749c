import numpy as np
import pytest

from estimation.methods import StratifiedSample, total


def test_default_weights_sum_to_the_population_of_each_stratum():
    sample = StratifiedSample(np.array([0, 0, 1]), np.array([10.0, 4.0]))
    assert sample.weight.tolist() == [5.0, 5.0, 4.0]
    assert np.bincount(sample.stratum, weights=sample.weight).tolist() == [10.0, 4.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 2, 1], [5.0, 5.0]), r"stratum must lie in 0\.\.1: index 1 holds 2"),
        (([0, -1, 1], [5.0, 5.0]), r"stratum must lie in 0\.\.1: index 1 holds -1"),
        (([0, 0, 1, 1], [5.0, 1.0]), r"more sampled units than population: index 1 holds 1\.0"),
        (([0, 0], [5.0, 3.0]), r"no sampled unit; population: index 1 holds 3\.0"),
        (([0, 1], [5.0, np.nan]), r"population must be finite: index 1 holds nan"),
        (([0.0, 1.0], [5.0, 5.0]), r"stratum must hold integer codes"),
        (([0, 1], []), r"population is empty"),
    ],
)
def test_bad_design_is_refused_with_its_index(arguments, message):
    with pytest.raises(ValueError, match=message):
        StratifiedSample(np.array(arguments[0]), np.array(arguments[1]))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0, 0.0, 2.0], r"weight must be positive: index 1 holds 0\.0"),
        ([1.0, 2.0, np.nan], r"weight must be finite: index 2 holds nan"),
        ([1.0, 2.0], r"weight has 2 rows where 3 are needed"),
    ],
)
def test_bad_weights_are_refused_with_their_index(weight, message):
    with pytest.raises(ValueError, match=message):
        StratifiedSample(np.array([0, 0, 1]), np.array([5.0, 5.0]), weight=np.array(weight))


def test_fail_names_the_lonely_stratum_and_an_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="stratum 1 has a single sampled unit"):
        StratifiedSample(np.array([0, 0, 1]), np.array([5.0, 5.0]), lonely="fail")
    StratifiedSample(
        np.array([0, 0, 1]), np.array([5.0, 1.0]), lonely="fail"
    )  # taken with certainty: not lonely
    with pytest.raises(ValueError, match="lonely must be one of"):
        StratifiedSample(np.array([0]), np.array([1.0]), lonely="drop")  # type: ignore[arg-type]  # the wrong word is the case


def test_arrays_are_read_only_copies():
    population = np.array([5.0])
    sample = StratifiedSample(np.array([0, 0]), population)
    population[0] = 99.0
    assert sample.population[0] == 5.0
    with pytest.raises(ValueError, match="read-only"):
        sample.weight[0] = 1.0


def test_missing_values_are_refused_inside_a_domain_and_ignored_outside():
    sample = StratifiedSample(np.array([0, 0, 0]), np.array([6.0]))
    y = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]])
    with pytest.raises(ValueError, match=r"y must be finite: index \(1, 1\) holds nan"):
        total(sample, y)
    assert total(sample, y, domain=np.array([0, -1, 0])).value.tolist() == [[12.0, 16.0]]


def test_domain_codes_out_of_range_are_refused():
    sample = StratifiedSample(np.array([0, 0]), np.array([6.0]))
    with pytest.raises(ValueError, match=r"domain must lie in -1\.\.1: index 1 holds 2"):
        total(sample, np.ones(2), domain=np.array([0, 2]), domains=2)
    with pytest.raises(ValueError, match="domain has 1 rows where 2 are needed"):
        total(sample, np.ones(2), domain=np.array([0]))
