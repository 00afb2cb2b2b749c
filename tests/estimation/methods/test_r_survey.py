"""Equal to the R package `survey` on its public data set.

Inputs, the R code and the expected numbers are in scenarios/r_survey.
"""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from estimation.methods import (
    StratifiedSample,
    contrast,
    mean,
    mean_multiple,
    poststratify,
    proportion,
    ratio,
    total,
    weighted_quantiles,
)

FOLDER = Path(__file__).resolve().parents[1] / "scenarios" / "r_survey"
CLOSE = {"rtol": 1e-9, "atol": 0}


@cache
def table(name):
    with (FOLDER / name).open() as handle:
        return list(csv.DictReader(handle))


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


@cache
def api():
    rows = table("apistrat_input.csv")
    names = sorted({row["stype"] for row in rows})
    stratum = np.array([names.index(row["stype"]) for row in rows])
    population = np.array([next(float(r["fpc"]) for r in rows if r["stype"] == s) for s in names])
    return rows, StratifiedSample(stratum, population)


def expected(case):
    return [row for row in table("apistrat_expected.csv") if row["case"] == case]


def inside(domain, rows):
    if domain == "all":
        return np.zeros(len(rows), dtype=int)
    return np.where(column(rows, "cnum") == int(domain), 0, -1)


@pytest.mark.parametrize("case", ["total", "mean"])
def test_totals_and_means_with_error_deff_and_intervals(case):
    rows, sample = api()
    actual = expected(case)
    assert len(actual) > 60
    for row in actual:
        y = column(rows, row["item"])
        domain = inside(row["domain"], rows)
        result = {"total": total, "mean": mean}[case](sample, y, domain=domain)
        design = result.interval(0.95, "design")
        numbers = [result.value, result.se, result.lower, result.upper]
        np.testing.assert_allclose(
            np.ravel(numbers), [float(row[k]) for k in ("value", "se", "lower", "upper")], **CLOSE
        )
        if row["deff"] not in ("NA", "NaN", "Inf"):
            np.testing.assert_allclose(result.deff.item(), float(row["deff"]), **CLOSE)
        if row["domain"] == "all":
            limits = [float(row["design_lower"]), float(row["design_upper"])]
            np.testing.assert_allclose([design.lower.item(), design.upper.item()], limits, **CLOSE)


def test_all_domains_at_once_give_the_same_numbers():
    rows, sample = api()
    counties = sorted({row["domain"] for row in expected("total")} - {"all"}, key=int)
    cnum = column(rows, "cnum")
    domain = np.full(len(rows), -1)
    for d, county in enumerate(counties):
        domain[cnum == int(county)] = d
    for item in ("api00", "enroll"):
        result = total(sample, column(rows, item), domain=domain)
        required = {row["domain"]: row for row in expected("total") if row["item"] == item}
        np.testing.assert_allclose(result.se[:, 0], [float(required[c]["se"]) for c in counties], **CLOSE)


def test_proportion():
    rows, sample = api()
    (row,) = [r for r in expected("mean") if r["item"] == "yes"]
    result = proportion(sample, column(rows, "yes"))
    np.testing.assert_allclose(
        [result.value.item(), result.se.item()], [float(row["value"]), float(row["se"])], **CLOSE
    )


def test_ratios_combined_and_separate():
    rows, sample = api()
    for row in expected("ratio"):
        y, x = (column(rows, name) for name in row["item"].split("/"))
        result = ratio(sample, y, x, domain=inside(row["domain"], rows))
        np.testing.assert_allclose(
            [result.value.item(), result.se.item()], [float(row["value"]), float(row["se"])], **CLOSE
        )
    (row,) = expected("separate")
    known_totals = column(table("enroll_by_stratum.csv"), "enroll")
    result = ratio(
        sample, column(rows, "api.stu"), column(rows, "enroll"), form="separate", x_population=known_totals
    )
    np.testing.assert_allclose(
        [result.value.item(), result.se.item()], [float(row["value"]), float(row["se"])], **CLOSE
    )


def test_contrast_and_mean_multiple():
    rows, sample = api()
    y = np.stack([column(rows, name) for name in ("api.stu", "enroll", "api00", "api99")], axis=1)
    result = contrast(sample, y, lambda t: np.log(t[0] / t[1]) + np.sqrt(t[2] / t[3]))
    (row,) = expected("contrast")
    np.testing.assert_allclose(
        [result.value.item(), result.se.item()], [float(row["value"]), float(row["se"])], **CLOSE
    )
    yes = column(rows, "yes") == 1
    multiple = mean_multiple(sample, column(rows, "enroll"), yes, ~yes)
    (row,) = expected("multiple")
    np.testing.assert_allclose(
        [multiple.value.item(), multiple.se.item()], [float(row["value"]), float(row["se"])], **CLOSE
    )


def test_poststratified_weights():
    rows, _ = api()
    result = poststratify(column(rows, "pw"), column(rows, "yes").astype(int), np.array([1500.0, 4694.0]))
    np.testing.assert_allclose(result.weight, column(table("poststratified_weight.csv"), "weight"), **CLOSE)


@pytest.mark.parametrize("policy", ["certainty", "adjust", "average"])
def test_lonely_strata(policy):
    rows = table("lonely_input.csv")
    names, first, stratum = np.unique([row["cell"] for row in rows], return_index=True, return_inverse=True)
    sample = StratifiedSample(stratum, column(rows, "N")[first], lonely=policy)
    assert sample.alone.sum() >= 20
    actual = [row for row in table("lonely_expected.csv") if row["case"] == policy]
    assert len(actual) == 7
    for row in actual:
        if row["domain"] == "ratio":
            y, x = (column(rows, name) for name in row["item"].split("/"))
            result = ratio(sample, y, x)
        else:
            result = {"total": total, "mean": mean}[row["domain"]](sample, column(rows, row["item"]))
        np.testing.assert_allclose(
            [result.value.item(), result.se.item()], [float(row["value"]), float(row["se"])], **CLOSE
        )
    assert len(names) == sample.strata


def test_quantiles_of_type_seven():
    rows, sample = api()
    required = table("quantiles.csv")
    result = weighted_quantiles(column(rows, "enroll"), [0.05, 0.95], group=sample.stratum)
    np.testing.assert_allclose(
        result, np.stack([column(required, "lower"), column(required, "upper")], axis=1), **CLOSE
    )
