import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import StratifiedSample, quantile
from estimation.methods.estimators.quantiles import _Distribution
from tests.estimation.methods.r_fixtures import CLOSE, api, column, inside, table


@pytest.mark.parametrize("basis", ["normal", "design"])
def test_equal_to_svyquantile(basis):
    rows, sample = api()
    actual = [row for row in table("r_calibration", "quantile_expected.csv") if row["basis"] == basis]
    assert len(actual) == 60
    for row in actual:
        y, domain = column(rows, row["item"]), inside(row["domain"], rows)
        result = quantile(sample, y, float(row["prob"]), domain=domain, df=basis)
        names = ("value", "lower", "upper", "se")
        numbers = [getattr(result, name).item() for name in names]
        np.testing.assert_allclose(numbers, [float(row[n]) for n in names], **CLOSE, err_msg=str(row))


def test_median_by_hand_and_shapes():
    sample = StratifiedSample(np.array([0, 0, 1, 1]), np.array([2.0, 8.0]))
    y = np.array([[5.0, 1.0], [6.0, 2.0], [1.0, 3.0], [9.0, 4.0]])
    # Weights 1, 1, 4, 4 of 10: for the first item F(1) = .4, F(5) = .5, F(6) = .6; the second: .1 .2 .6 1.
    result = quantile(sample, y, [0.4, 0.5, 0.55, 1.0])
    assert result.value.shape == (1, 2, 4) and result.n.tolist() == [[4, 4]]
    assert result.value[0].tolist() == [[1, 5, 6, 9], [3, 3, 3, 4]]
    # Stratum 0 is whole; in stratum 1 one of two lies below: s^2 = (1 - 1/4) * 2 * 2 * 2^2 / 10^2.
    margin = 1.959963984540054 * (0.75 * 2 * 2 * 4 / 100) ** 0.5
    assert margin > 0.5
    assert np.isnan(result.lower[0, 0, 1]) and np.isnan(result.upper[0, 0, 1])
    narrow = quantile(sample, y[:, 0], 0.5, level=0.2)
    # F(5) = .5 -+ .2533 * .173 = .456 and .544: the values that reach them are 5 and 6.
    assert (narrow.lower.item(), narrow.upper.item()) == (5.0, 6.0)
    assert narrow.se.item() == pytest.approx(0.5 / 0.2533471031357997)


def test_domains_are_separate_and_empty_ones_are_missing():
    sample = StratifiedSample(np.zeros(6, dtype=int), np.array([60.0]))
    y = np.array([3.0, 1.0, 2.0, 30.0, 10.0, np.nan])
    result = quantile(sample, y, [0.5], domain=np.array([0, 0, 0, 2, 2, -1]), domains=4)
    np.testing.assert_array_equal(result.value[:, 0, 0], [2.0, np.nan, 10.0, np.nan])
    assert result.n[:, 0].tolist() == [3, 0, 2, 0]
    with pytest.raises(ValueError, match=r"probs must lie in 0..1: index 1 holds 1.5"):
        quantile(sample, np.ones(6), [0.5, 1.5])


def test_intervals_cover_the_population_median_over_every_sample():
    population = np.array([1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0, 55.0, 89.0, 91.0])
    truth = np.sort(population)[5]
    hits = []
    for units in itertools.combinations(range(11), 7):
        sample = StratifiedSample(np.zeros(7, dtype=int), np.array([11.0]))
        result = quantile(sample, population[list(units)], 0.5)
        hits.append(result.lower.item() <= truth <= result.upper.item())
    assert len(hits) == 330
    assert 0.9 < np.mean(hits) <= 1.0


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 9)), min_size=1, max_size=30),
    st.floats(0.02, 0.98),
    st.randoms(use_true_random=False),
)
def test_definition_order_and_scale(units, p, random):
    y, copies = np.array([u[0] for u in units]), np.array([u[1] for u in units])
    stratum = np.arange(len(y))
    sample = StratifiedSample(stratum, copies.astype(float), lonely="certainty")
    result = quantile(sample, y, p).value.item()
    below, upto = copies[y < result].sum(), copies[y <= result].sum()
    assert below <= p * copies.sum() * (1 + 1e-9)
    assert upto >= p * copies.sum() * (1 - 1e-9)
    order = np.array(random.sample(range(len(y)), len(y)))
    shuffled = StratifiedSample(stratum, copies[order].astype(float), lonely="certainty")
    assert quantile(shuffled, y[order], p).value.item() == result
    assert quantile(sample, 4.0 * y, p).value.item() == 4.0 * result


def test_the_upper_end_of_a_domain_is_its_own_largest_value() -> None:
    """Also where the weights lose a little when they are summed in the order of the values."""
    values = np.array([2.0, 3.0, 1.0, 50.0])
    weight = np.array([1.0, 1.0, 1e16, 1.0])  # 1 + 1 + 1e16 as given, 1e16 + 1 + 1 = 1e16 in order
    curve = _Distribution(values, weight, np.array([0, 0, 0, 1]), 2)
    assert curve.whole[0] > curve.cumulative[0][-1]
    assert curve.inverse(np.full((2, 1), 1.0 + 1e-10)).tolist() == [[3.0], [50.0]]
