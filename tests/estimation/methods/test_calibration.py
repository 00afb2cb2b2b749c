import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import (
    ConvergenceError,
    StratifiedSample,
    calibrate,
    calibrated_mean,
    calibrated_ratio,
    calibrated_total,
    poststratify,
    rake,
    total,
)
from tests.estimation.methods.r_fixtures import CLOSE, api, column, inside, table
from tests.estimation.methods.slow import slow_variance

KNOWN_TOTALS = column(table("r_calibration", "known_totals.csv"), "total")
POST = np.array([KNOWN_TOTALS[0] - KNOWN_TOTALS[2], KNOWN_TOTALS[2]])


def calibration(method):
    rows, sample = api()
    yes = column(rows, "yes")
    x = np.stack([np.ones(sample.n), column(rows, "api99"), yes], axis=1)
    if method == "rake":
        margins = [(sample.stratum, np.array([4400.0, 770.0, 1024.0])), (yes.astype(int), POST)]
        return rake(sample.weight, margins, tol=1e-14)
    if method == "post":
        return calibrate(sample.weight, np.stack([1 - yes, yes], axis=1), POST)
    bounds = {"logit": (0.7, 1.4), "bounded": (0.97, 1.03)}.get(method)
    form = "linear" if method == "bounded" else method
    return calibrate(sample.weight, x, KNOWN_TOTALS, method=form, bounds=bounds, tol=1e-13)


METHODS = ["linear", "raking", "logit", "bounded", "rake", "post"]


@pytest.mark.parametrize("method", METHODS)
def test_weights_equal_those_of_r(method):
    expected = column(table("r_calibration", "weights.csv"), method)
    np.testing.assert_allclose(calibration(method).weight, expected, **CLOSE)


@pytest.mark.parametrize("method", METHODS)
def test_totals_means_and_ratios_have_the_errors_of_r(method):
    rows, sample = api()
    weights = calibration(method)
    actual = [row for row in table("r_calibration", "calibrated_expected.csv") if row["method"] == method]
    assert len(actual) == 28
    options = {"fit": "unweighted"} if method == "rake" else {}
    for row in actual:
        domain = inside(row["domain"], rows)
        if row["kind"] == "ratio":
            y, x = (column(rows, name) for name in row["item"].split("/"))
            result = calibrated_ratio(sample, y, x, weights, domain=domain, **options)
        else:
            estimator = {"total": calibrated_total, "mean": calibrated_mean}[row["kind"]]
            result = estimator(sample, column(rows, row["item"]), weights, domain=domain, **options)
        numbers = [a.item() for a in (result.value, result.se, result.lower, result.upper)]
        expected = [float(row[k]) for k in ("value", "se", "lower", "upper")]
        np.testing.assert_allclose(numbers, expected, **CLOSE, err_msg=str(row))


def test_raking_by_margins_is_calibration_with_the_raking_distance():
    weights = calibration("rake")
    other = calibrate(weights.before, weights.x, weights.totals, method="raking", tol=1e-13)
    np.testing.assert_allclose(weights.weight, other.weight, rtol=1e-11)
    assert weights.movement == pytest.approx(other.movement, rel=1e-9) and weights.movement > 0


def test_linear_calibration_by_hand():
    # b solves sum w x^2 b = t - sum w x: 2 * 1 + 3 * 4 = 14, 21 - 8 = 13.
    result = calibrate(np.array([2.0, 3.0]), np.array([1.0, 2.0]), np.array([21.0]))
    np.testing.assert_allclose(result.g, [1 + 13 / 14, 1 + 2 * 13 / 14], rtol=1e-14)
    assert result.movement == pytest.approx(2 * (13 / 14) ** 2 + 3 * (13 / 7) ** 2)
    assert result.iterations == 1 and result.distance < 1e-15


def test_poststratification_is_linear_calibration_on_the_cells():
    rows, sample = api()
    cells = poststratify(sample.weight, column(rows, "yes").astype(int), POST)
    np.testing.assert_allclose(calibration("post").weight, cells.weight, rtol=1e-13)
    np.testing.assert_array_equal(np.asarray(cells), cells.weight)
    y, domain = column(rows, "enroll"), inside("18", rows)
    for estimator in (calibrated_total, calibrated_mean):
        entry, other = (
            estimator(sample, y, cells, domain=domain),
            estimator(sample, y, calibration("post"), domain=domain),
        )
        np.testing.assert_allclose([entry.value, entry.se], [other.value, other.se], **CLOSE)
    (expected,) = [
        row
        for row in table("r_calibration", "calibrated_expected.csv")
        if (row["method"], row["kind"], row["domain"], row["item"]) == ("post", "total", "18", "enroll")
    ]
    np.testing.assert_allclose(
        calibrated_total(sample, y, cells, domain=domain).se.item(), float(expected["se"]), **CLOSE
    )


@pytest.mark.parametrize("method", ["linear", "raking", "logit", "bounded"])
def test_the_default_tolerance_gives_the_weights_of_r_to_nine_digits(method):
    rows, sample = api()
    x = np.stack([np.ones(sample.n), column(rows, "api99"), column(rows, "yes")], axis=1)
    bounds = {"logit": (0.7, 1.4), "bounded": (0.97, 1.03)}.get(method)
    result = calibrate(
        sample.weight, x, KNOWN_TOTALS, method="linear" if method == "bounded" else method, bounds=bounds
    )
    np.testing.assert_allclose(result.weight, column(table("r_calibration", "weights.csv"), method), **CLOSE)


def test_a_calibrated_auxiliary_has_no_error_and_deff_shows_the_gain():
    rows, sample = api()
    y = np.stack([column(rows, "api99"), column(rows, "api00")], axis=1)
    result = calibrated_total(sample, y, calibration("linear"))
    assert result.value[0, 0] == pytest.approx(KNOWN_TOTALS[1])
    assert result.se[0, 0] < 1e-6 * KNOWN_TOTALS[1] ** 0.5
    assert result.deff[0, 1] < 0.1 < total(sample, y).deff[0, 1]


def test_variance_against_a_second_writing_with_domains_and_lonely_strata():
    rng = np.random.default_rng(5)
    stratum = np.array([0] * 6 + [1] * 5 + [2])
    population = np.array([20.0, 30.0, 4.0])
    sample = StratifiedSample(stratum, population)
    x = np.stack([np.ones(12), rng.gamma(2, 1, 12)], axis=1)
    y, domain = rng.gamma(2, 1, 12), rng.integers(0, 3, 12)
    weights = calibrate(sample.weight, x, np.array([60.0, 130.0]), method="raking")
    result = calibrated_total(sample, y, weights, domain=domain, domains=3)
    for d in range(3):
        part = np.where(domain == d, y, 0.0)
        w = sample.weight
        slope = np.linalg.solve(x.T @ (x * w[:, None]), x.T @ (w * part))
        variance = slow_variance(weights.weight * (part - x @ slope), stratum, population)
        assert result.value[d, 0] == pytest.approx(weights.weight @ part, rel=1e-12)
        assert result.variance[d, 0] == pytest.approx(variance, rel=1e-10)


def test_targets_out_of_reach_report_the_best_precision():
    weight, x = np.ones(4), np.array([1.0, 1.0, 2.0, 3.0])
    with pytest.raises(ConvergenceError, match="total 0 is missed by") as caught:
        calibrate(weight, x, np.array([70.0]), bounds=(0.5, 2.0))
    # The bounds allow 2 * 7 = 14 of 70: 56 of 71 stay missing.
    assert caught.value.distance == pytest.approx(56 / 71, rel=1e-6)
    twice = np.stack([x, x], axis=1)
    with pytest.raises(ConvergenceError):
        calibrate(weight, twice, np.array([8.0, 9.0]), method="raking")
    agreeing = calibrate(weight, twice, np.array([8.0, 8.0]), method="raking")
    assert agreeing.weight @ x == pytest.approx(8.0)
    codes = [np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])]
    with pytest.raises(ConvergenceError, match="raking failed"):
        rake(weight, [(codes[0], np.array([1.0, 3.0])), (codes[1], np.array([2.0, 2.0]))], max_iterations=50)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calibrate([1.0, 0.0], [1.0, 1.0], [2.0]), r"weight must be positive: index 1 holds 0\.0"),
        (lambda: calibrate([1.0], [np.nan], [2.0]), "x must be finite"),
        (lambda: calibrate([1.0], [1.0], [2.0], method="logit"), "needs bounds"),
        (lambda: calibrate([1.0], [1.0], [2.0], bounds=(1.5, 2.0)), "low < 1 < high"),
        (lambda: rake([1.0, 1.0], [([0, 0], [2.0, 1.0])]), "category 1 of margin 0 .* and no unit"),
        (
            lambda: rake([1.0, 1.0], [([0, 1], [2.0, 1.0]), ([0, 0], [4.0])]),
            r"margin 1 sums to 4\.0, margin 0 to 3\.0",
        ),
        (lambda: rake([1.0], []), "margins is empty"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@settings(deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from(["linear", "raking", "logit"]), st.sampled_from([1e-9, 1.0, 1e12])
)
def test_totals_are_met_in_any_unit_of_measure(seed, method, unit):
    rng = np.random.default_rng(seed)
    weight = rng.uniform(1, 10, 40)
    x = np.stack([np.ones(40), rng.lognormal(0, 1, 40) * unit], axis=1)
    target = (weight * rng.uniform(0.8, 1.25, 40)) @ x
    bounds = (0.2, 4.0) if method == "logit" else None
    result = calibrate(weight, x, target, method=method, bounds=bounds)
    reached = result.weight @ x
    assert (np.abs(reached - target) <= 1e-9 * (1 + np.abs(target)) * 1.01).all()
    if method != "linear":
        assert (result.weight > 0).all()
    if method == "logit":
        assert (result.g >= 0.2).all() and (result.g <= 4.0).all()
