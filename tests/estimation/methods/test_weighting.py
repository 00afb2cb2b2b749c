import numpy as np
import pytest

from estimation.methods import design_weights, effective_sample_size, nonresponse_weights, poststratify


def test_respondents_carry_their_stratum():
    stratum = np.array([0, 0, 0, 1, 1])
    population = np.array([12.0, 5.0])
    assert design_weights(stratum, population).tolist() == [4, 4, 4, 2.5, 2.5]
    valid = np.array([True, False, True, True, False])
    weight = nonresponse_weights(stratum, population, respondent=valid)
    assert weight.tolist() == [6, 0, 6, 5, 0]
    assert np.bincount(stratum, weights=weight).tolist() == population.tolist()


def test_strata_without_respondents_or_with_too_many_are_refused_by_index():
    with pytest.raises(ValueError, match="stratum 1 has no respondent"):
        nonresponse_weights(np.array([0, 1]), np.array([3.0, 3.0]), respondent=np.array([True, False]))
    with pytest.raises(ValueError, match=r"stratum 0 has 2 respondents and a population of 1\.0"):
        nonresponse_weights(np.array([0, 0]), np.array([1.0]))
    assert nonresponse_weights(np.array([0]), np.array([2.0, 0.0])).tolist() == [2.0]


def test_poststratified_weights_meet_the_known_totals():
    weight = np.array([2.0, 3.0, 5.0, 1.0])
    cell = np.array([0, 1, 0, 1])
    result = poststratify(weight, cell, np.array([14.0, 2.0]))
    assert result.weight.tolist() == [4.0, 1.5, 10.0, 0.5]
    assert result.factor.tolist() == [2.0, 0.5]
    assert result.before.tolist() == [7.0, 4.0]
    with pytest.raises(ValueError, match=r"cell 2 has a known total of 4\.0 and weights that sum to 0\.0"):
        poststratify(weight, cell, np.array([14.0, 2.0, 4.0]))


def test_effective_sample_size_by_hand():
    assert effective_sample_size(np.full(7, 3.0)).tolist() == pytest.approx([7.0])
    result = effective_sample_size(np.array([1.0, 3.0, 2.0, 9.0]), domain=np.array([0, 0, 1, -1]), domains=3)
    assert result.tolist() == pytest.approx([1.6, 1.0, 0.0])
