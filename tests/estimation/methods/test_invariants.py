"""What must hold for every sample, whatever its numbers."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from estimation.methods import StratifiedSample, crosstotals, growth, mean, ratio, total, winsorize

# The machine is shared: a slow example is not a wrong one.
NO_DEADLINE = settings(deadline=None)
POLICIES = st.sampled_from(["certainty", "adjust", "average"])


@st.composite
def samples(draw, *, wide=False):
    """Stratum codes, populations, y (n, 2), domain codes 0..2."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))
    extra = draw(st.lists(st.integers(0, 20), min_size=len(sizes), max_size=len(sizes)))
    n = sum(sizes)
    exponent = st.integers(-15, 15) if wide else st.just(0)
    number = st.builds(lambda m, e: m * 10.0**e, st.floats(0, 10, allow_subnormal=False), exponent)
    y = np.array(draw(st.lists(number, min_size=2 * n, max_size=2 * n))).reshape(n, 2)
    y[y < 1e-20] = 0.0
    domain = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    population = np.array(sizes, dtype=float) + np.array(extra)
    return stratum, population, y, domain


@NO_DEADLINE
@given(samples(wide=True), POLICIES)
def test_domains_add_up_to_the_total(data, lonely):
    stratum, population, y, domain = data
    sample = StratifiedSample(stratum, population, lonely=lonely)
    parts = total(sample, y, domain=domain, domains=3)
    full = total(sample, y)
    np.testing.assert_allclose(parts.value.sum(axis=0), full.value[0], rtol=1e-12)
    assert parts.n.sum(axis=0).tolist() == full.n[0].tolist()
    assert parts.weight.sum() == pytest.approx(population.sum())
    assert np.bincount(stratum, weights=sample.weight) == pytest.approx(population)


@NO_DEADLINE
@given(samples(), POLICIES, st.randoms(use_true_random=False))
def test_order_of_units_and_names_of_strata_do_not_matter(data, lonely, random):
    stratum, population, y, domain = data
    order = list(range(len(stratum)))
    random.shuffle(order)
    names = list(range(len(population)))
    random.shuffle(names)
    renamed = np.array(names)[stratum]
    moved = np.empty_like(population)
    moved[names] = population
    first = total(StratifiedSample(stratum, population, lonely=lonely), y, domain=domain, domains=3)
    second = total(
        StratifiedSample(renamed[order], moved, lonely=lonely), y[order], domain=domain[order], domains=3
    )
    for field in ("value", "se"):
        a, b = getattr(first, field), getattr(second, field)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=field)


@NO_DEADLINE
@given(samples(wide=True), POLICIES, st.sampled_from([1e-12, 0.25, 3.0, 1e15]))
def test_scaling_the_values_scales_totals_and_leaves_ratios(data, lonely, scale):
    stratum, population, y, domain = data
    sample = StratifiedSample(stratum, population, lonely=lonely)
    before, after = (total(sample, v, domain=domain, domains=3) for v in (y, scale * y))
    for field in ("value", "se"):
        np.testing.assert_allclose(getattr(after, field), scale * getattr(before, field), rtol=1e-9)
    np.testing.assert_allclose(after.cv, before.cv, rtol=1e-9)
    r, s = (ratio(sample, v[:, 0], v[:, 1]) for v in (y, scale * y))
    np.testing.assert_allclose(r.value, s.value, rtol=1e-9)


@NO_DEADLINE
@given(samples())
def test_a_take_all_stratum_adds_its_sum_and_no_variance(data):
    stratum, population, y, _ = data
    certain = np.array([[5.0, 1e6], [7.0, 2e6]])
    policy = "certainty"  # `adjust` centres lonely units on a mean that the new units move
    before = total(StratifiedSample(stratum, population, lonely=policy), y)
    bigger = StratifiedSample(
        np.append(stratum, [len(population)] * 2), np.append(population, 2.0), lonely=policy
    )
    after = total(bigger, np.vstack([y, certain]))
    np.testing.assert_allclose(after.value - before.value, [[12.0, 3e6]], rtol=1e-9)
    np.testing.assert_allclose(after.se, before.se, rtol=1e-12)


@NO_DEADLINE
@given(samples())
def test_a_census_has_no_error(data):
    stratum, _, y, domain = data
    sample = StratifiedSample(stratum, np.bincount(stratum).astype(float))
    result = total(sample, y, domain=domain, domains=3)
    assert (result.se == 0).all()
    for d in range(3):
        np.testing.assert_allclose(result.value[d], y[domain == d].sum(axis=0), rtol=1e-12)


def test_splitting_a_stratum_of_equal_halves_changes_nothing_in_the_total():
    # Two halves with equal means: the total is the same, and each half keeps the half's own spread.
    y = np.array([1.0, 3.0, 1.0, 3.0])
    full = total(StratifiedSample(np.zeros(4, dtype=int), np.array([20.0])), y)
    split = total(StratifiedSample(np.array([0, 0, 1, 1]), np.array([10.0, 10.0])), y)
    assert split.value.item() == full.value.item() == 40.0
    # Whole: (1 - 0.2) * 20^2 * (4/3) / 4; split: twice (1 - 0.2) * 10^2 * 2 / 2.
    # The same squares over 4 - 1 degrees of freedom against 2 * (2 - 1).
    assert full.variance.item() == pytest.approx(0.8 * 400 / 3)
    assert split.variance.item() == pytest.approx(0.8 * 400 / 2)


@NO_DEADLINE
@given(samples(), POLICIES)
def test_a_constant_has_a_mean_without_error_and_a_ratio_of_itself_is_one(data, lonely):
    stratum, population, y, domain = data
    sample = StratifiedSample(stratum, population, lonely=lonely)
    assume(lonely != "average" or not sample.alone.all())
    constant = mean(sample, np.full(len(stratum), 7.25), domain=domain)
    filled = constant.n[:, 0] > 0
    np.testing.assert_allclose(constant.value[filled], 7.25, rtol=1e-14)
    np.testing.assert_allclose(constant.se[filled], 0.0, atol=1e-13)
    entry = ratio(sample, y + 1, y + 1)
    np.testing.assert_allclose(entry.value, 1.0, rtol=1e-14)
    np.testing.assert_allclose(entry.se, 0.0, atol=1e-13)


@NO_DEADLINE
@given(samples(wide=True), POLICIES)
def test_many_breakdowns_equal_one_at_a_time(data, lonely):
    stratum, population, y, domain = data
    sample = StratifiedSample(stratum, population, lonely=lonely)
    both = crosstotals(
        sample, y, domains={"a": domain, "b": stratum % 2}, cross=[("a", "b")], sizes={"a": 3, "b": 2}
    )
    alone = total(sample, y, domain=domain * 2 + stratum % 2, domains=6)
    for field in ("value", "se", "n"):
        a, b = getattr(both[("a", "b")], field), getattr(alone, field)
        np.testing.assert_allclose(a, b, rtol=1e-8, err_msg=field)


@NO_DEADLINE
@given(samples(), st.data())
def test_stratified_growth_lies_between_the_class_rates(data, more):
    stratum, population, y, _ = data
    sample = StratifiedSample(stratum, population)
    panel = np.array(more.draw(st.lists(st.booleans(), min_size=len(stratum), max_size=len(stratum))))
    assume(panel.any())
    before = y[:, 1] + 1.0
    factor = np.linspace(0.5, 2.0, len(population))
    result = growth(sample, before * factor[stratum], before, panel=panel, form="stratified")
    used = factor[np.unique(stratum[panel])] - 1
    assert used.min() - 1e-9 <= result.value.item() <= used.max() + 1e-9
    # Inside a class every unit grows alike, so only the shares of the classes can carry error.
    known_levels = growth(
        sample,
        before * factor[stratum],
        before,
        panel=panel,
        form="stratified",
        previous_total=np.ones(len(population)),
    )
    assert known_levels.value.item() == pytest.approx(used.mean())
    # A lonely unit is centred on a grand mean that is zero here as well.
    assert known_levels.se.item() == pytest.approx(0.0, abs=1e-12)


@NO_DEADLINE
@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=60), st.integers(0, 3), st.floats(0, 0.45))
def test_winsorized_values_stay_between_the_cutoffs_and_the_order_stays(values, groups, tail):
    y = np.array(values)
    group = np.arange(len(y)) % (groups + 1)
    result = winsorize(y, group, lower=tail, upper=1 - tail)
    positive = y > 0
    assert (result.values[~positive] == y[~positive]).all()
    inside = result.values[positive]
    slack = 1e-9 * np.abs(inside)
    assert (inside >= result.lower[group[positive]] - slack).all()
    assert (inside <= result.upper[group[positive]] + slack).all()
    for g in range(groups + 1):
        order = np.argsort(y[group == g], kind="stable")
        assert (np.diff(result.values[group == g][order]) >= -1e-3).all()
    above = result.values > y
    assert (y[above] < result.lower[group[above]]).all()


def test_thirty_orders_of_magnitude_keep_their_digits():
    y = 10.0 ** np.arange(-15.0, 15.0)
    sample = StratifiedSample(np.repeat(np.arange(15), 2), np.full(15, 5.0))
    result = total(sample, y, domain=np.repeat(np.arange(15), 2))
    # Each domain is one stratum of values a and 10 a: V = (1 - 2/5) * 2 * 2 * (2.5 * 4.5 a)^2.
    expected = (0.6 * 4) ** 0.5 * 2.5 * 4.5 * y[::2]
    np.testing.assert_allclose(result.se[:, 0], expected, rtol=1e-13)


def test_the_numeric_core_imports_neither_django_nor_the_survey():
    code = (
        "import sys, estimation.methods;"
        "outside = {'django', 'survey', 'rest_framework', 'celery'};"
        "print([m for m in sys.modules if m.split('.')[0] in outside])"
    )
    root = Path(__file__).resolve().parents[3]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
