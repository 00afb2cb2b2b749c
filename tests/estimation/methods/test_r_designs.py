"""Equal to the R package `survey` 4.5 for designs with a take-all stratum, free weights and lonely strata.

Inputs, the R code and the expected numbers are in scenarios/r_designs.
"""

from functools import cache

import numpy as np
import pytest

from estimation.methods import (
    StratifiedSample,
    contrast,
    crosstotals,
    growth,
    level_growth,
    mean,
    mean_multiple,
    overlap_covariance,
    quantile,
    ratio,
    total,
)
from tests.estimation.methods.r_fixtures import CLOSE, column, table

FOLDER = "r_designs"
TYPES, WIDE = 3, 2


@cache
def frame(name="input.csv", stratum="h", population="N"):
    rows = table(FOLDER, name)
    names = sorted({row[stratum] for row in rows})
    code = np.array([names.index(row[stratum]) for row in rows])
    size = np.array([next(float(r[population]) for r in rows if r[stratum] == s) for s in names])
    return rows, code, size


def design(weights):
    rows, code, size = frame()
    return rows, StratifiedSample(code, size, weight=None if weights == "plain" else column(rows, weights))


def expected(weights, *cases):
    rows = [row for row in table(FOLDER, "expected.csv") if row["weights"] == weights]
    return [row for row in rows if not cases or row["case"].rstrip("0123456789.") in cases]


def only(weights, case):
    (row,) = expected(weights, case)
    return row


def domain_of(rows, name):
    """Codes 0 inside, -1 outside, of a domain such as all, 2 (type) or 2.1 (type and flag)."""
    inside = np.ones(len(rows), dtype=bool)
    if name != "all":
        for key, code in zip(("type", "wide"), name.split("."), strict=False):
            inside &= column(rows, key) == int(code)
    return np.where(inside, 0, -1)


def number(row, key):
    return float("nan" if row[key] == "NA" else row[key])


def check(result, row, *, index=(0, 0), names=("value", "se")):
    for name in names:
        required = number(row, name)
        if np.isfinite(required):
            np.testing.assert_allclose(
                getattr(result, name)[index], required, **CLOSE, err_msg=f"{name} of {row}"
            )
        else:
            assert np.isnan(getattr(result, name)[index]), (name, row)


@pytest.mark.parametrize("weights", ["plain", "given"])
@pytest.mark.parametrize("case", ["total", "mean", "ratio", "growth"])
def test_estimates_by_one_and_two_factors_with_deff_and_student_limits(weights, case):
    rows, sample = design(weights)
    actual = expected(weights, case)
    assert len({row["domain"] for row in actual}) == 1 + TYPES + TYPES * WIDE
    for row in actual:
        y, *x = (column(rows, name) for name in row["item"].split("/"))
        options = {"domain": domain_of(rows, row["domain"]), "df": "design"}
        if case == "growth":
            result = growth(sample, y, *x, panel=column(rows, "panel") == 1, **options)
            check(result, row, names=("value", "se", "deff"))
        else:
            result = {"total": total, "mean": mean, "ratio": ratio}[case](sample, y, *x, **options)
            check(result, row, names=("value", "se", "deff", "lower", "upper"))


@pytest.mark.parametrize("weights", ["plain", "given"])
def test_crossed_totals_in_one_pass_are_those_of_svyby(weights):
    rows, sample = design(weights)
    domains = {name: column(rows, name).astype(int) for name in ("type", "wide")}
    result = crosstotals(sample, column(rows, "enroll"), domains=domains, cross=[("type", "wide")])
    actual = expected(weights, "svyby")
    assert len(actual) == TYPES * WIDE
    for row in actual:
        first, second = (int(code) for code in row["domain"].split("."))
        index = (first * WIDE + second, 0)
        check(result["type", "wide"], row, index=index, names=("value", "se", "deff"))


@pytest.mark.parametrize("weights", ["plain", "given"])
def test_quantiles_with_woodruff_limits(weights):
    rows, sample = design(weights)
    for row in expected(weights, "quantile"):
        prob = float(row["case"].removeprefix("quantile"))
        result = quantile(sample, column(rows, row["item"]), prob, domain=domain_of(rows, row["domain"]))
        check(result, row, names=("value", "se", "lower", "upper"))


@pytest.mark.parametrize("weights", ["plain", "given"])
def test_panel_change_in_classes_with_estimated_and_with_known_levels(weights):
    rows, sample = design(weights)
    options = {"panel": column(rows, "panel") == 1, "growth_class": column(rows, "type").astype(int)}
    now, before = column(rows, "api00"), column(rows, "api99")
    estimated = growth(sample, now, before, form="stratified", **options)
    check(estimated, only(weights, "stratified"))
    known_levels = growth(sample, now, before, form="stratified", previous_total=[2e6, 5e5, 7e5], **options)
    check(known_levels, only(weights, "stratified known"))


@pytest.mark.parametrize("weights", ["plain", "given"])
def test_level_growth_functions_of_totals_and_ratios_by_stratum(weights):
    rows, sample = design(weights)
    now, before = column(rows, "api00"), column(rows, "api99")
    row = only(weights, "level growth")
    check(contrast(sample, np.stack([now, before], axis=1), lambda t: t[0] / t[1] - 1.0), row)
    same = np.arange(sample.n)
    shared = overlap_covariance(sample, now, sample, before, match=same)
    check(level_growth(total(sample, now), total(sample, before), covariance=shared), row)
    items = np.stack([column(rows, name) for name in ("api00", "enroll", "api.stu", "meals")], axis=1)
    smooth = contrast(
        sample, items, lambda t: np.sqrt(t[2] / t[1]) * np.exp(t[3] / t[0]) - np.log(t[1]) / 10.0
    )
    check(smooth, only(weights, "contrast"))
    wide = column(rows, "wide") == 1
    check(mean_multiple(sample, items[:, 1], wide, ~wide), only(weights, "multiple"))
    separate = ratio(sample, items[:, 2], items[:, 1], form="separate", x_population=[1.8e6, 5e5, 4e4, 9e5])
    check(separate, only(weights, "separate"))


def test_jackknife_of_r_is_the_linearised_error_of_totals_and_near_it_for_ratios():
    rows, sample = design("plain")
    for row in expected("plain", "jackknife total"):
        check(total(sample, column(rows, row["item"])), row)
    row = only("plain", "jackknife ratio")
    linear = ratio(sample, column(rows, "api.stu"), column(rows, "enroll"))
    assert linear.value.item() == pytest.approx(float(row["value"]), rel=1e-9)
    assert linear.se.item() == pytest.approx(float(row["se"]), rel=0.01)


@pytest.mark.parametrize("lonely", ["certainty", "adjust", "average"])
def test_lonely_strata_by_policy_with_free_weights(lonely):
    rows, code, size = frame("lonely_input.csv", "cell", "M")
    sample = StratifiedSample(code, size, weight=column(rows, "u"), lonely=lonely)
    assert sample.alone.sum() > 10
    actual = [row for row in table(FOLDER, "lonely_expected.csv") if row["weights"] == lonely]
    assert len(actual) == 9
    for row in actual:
        y, *x = (column(rows, name) for name in row["item"].split("/"))
        if row["case"] == "contrast":
            both = np.stack([y, *x], axis=1)
            check(contrast(sample, both, lambda t: t[0] / t[1] - 1.0), row)
        elif row["case"] == "zeros outside":
            check(total(sample, y, domain=np.where(column(rows, "wide") == 1, 0, -1)), row)
        else:
            result = {"total": total, "mean": mean, "ratio": ratio}[row["case"]](sample, y, *x)
            check(result, row, names=("value", "se", "deff"))


def test_fail_refuses_where_r_refuses():
    _, code, size = frame("lonely_input.csv", "cell", "M")
    (row,) = [row for row in table(FOLDER, "lonely_expected.csv") if row["weights"] == "fail"]
    assert "contains only one PSU at stage 1" in row["case"]
    with pytest.raises(ValueError, match="has a single sampled unit"):
        StratifiedSample(code, size, lonely="fail")
