from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from estimation.methods import StratifiedSample, cells, crosstotals, mean, proportion, ratio, total
from estimation.methods.cells import build_cells
from tests.estimation.methods.slow import make_sample, slow_ratio, slow_total


def test_total_by_hand():
    # Stratum 0: N = 10, y = 2, 4, 6      -> weight 10/3, total 10/3 * 12 = 40
    #   z = 20/3, 40/3, 60/3; squares about the mean 40/3: (20/3)^2 * 2 = 800/9
    #   (1 - 3/10) * 3/2 * 800/9 = 0.7 * 1.5 * 88.888... = 93.333...
    # Stratum 1: N = 4, y = 1, 3          -> weight 2, total 8
    #   z = 2, 6; squares about 4: 8; (1 - 2/4) * 2/1 * 8 = 8
    # Stratum 2: N = 1, y = 100           -> taken with certainty, total 100, no variance
    sample = StratifiedSample(np.array([0, 0, 0, 1, 1, 2]), np.array([10.0, 4.0, 1.0]))
    result = total(sample, np.array([2.0, 4.0, 6.0, 1.0, 3.0, 100.0]))
    assert result.value.item() == pytest.approx(148.0, rel=1e-14)
    assert result.variance.item() == pytest.approx(280 / 3 + 8, rel=1e-14)
    assert result.cv.item() == pytest.approx((280 / 3 + 8) ** 0.5 / 148, rel=1e-14)
    assert result.lower.item() == pytest.approx(148 - 1.959963984540054 * (304 / 3) ** 0.5, rel=1e-12)
    assert (result.n.item(), result.positive.item(), result.weight.item()) == (6, 6, 15.0)
    assert result.df.item() == 3


def test_domain_total_counts_zeros_outside_the_domain():
    # One stratum, N = 8, weight 2; units in the domain: 3 and 5 -> total 16.
    # z = 6, 10, 0, 0: mean 4, squares 4 + 36 + 16 + 16 = 72; (1 - 4/8) * 4/3 * 72 = 48.
    sample = StratifiedSample(np.zeros(4, dtype=int), np.array([8.0]))
    result = total(sample, np.array([3.0, 5.0, 7.0, 9.0]), domain=np.array([0, 0, 1, 1]))
    assert result.value[0, 0] == 16.0
    assert result.variance[0, 0] == pytest.approx(48.0, rel=1e-14)


def test_design_effect_of_a_simple_random_sample_is_one():
    sample = StratifiedSample(np.zeros(5, dtype=int), np.array([50.0]))
    y = np.array([1.0, 4.0, 9.0, 16.0, 25.0])
    assert total(sample, y).deff.item() == pytest.approx(1.0, rel=1e-13)
    assert mean(sample, y).deff.item() == pytest.approx(1.0, rel=1e-13)
    assert ratio(sample, y, y + 1).deff.item() == pytest.approx(1.0, rel=1e-13)


def test_design_degrees_of_freedom_widen_the_interval():
    sample = StratifiedSample(np.array([0, 0, 0, 1, 1]), np.array([9.0, 9.0]))
    result = total(sample, np.arange(5.0), level=0.9, df="design")
    half = stats.t.ppf(0.95, 3) * result.se
    np.testing.assert_allclose(result.upper - result.value, half, rtol=1e-12)
    again = total(sample, np.arange(5.0)).interval(0.9, "design")
    np.testing.assert_array_equal(result.lower, again.lower)
    with pytest.raises(ValueError, match="level must lie between"):
        total(sample, np.arange(5.0), level=95)


def all_samples(populations: list[list[int]], sizes: list[int]):
    """Every stratified sample as index tuples; all are equally likely."""
    return [
        tuple(unit for part in choice for unit in part)
        for choice in product(*(combinations(u, n) for u, n in zip(populations, sizes, strict=True)))
    ]


@pytest.mark.parametrize("domain_of_interest", [None, 1])
def test_total_and_its_variance_are_unbiased_over_all_samples(domain_of_interest):
    units = [[0, 1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    sizes = [3, 2, 2]
    y = np.array([3.0, 0.0, 8.0, 1.0, 20.0, 5.0, 6.0, 40.0, 2.0, 7.0, 11.0])
    group = np.array([0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0])
    stratum = np.repeat([0, 1, 2], [5, 4, 2])
    truth = y.sum() if domain_of_interest is None else y[group == domain_of_interest].sum()
    values, variances = [], []
    for chosen in all_samples(units, sizes):
        index = list(chosen)
        sample = StratifiedSample(stratum[index], np.array([5.0, 4.0, 2.0]))
        result = total(
            sample,
            y[index],
            domain=None if domain_of_interest is None else group[index],
            domains=None if domain_of_interest is None else 2,
        )
        row = 0 if domain_of_interest is None else domain_of_interest
        values.append(result.value[row, 0])
        variances.append(result.variance[row, 0])
    assert len(values) == 10 * 6 * 1
    assert np.mean(values) == pytest.approx(truth, rel=1e-13)
    assert np.mean(variances) == pytest.approx(np.var(values), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("lonely", ["certainty", "adjust", "average"])
def test_totals_ratios_and_lonely_policies_equal_slow_loops(seed, uneven, lonely):
    stratum, population, y, domain = make_sample(seed)
    weight = np.random.default_rng(seed).uniform(1, 9, len(stratum)) if uneven else None
    sample = StratifiedSample(stratum, population, weight=weight, lonely=lonely)
    totals = total(sample, y, domain=domain)
    ratios = ratio(sample, y[:, 0], y[:, 1], domain=domain)
    means = mean(sample, y[:, 0], domain=domain)
    for d in range(4):
        inside = domain == d
        for k in range(y.shape[1]):
            expected = slow_total(y[:, k], sample.weight, stratum, population, inside, lonely)
            np.testing.assert_allclose((totals.value[d, k], totals.se[d, k]), expected, rtol=1e-12)
        expected = slow_ratio(y[:, 0], y[:, 1], sample.weight, stratum, population, inside, lonely)
        np.testing.assert_allclose((ratios.value[d, 0], ratios.se[d, 0]), expected, rtol=1e-11)
        expected = slow_ratio(y[:, 0], np.ones(len(y)), sample.weight, stratum, population, inside, lonely)
        np.testing.assert_allclose((means.value[d, 0], means.se[d, 0]), expected, rtol=1e-11)


def test_only_lonely_strata_leave_average_undefined():
    sample = StratifiedSample(np.array([0, 1]), np.array([5.0, 5.0]), lonely="average")
    result = total(sample, np.array([1.0, 2.0]))
    assert result.value.item() == 15.0
    assert np.isnan(result.se.item())


@pytest.mark.parametrize("uneven", [False, True])
def test_crosstotals_equal_single_totals(uneven):
    stratum, population, y, category = make_sample(7, n=400, strata=30)
    rng = np.random.default_rng(0)
    region = (stratum % 5) - 1  # nested in strata, first region outside
    size = rng.integers(-1, 3, len(stratum))
    weight = rng.uniform(1, 9, len(stratum)) if uneven else None
    sample = StratifiedSample(stratum, population, weight=weight)
    domains = {"region": region, "size": size, "category": category}
    cross = [("region", "category"), ("size", "category"), ("region", "size", "category")]
    result = crosstotals(sample, y, domains=domains, cross=cross, sizes={"category": 6})
    counts = {"region": 4, "size": 3, "category": 6}
    assert set(result) == {"all", "region", "size", "category", *cross}
    for key, actual in result.items():
        names = () if key == "all" else (key,) if isinstance(key, str) else key
        code, outside, length = np.zeros(len(y), dtype=int), np.zeros(len(y), dtype=bool), 1
        for name in names:
            code = code * counts[name] + domains[name]
            outside |= domains[name] < 0
            length *= counts[name]
        alone = total(sample, y, domain=np.where(outside, -1, code), domains=length)
        for field in ("value", "se", "cv", "lower", "upper", "deff", "weight"):
            np.testing.assert_allclose(
                getattr(actual, field), getattr(alone, field), rtol=1e-10, err_msg=field
            )
        for field in ("n", "positive", "df"):
            np.testing.assert_array_equal(getattr(actual, field), getattr(alone, field))


def test_crosstotals_refuses_an_unknown_name():
    sample = StratifiedSample(np.array([0, 0]), np.array([5.0]))
    with pytest.raises(ValueError, match="not in domains: 'province'"):
        crosstotals(sample, np.ones(2), domains={"region": np.array([0, 1])}, cross=[("region", "province")])


def test_empty_domains_have_zero_totals_and_no_mean():
    sample = StratifiedSample(np.array([0, 0, 0]), np.array([5.0]))
    totals = total(sample, np.ones(3), domain=np.array([0, 0, 2]), domains=4)
    assert totals.value[:, 0].tolist() == pytest.approx([10 / 3, 0, 5 / 3, 0])
    assert totals.n[:, 0].tolist() == [2, 0, 1, 0]
    assert totals.se[1, 0] == 0
    assert np.isnan(totals.cv[1, 0])
    means = mean(sample, np.ones(3), domain=np.array([0, 0, 2]), domains=4)
    assert np.isnan(means.value[[1, 3], 0]).all() and np.isnan(means.se[[1, 3], 0]).all()
    assert means.value[[0, 2], 0].tolist() == [1.0, 1.0]


def test_proportion_weighs_strata_and_refuses_other_values():
    # W_0 = 0.75 with half of the units, W_1 = 0.25 with all of them: 0.375 + 0.25.
    sample = StratifiedSample(np.array([0, 0, 1]), np.array([75.0, 25.0]))
    result = proportion(sample, np.array([True, False, True]))
    assert result.value.item() == pytest.approx(0.625)
    assert result.positive.item() == 2
    with pytest.raises(ValueError, match=r"holds must be 0 or 1: index 1 holds 2"):
        proportion(sample, np.array([0, 2, 1]))
    assert proportion(sample, np.array([1, 7, 1]), domain=np.array([0, -1, 0])).value.item() == 1.0


def test_both_ways_of_grouping_units_give_the_same_cells(monkeypatch):
    rng = np.random.default_rng(12)
    sample = StratifiedSample(
        np.concatenate([np.arange(7), rng.integers(0, 7, 60)]), np.full(7, 90.0), lonely="certainty"
    )
    domain = rng.integers(-1, 5, sample.n)
    counted = [build_cells(sample, d, k) for d, k in ((None, 1), (domain, 5), (np.full(sample.n, -1), 5))]
    monkeypatch.setattr(cells, "_SPARSE", 0)
    for entry, (d, k) in zip(counted, ((None, 1), (domain, 5), (np.full(sample.n, -1), 5)), strict=True):
        other = build_cells(sample, d, k)
        for name in ("order", "offsets", "stratum", "domain", "count"):
            np.testing.assert_array_equal(getattr(entry, name), getattr(other, name))
