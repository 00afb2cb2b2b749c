"""Every estimator at the edges of its input: nothing, one, zero, plain lists, and thirty orders of magnitude."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import (
    StratifiedSample,
    bootstrap,
    contrast,
    crosstotals,
    growth,
    mean,
    mean_multiple,
    quantile,
    ratio,
    total,
)

pytestmark = pytest.mark.filterwarnings("error")

FIELDS = ("value", "se", "cv", "lower", "upper", "deff", "n")
# Two ordinary strata, one lonely, one taken with certainty.
STRATUM, POPULATION = [0, 0, 0, 1, 1, 2, 3, 3], [10, 5.5, 4, 2]
UNEVEN = [3.0, 4.0, 3.5, 2.0, 3.0, 4.5, 1.0, 1.2]
PANEL = [True, True, False, True, True, True, True, False]
FIRST = [1, 1, 0, 1, 0, 1, 1, 0]


def estimators(sample, y, domain=None, **options):
    """Each estimator applied to values y (n,) or (n, k)."""
    y = np.asarray(y, dtype=float)
    other = y + np.abs(y).max() / 7
    options = {"domain": domain, **options}
    yield "total", total(sample, y, **options)
    yield "mean", mean(sample, y, **options)
    yield "ratio", ratio(sample, y, other, **options)
    yield "growth", growth(sample, y, other, panel=PANEL, **options)
    yield "stratified", growth(sample, y, other, panel=PANEL, form="stratified", **options)
    yield "multiple", mean_multiple(sample, y, FIRST, np.ones(len(FIRST), dtype=int), **options)
    pair = np.stack([y.reshape(len(y), -1)[:, 0], other.reshape(len(y), -1)[:, 0]], axis=1)
    yield "contrast", contrast(sample, pair, lambda t: t[0] + 2.0 * t[1], **options)


@pytest.mark.parametrize("weight", [None, UNEVEN])
@pytest.mark.parametrize("lonely", ["certainty", "adjust", "average"])
def test_zeros_everywhere_are_zero_without_error_and_without_warning(weight, lonely):
    sample = StratifiedSample(STRATUM, POPULATION, weight=weight, lonely=lonely)
    actual = dict(estimators(sample, np.zeros((8, 2))))
    for name in ("total", "mean", "contrast"):
        result = actual[name]
        assert (result.value == 0).all() and (result.se == 0).all() and np.isnan(result.cv).all(), name
        assert (result.lower == 0).all() and (result.upper == 0).all() and np.isnan(result.deff).all()
    for name in ("ratio", "growth", "stratified", "multiple"):
        assert np.isnan(actual[name].value).all() and np.isnan(actual[name].se).all(), name


@pytest.mark.parametrize("domain", [None, [0, 2, 2, 0, -1, 2, 0, 2]])
def test_shapes_are_domains_by_items_for_vectors_and_matrices(domain):
    sample = StratifiedSample(STRATUM, POPULATION)
    y = np.arange(1.0, 9.0)
    size = 1 if domain is None else 3
    for values, k in ((y, 1), (np.stack([y, y**2, y**3], axis=1), 3)):
        for name, result in estimators(sample, values, domain):
            for field in FIELDS:
                assert getattr(result, field).shape == (size, 1 if name == "contrast" else k), (name, field)
            if domain is not None:
                assert result.n[1].tolist() == [0] * len(result.n[1])
    assert quantile(sample, y, 0.5, domain=domain).value.shape == (size, 1)
    assert quantile(sample, y, [0.5, 0.9], domain=domain).value.shape == (size, 1, 2)


def test_lists_integers_and_flags_are_accepted_as_arrays():
    y = [3, 1, 4, 1, 5, 9, 2, 6]
    plain = StratifiedSample(STRATUM, [10, 6, 4, 2])
    arrays = StratifiedSample(np.array(STRATUM, dtype=np.uint8), np.array([10.0, 6.0, 4.0, 2.0]))
    for entry, other in (
        (total(plain, y), total(arrays, np.array(y, dtype=float))),
        (
            mean(plain, y, domain=[0, 1] * 4),
            mean(arrays, np.array(y), domain=np.array([0, 1] * 4, dtype=np.int8)),
        ),
        (growth(plain, y, y[::-1], panel=FIRST), growth(arrays, y, y[::-1], panel=np.array(FIRST) == 1)),
        (mean(plain, np.array(y) > 3), mean(arrays, [0, 0, 1, 0, 1, 1, 0, 1])),
    ):
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(entry, field), getattr(other, field))
    with pytest.raises(ValueError, match=r"panel must be 0 or 1: index 2 holds 2"):
        growth(plain, y, y, panel=[0, 1, 2, 0, 1, 1, 1, 1])


def test_one_unit_alone_in_its_sample_its_stratum_and_its_domain():
    certain = StratifiedSample([0], [1])
    result = total(certain, [7], df="design")
    assert (result.value.item(), result.se.item(), result.cv.item()) == (7.0, 0.0, 0.0)
    assert np.isnan(result.lower.item()) and np.isnan(result.deff.item())
    lonely = StratifiedSample([0], [5])
    # The unit is the grand mean itself.
    assert (total(lonely, [7]).value.item(), total(lonely, [7]).se.item()) == (35.0, 0.0)
    assert np.isnan(total(StratifiedSample([0], [5], lonely="average"), [7]).se.item())
    sample = StratifiedSample([0, 0, 0], [6])
    alone = mean(sample, [3, 5, 8], domain=[0, 1, 1])
    assert alone.value[:, 0].tolist() == [3.0, 6.5] and alone.se[0, 0] == 0.0
    assert total(sample, [3, 5, 8], domain=[0, 1, 1]).se[0, 0] == pytest.approx(
        (0.5 * 3 / 2 * 6.0**2 * 2 / 3) ** 0.5
    )


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([1e-150, 1e-15, 1e-3, 1e15, 1e140]),
    st.sampled_from([None, UNEVEN]),
    st.lists(st.floats(0.0, 1e3), min_size=8, max_size=8),
    st.lists(st.integers(-1, 2), min_size=8, max_size=8),
)
def test_a_unit_of_measure_changes_no_digit_of_what_has_none(scale, weight, values, domain):
    # The smallest squares of the smallest unit must stay normal numbers.
    y = np.where(np.array(values) < 1e-2, 0.0, values)
    sample = StratifiedSample(STRATUM, POPULATION, weight=weight)
    plain = estimators(sample, y, domain, domains=3)
    scaled = estimators(sample, y * scale, domain, domains=3)
    for (name, entry), (_, other) in zip(plain, scaled, strict=True):
        unit = scale if name in ("total", "mean", "contrast") else 1.0
        for field in ("value", "se", "lower", "upper"):
            expected = getattr(entry, field)
            top = np.nanmax(np.abs([entry.value, entry.se]), initial=0.0)
            np.testing.assert_allclose(
                getattr(other, field) / unit, expected, rtol=1e-9, atol=1e-12 * top, err_msg=f"{name} {field}"
            )


@settings(max_examples=60, deadline=None)
@given(
    st.permutations(range(8)),
    st.lists(st.floats(0.1, 1e6), min_size=8, max_size=8),
    st.lists(st.integers(-1, 2), min_size=8, max_size=8),
    st.sampled_from(["certainty", "adjust", "average"]),
)
def test_the_order_of_units_does_not_matter_to_any_estimator(order, values, domain, lonely):
    y = np.array(values)
    sample = StratifiedSample(STRATUM, POPULATION, weight=UNEVEN, lonely=lonely)
    stratum, weight, panel, first, index = (
        np.array(a)[list(order)] for a in (STRATUM, UNEVEN, PANEL, FIRST, domain)
    )
    other = StratifiedSample(stratum, POPULATION, weight=weight, lonely=lonely)
    x, moved = y + 3.0, y[list(order)]
    pairs = [
        (
            ratio(sample, y, x, domain=domain, domains=3),
            ratio(other, moved, moved + 3.0, domain=index, domains=3),
        ),
        (
            growth(sample, y, x, panel=PANEL, domain=domain, domains=3, form="stratified"),
            growth(other, moved, moved + 3.0, panel=panel, domain=index, domains=3, form="stratified"),
        ),
        (
            mean_multiple(sample, y, FIRST, np.ones(8, dtype=bool)),
            mean_multiple(other, moved, first, np.ones(8, dtype=bool)),
        ),
        (
            crosstotals(sample, y, domains={"d": domain}, sizes={"d": 3})["d"],
            crosstotals(other, moved, domains={"d": index}, sizes={"d": 3})["d"],
        ),
    ]
    for pair, two in pairs:
        np.testing.assert_array_equal(pair.n, two.n)
        atol = 1e-9 * np.nanmax(np.abs(pair.value), initial=0.0)
        for field in ("value", "se"):
            np.testing.assert_allclose(getattr(pair, field), getattr(two, field), rtol=1e-7, atol=atol)
        # Where nothing varies but the last digits, so does the design effect.
        real = (pair.se > 1e3 * atol) & (pair.deff < 1e12)
        np.testing.assert_allclose(pair.deff[real], two.deff[real], rtol=1e-5)


def test_delete_one_jackknife_is_the_error_of_totals_and_near_that_of_ratios():
    rng = np.random.default_rng(4)
    n_h, size = np.array([40, 30, 25]), np.array([200.0, 90.0, 25.0])
    stratum = np.repeat(np.arange(3), n_h)
    x = rng.gamma(6.0, 1.0, len(stratum)) * (1.0 + stratum)
    y = x * rng.gamma(30.0, 1.0 / 30.0, len(stratum))
    sample = StratifiedSample(stratum, size)
    without = np.tile(sample.weight, (sample.n, 1))
    for i, h in enumerate(stratum):
        without[i, stratum == h] *= n_h[h] / (n_h[h] - 1.0)
        without[i, i] = 0.0
    scale = ((1.0 - n_h / size) * (n_h - 1.0) / n_h)[stratum]

    def jackknife(statistic):
        centre = np.array([statistic(w) for w in without])
        middle = np.bincount(stratum, weights=centre) / n_h
        return float(np.sqrt(scale @ (centre - middle[stratum]) ** 2))

    assert total(sample, y).se.item() == pytest.approx(jackknife(lambda w: w @ y), rel=1e-10)
    linear = ratio(sample, y, x).se.item()
    assert linear == pytest.approx(jackknife(lambda w: (w @ y) / (w @ x)), rel=0.01)
    replicated = bootstrap(sample, lambda w: (w @ y) / (w @ x), replicates=2000, seed=6)
    assert linear == pytest.approx(float(replicated.se), rel=0.06)


def test_equal_values_have_no_design_effect_rather_than_one_of_rounding():
    sample = StratifiedSample(STRATUM, POPULATION, weight=UNEVEN)
    result = total(sample, np.full(8, 0.1), domain=[0, 0, 1, 0, 1, 1, 1, 0])
    assert (result.se > 0).all() and np.isnan(result.deff).all()
