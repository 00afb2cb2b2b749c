import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import CVTarget, allocate_multivariate, expected_cv
from estimation.methods.sampling.multivariate_allocation import _whole_units


def test_one_target_is_neyman_with_the_size_that_the_target_needs():
    population = np.array([1000.0, 500.0, 100.0])
    mean, spread = np.array([10.0, 20.0, 100.0]), np.array([5.0, 15.0, 40.0])
    result = allocate_multivariate(population, mean=mean, spread=spread, targets=[CVTarget(0.03)], minimum=1)
    # n = (sum N S)^2 / (V + sum N S^2), Cochran (5.27); N S = 5000, 7500, 4000.
    variance = (0.03 * 30000) ** 2
    n = 16500**2 / (variance + 25000 + 112500 + 160000)
    np.testing.assert_allclose(result.exact, n * np.array([5000, 7500, 4000]) / 16500, rtol=1e-8)
    assert n <= result.n_h.sum() <= n + 3
    assert result.cv[0].item() <= 0.03
    assert result.multiplier[0].item() == pytest.approx(result.exact.sum(), rel=1e-6)


def test_whole_sizes_meet_a_target_that_the_exact_ones_miss_by_a_hair():
    need, cost = np.array([[6.0, 4.0]]), np.array([1.0, 3.0])
    sizes = _whole_units(need, cost, np.ones(2), np.full(2, 50.0), np.array([11.9, 8.0]))
    assert (need / sizes).sum() <= 1.0
    assert sizes.tolist() == [12.0, 8.0]
    # One unit too few of each: 6 / 11 + 4 / 7 > 1. Another one of the first is the cheapest way down.
    lifted = _whole_units(need, cost, np.ones(2), np.full(2, 50.0), np.array([11.0, 8.0]))
    assert lifted.tolist() == [12.0, 8.0]
    # A unit of a stratum with one is worth most: 1.2 / 1 - 1.2 / 2. What that makes needless is taken back.
    single = _whole_units(np.array([[1.2, 4.0]]), cost, np.ones(2), np.full(2, 50.0), np.array([1.0, 8.0]))
    assert single.tolist() == [3.0, 7.0]
    # At its cap a stratum gives no more.
    capped = _whole_units(need, cost, np.ones(2), np.array([11.0, 50.0]), np.array([11.0, 8.0]))
    assert capped.tolist() == [11.0, 9.0]


def test_two_items_two_domains_against_full_enumeration():
    population = np.array([12.0, 9.0, 15.0])
    mean = np.array([[4.0, 9.0], [10.0, 3.0], [6.0, 5.0]])
    spread = np.array([[2.0, 8.0], [9.0, 1.0], [3.0, 4.0]])
    targets = [CVTarget([0.10, 0.15]), CVTarget([[0.3, np.nan], [0.15, 0.3]], domain=np.array([0, 0, 1]))]
    cost = np.array([1.0, 2.0, 1.5])
    result = allocate_multivariate(population, mean=mean, spread=spread, targets=targets, unit_cost=cost)
    best = min(
        cost @ n_h
        for n_h in itertools.product(range(2, 13), range(2, 10), range(2, 16))
        if meets(population, np.array(n_h), mean, spread, targets)
    )
    # Rounding is greedy: it may cost at most what rounding one unit of each stratum costs.
    assert best <= result.cost <= best + cost.sum()
    assert cost @ result.exact <= best + 1e-6
    check_kkt(population, mean, spread, targets, cost, result, floor=np.full(3, 2.0))


def cvs(population, n_h, mean, spread, target):
    expected = np.atleast_2d(target.cv)
    result = [
        expected_cv(
            population, n_h, mean=mean[:, i], spread=spread[:, i], domain=target.domain, domains=len(expected)
        )
        for i in range(mean.shape[1])
    ]
    return np.stack(result, axis=1), np.broadcast_to(expected, (len(expected), mean.shape[1]))


def meets(population, n_h, mean, spread, targets):
    for target in targets:
        result, expected = cvs(population, n_h, mean, spread, target)
        if (result > expected * (1 + 1e-9)).any():
            return False
    return True


def check_kkt(population, mean, spread, targets, cost, result, floor):
    """Cost gradient = sum of multipliers times constraint gradients at every stratum strictly inside."""
    slope = np.zeros(len(population))
    for target, multiplier in zip(targets, result.multiplier, strict=True):
        domain = np.zeros(len(population), dtype=int) if target.domain is None else target.domain
        expected = np.broadcast_to(np.atleast_2d(target.cv), multiplier.shape)
        for d, i in np.argwhere(multiplier > 0):
            inside = domain == d
            total = population[inside] @ mean[inside, i]
            denominator = (expected[d, i] * total) ** 2 + population[inside] @ spread[inside, i] ** 2
            a = inside * (population * spread[:, i]) ** 2 / denominator
            # Complementary slackness: what a multiplier is worth is used up by its target.
            slack = 1.0 - (a / result.exact).sum()
            assert slack > -1e-8 and multiplier[d, i] * slack < 1e-8 * (cost @ result.exact)
            slope += multiplier[d, i] * a / result.exact**2
    free = (result.exact > floor + 1e-9) & (result.exact < population - 1e-9)
    np.testing.assert_allclose(slope[free], cost[free], rtol=1e-4)
    return int(free.sum())


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.floats(0.02, 0.3))
def test_all_targets_are_met_and_no_stratum_can_be_lowered(seed, cv):
    rng = np.random.default_rng(seed)
    strata = 12
    population = rng.integers(1, 400, strata).astype(float)
    mean = rng.gamma(2.0, 5.0, (strata, 2))
    spread = mean * rng.uniform(0.0, 2.0, (strata, 2))
    take_all = rng.random(strata) < 0.15
    region = rng.integers(0, 3, strata)
    targets = [CVTarget(cv), CVTarget(np.full((3, 2), 2 * cv), domain=region)]
    result = allocate_multivariate(population, mean=mean, spread=spread, targets=targets, take_all=take_all)
    floor = np.where(take_all, population, np.minimum(2, population))
    assert (result.n_h >= floor).all() and (result.n_h <= population).all()
    assert (result.n_h[take_all] == population[take_all]).all()
    assert meets(population, result.n_h, mean, spread, targets)
    actual, _ = cvs(population, result.n_h, mean, spread, targets[1])
    np.testing.assert_allclose(result.cv[1], actual, rtol=1e-12)
    for h in np.flatnonzero(result.n_h > floor):
        fewer = result.n_h.copy()
        fewer[h] -= 1
        assert not meets(population, fewer, mean, spread, targets)
    check_kkt(population, mean, spread, targets, np.ones(strata), result, floor)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": []}, "targets ask for nothing"),
        ({"targets": [CVTarget(0.0)]}, "target 0 holds a coefficient of variation that is not positive"),
        ({"mean": np.zeros(2)}, "domain 0, item 0 has a total of 0"),
        ({"population": np.array([3.5, 2.0])}, r"population must be whole .*index 0 holds 3\.5"),
        ({"unit_cost": np.array([1.0, 0.0])}, r"unit_cost must be positive: index 1"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {
        "population": np.array([10.0, 20.0]),
        "mean": np.ones(2),
        "spread": np.ones(2),
        "targets": [CVTarget(0.1)],
    } | change
    with pytest.raises(ValueError, match=message):
        allocate_multivariate(arguments.pop("population"), **arguments)


def test_hundreds_of_targets_that_bind_together_are_reached_in_few_steps():
    # 255 targets over 900 strata: multipliers that are moved one by one had not met them after 20,000 steps.
    rng = np.random.default_rng(4)
    strata, items = 900, 5
    population = np.ceil(rng.lognormal(4, 1.6, strata))
    mean = rng.lognormal(1, 1.2, (strata, items))
    spread = mean * rng.lognormal(0.3, 0.6, (strata, items))
    region, section = rng.integers(0, 32, strata), rng.integers(0, 18, strata)
    take_all = rng.random(strata) < 0.15
    spread[take_all] = 0
    targets = [
        CVTarget(np.full((1, items), 0.01)),
        CVTarget(np.full((32, items), 0.05), region),
        CVTarget(np.full((18, items), 0.05), section),
    ]
    result = allocate_multivariate(
        population, mean=mean, spread=spread, targets=targets, take_all=take_all, max_iterations=100
    )
    assert meets(population, result.n_h, mean, spread, targets)
    floor = np.where(take_all, population, np.minimum(2, population))
    for h in np.flatnonzero(result.n_h > floor)[::17]:
        fewer = result.n_h.copy()
        fewer[h] -= 1
        assert not meets(population, fewer, mean, spread, targets)
    assert check_kkt(population, mean, spread, targets, np.ones(strata), result, floor) > 300
