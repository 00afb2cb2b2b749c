"""Worked examples of textbooks, to the digits that are printed there."""

import numpy as np
import pytest

from estimation.methods import StratifiedSample, allocate, expected_cv, mean, ratio, total
from tests.estimation.methods.r_fixtures import CLOSE, column, table

# Cochran (1977), Sampling Techniques, 3rd edition, table 5.1: inhabitants in 1930 of the 16 largest of 64 cities,
# in thousands, and what the table and the text print for both strata.
LARGE = [900, 822, 781, 805, 670, 1238, 573, 634, 578, 487, 442, 451, 459, 464, 400, 366]
CITIES, TOTALS, VARIANCES = (
    np.array([16.0, 48.0]),
    np.array([10_070.0, 9_498.0]),
    np.array([53_843.0, 5_581.0]),
)

# Cochran (1977), table 6.1: inhabitants in 1920 and in 1930 of 49 of 196 large cities, in thousands.
IN_1920 = [
    76, 138, 67, 29, 381, 23, 37, 120, 61, 387, 93, 172, 78, 66, 60, 46, 2, 507, 179, 121, 50, 44, 77, 64, 64, 56, 40,
    40, 38, 136, 116, 46, 243, 87, 30, 71, 256, 43, 25, 94, 43, 298, 36, 161, 74, 45, 36, 50, 48,
]  # fmt: skip
IN_1930 = [
    80, 143, 67, 50, 464, 48, 63, 115, 69, 459, 104, 183, 106, 86, 57, 65, 50, 634, 260, 113, 64, 58, 89, 63, 77, 142,
    60, 64, 52, 139, 130, 53, 291, 105, 111, 79, 288, 61, 57, 85, 50, 317, 46, 232, 93, 53, 54, 58, 75,
]  # fmt: skip

# Lohr (1999), Sampling: Design and Analysis, example 4.2 (3.2 in the second edition): acres of farmland in 1992 of a
# stratified sample of counties: N_h, n_h, means and variances of the four regions of the United States.
COUNTIES, SAMPLED = np.array([1054.0, 220.0, 1382.0, 422.0]), [103, 21, 135, 41]
ACRES = [300_504.16, 97_629.81, 211_315.04, 662_295.51]
SPREAD = [29_618_183_543.0, 7_647_472_708.0, 53_587_487_856.0, 396_185_950_266.0]


def test_the_transcribed_stratum_has_the_printed_total_and_variance():
    assert (sum(LARGE), round(np.var(LARGE, ddof=1))) == (10_070, 53_843)
    sample = StratifiedSample(np.zeros(16, dtype=int), CITIES[:1])
    assert total(sample, LARGE).value.item() == 10_070 and total(sample, LARGE).se.item() == 0.0


@pytest.mark.parametrize(("n_h", "standard_error"), [([6, 18], 1372), ([12, 12], 1044)])
def test_cochran_standard_errors_of_proportional_and_equal_allocation(n_h, standard_error):
    # Section 5.5: sigma(Y_prop) = 1,372 and, with 12 cities from each stratum, 1,044.
    cv = expected_cv(CITIES, n_h, mean=TOTALS / CITIES, spread=np.sqrt(VARIANCES))
    assert cv[0] * TOTALS.sum() == pytest.approx(standard_error, abs=0.6)


def test_cochran_simple_random_sampling_and_the_allocations_themselves():
    # sigma(Y_ran) = 2,365 with S^2 = 52,448 for the 64 cities as one stratum.
    cv = expected_cv([64], [24], mean=[TOTALS.sum() / 64], spread=[52_448**0.5])
    assert cv[0] * TOTALS.sum() == pytest.approx(2365, abs=0.6)
    assert allocate(CITIES, 24).tolist() == [6, 18]
    # N_h S_h is 3,713 and 3,586: the equal sample is as good as the optimum, which takes 12 of each.
    assert allocate(CITIES, 24, method="neyman", spread=np.sqrt(VARIANCES)).tolist() == [12, 12]


def test_cochran_ratio_estimate_of_the_inhabitants_of_196_cities():
    # Section 6.1: sums 6,262 and 5,054; with X = 22,919 the ratio estimate is 28,397.
    assert (sum(IN_1930), sum(IN_1920), len(IN_1920)) == (6_262, 5_054, 49)
    sample = StratifiedSample(np.zeros(49, dtype=int), [196])
    result = ratio(sample, IN_1930, IN_1920)
    assert round(result.value.item() * 22_919) == 28_397
    # Cochran (6.13) written out: v(R) = (1 - f) / (n x^2) sum (y - R x)^2 / (n - 1), x the sample mean.
    x, y = np.array(IN_1920, dtype=float), np.array(IN_1930, dtype=float)
    residual = y - 6_262 / 5_054 * x
    v = 0.75 / (49 * x.mean() ** 2) * (residual @ residual) / 48
    assert result.se.item() == pytest.approx(v**0.5, rel=1e-12)
    # The simple expansion of the same sample is 25,048.
    assert total(sample, IN_1930).value.item() == pytest.approx(25_048)


def with_moments(n, centre, variance):
    """n values of this mean and this variance (divisor n - 1); only these two enter the estimates."""
    side = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    side[-1] = 0.0 if n % 2 else side[-1]
    return centre + side * np.sqrt(variance * (n - 1) / (side @ side))


def test_lohr_farmland_of_a_stratified_sample_of_counties():
    # The book: total 909,736,035 acres with standard error 50,417,248; per county 295,561 with 16,380.
    stratum = np.repeat(np.arange(4), SAMPLED)
    y = np.concatenate([with_moments(*part) for part in zip(SAMPLED, ACRES, SPREAD, strict=True)])
    sample = StratifiedSample(stratum, COUNTIES)
    full, average = total(sample, y), mean(sample, y)
    assert full.value.item() == pytest.approx(909_736_035, abs=10)
    assert full.se.item() == pytest.approx(50_417_248, abs=1)
    assert (round(average.value.item()), round(average.se.item())) == (295_561, 16_380)


def test_sarndal_two_stages_are_the_library_used_twice():
    # Särndal, Swensson and Wretman (1992), example 4.3.2 (page 143): 5 of 50 clusters of municipalities, 3 of each.
    # Their unbiased variance has two parts: that of the estimated cluster totals, and N_I / n_I times those inside.
    rows = table("r_two_stage", "input.csv")
    expected = table("r_two_stage", "expected.csv")[0]
    clusters, cluster = np.unique(column(rows, "id1"), return_inverse=True)
    municipalities = [column(rows, "n2")[cluster == c][0] for c in range(len(clusters))]
    inside = total(StratifiedSample(cluster, municipalities), column(rows, "y1"), domain=cluster)
    between = total(StratifiedSample(np.zeros(len(clusters), dtype=int), [50]), inside.value[:, 0])
    variance = between.se.item() ** 2 + 50 / len(clusters) * (inside.se**2).sum()
    assert between.value.item() == 15_080 == float(expected["value"])
    np.testing.assert_allclose(variance, float(expected["variance"]), **CLOSE)
