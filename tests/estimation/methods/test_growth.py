import numpy as np
import pytest

from estimation.methods import (
    StratifiedSample,
    class_growth,
    growth,
    level_growth,
    overlap_covariance,
    ratio,
    total,
)
from tests.estimation.methods.slow import make_sample, slow_variance


def small():
    # Stratum 0: N = 6, weight 2, three units; stratum 1: N = 6, weight 3, two units.
    sample = StratifiedSample(np.array([0, 0, 0, 1, 1]), np.array([6.0, 6.0]))
    current = np.array([12.0, 18.0, 50.0, 20.0, 40.0])
    previous = np.array([10.0, 10.0, np.nan, 20.0, 20.0])
    panel = np.array([True, True, False, True, True])
    return sample, current, previous, panel


def test_combined_growth_by_hand():
    # Panel: current 2 * 30 + 3 * 60 = 240, previous 2 * 20 + 3 * 40 = 160: growth 50 %.
    # z = w (y - 1.5 x) / 160: stratum 0: 2 (-3, 3) / 160 and 0 for the unit outside; stratum 1: 3 (-10, 10)
    #   / 160.
    # V = [ (1/2) (3/2) (36 + 36) + (2/3) (2/1) (900 + 900) ] / 160^2 = (54 + 2400) / 25600
    result = growth(*small()[:3], panel=small()[3])
    assert result.value.item() == pytest.approx(0.5)
    assert result.variance.item() == pytest.approx(2454 / 25600)
    assert (result.n.item(), result.positive.item()) == (4, 4)


def test_stratified_growth_by_hand():
    # g_0 = 60 / 40 = 1.5, g_1 = 180 / 120 = 1.5 -> make stratum 1 grow less: current 20, 25 -> 135 / 120 =
    #   1.125.
    # With full levels 100 and 300 of the previous year: (100 * 1.5 + 300 * 1.125) / 400 - 1 = 0.21875.
    # z_0 = 0.25 * 2 (12 - 15, 18 - 15) / 40 = (-0.0375, 0.0375), the third unit 0;
    # z_1 = 0.75 * 3 (20 - 22.5, 25 - 22.5) / 120 = (-0.046875, 0.046875).
    # V = (1/2) (3/2) 2 (0.0375)^2 + (2/3) 2 * 2 (0.046875)^2
    sample, current, previous, panel = small()
    current[4] = 25.0
    result = growth(
        sample, current, previous, panel=panel, form="stratified", previous_total=np.array([100.0, 300.0])
    )
    assert result.value.item() == pytest.approx(0.21875)
    assert result.variance.item() == pytest.approx(1.5 * 0.0375**2 + 8 / 3 * 0.046875**2)


def test_a_sample_that_is_all_panel_gives_the_same_growth_in_both_forms():
    stratum, population, y, domain = make_sample(2)
    sample = StratifiedSample(stratum, population)
    everyone = np.ones(len(y), dtype=bool)
    now, before = y * 1.3 + 1, y + 1
    combined = growth(sample, now, before, panel=everyone, domain=domain)
    stratified = growth(sample, now, before, panel=everyone, domain=domain, form="stratified")
    for field in ("value", "se", "lower", "upper", "deff"):
        np.testing.assert_allclose(getattr(combined, field), getattr(stratified, field), rtol=1e-9)
    ratios = ratio(sample, now, before, domain=domain)
    np.testing.assert_allclose(combined.value, ratios.value - 1, rtol=1e-12)
    np.testing.assert_allclose(combined.se, ratios.se, rtol=1e-12)


@pytest.mark.parametrize("with_known_levels", [False, True])
def test_stratified_growth_equals_a_slow_loop(with_known_levels):
    stratum, population, y, domain = make_sample(9)
    sample = StratifiedSample(stratum, population)
    rng = np.random.default_rng(9)
    now, before = y[:, 0] + 1, y[:, 1] + 1
    panel = rng.random(len(y)) < 0.7
    panel[stratum == 5] = False  # a class without panel
    classes = stratum % 7
    known_totals = rng.uniform(10, 99, (4, 7))
    result = growth(
        sample,
        now,
        before,
        panel=panel,
        domain=domain,
        form="stratified",
        growth_class=classes,
        previous_total=known_totals if with_known_levels else None,
    )
    w = sample.weight
    for d in range(4):
        top = bottom = 0.0
        rates = {}
        for c in range(7):
            cell = (domain == d) & (classes == c)
            base = (w * before)[cell & panel].sum()
            if base == 0:
                continue
            level = known_totals[d, c] if with_known_levels else (w * before)[cell].sum()
            rates[c] = ((w * now)[cell & panel].sum() / base, level, base)
            top += level * rates[c][0]
            bottom += level
        z = np.zeros(len(y))
        for c, (g, level, base) in rates.items():
            cell = (domain == d) & (classes == c)
            z += w * (cell & panel) * (now - g * before) * level / bottom / base
            if not with_known_levels:
                z += w * cell * (g - top / bottom) * before / bottom
        assert result.value[d, 0] == pytest.approx(top / bottom - 1, rel=1e-12)
        assert result.se[d, 0] == pytest.approx(slow_variance(z, stratum, population) ** 0.5, rel=1e-10)


def test_class_growth_shows_the_rates_and_classes_without_panel():
    sample, current, previous, _ = small()
    table = class_growth(sample, current, previous, panel=np.array([True, True, False, False, False]))
    assert table.growth_class.tolist() == [0, 1]
    assert table.rate[0, 0] == pytest.approx(0.5)
    assert np.isnan(table.rate[1, 0])
    assert table.previous[:, 0].tolist() == pytest.approx([40.0, 120.0])
    assert table.units.tolist() == [2, 0]


def test_growth_refuses_missing_panel_values_and_wrong_arguments():
    sample, current, previous, panel = small()
    with pytest.raises(ValueError, match=r"previous must be finite: index 2 holds nan"):
        growth(sample, current, previous, panel=np.ones(5, dtype=bool))
    with pytest.raises(ValueError, match="belong to form='stratified'"):
        growth(sample, current, previous, panel=panel, previous_total=np.ones(2))
    with pytest.raises(ValueError, match="panel must be booleans"):
        growth(sample, current, previous, panel=np.ones(5))
    with pytest.raises(ValueError, match="form must be"):
        growth(sample, current, previous, panel=panel, form="separate")  # type: ignore[arg-type]  # the wrong word is the case


def test_growth_of_an_empty_panel_is_missing():
    sample, current, previous, _ = small()
    for form in ("combined", "stratified"):
        result = growth(sample, current, previous, panel=np.zeros(5, dtype=bool), form=form)
        assert np.isnan(result.value.item()) and np.isnan(result.se.item())
        assert result.n.item() == 0


def test_level_growth_by_hand():
    # 120 / 100 - 1 with V_t = 16, V_{t-1} = 25, C = 10: (16 + 1.44 * 25 - 2.4 * 10) / 100^2 = 28 / 10000.
    sample = StratifiedSample(np.array([0, 0]), np.array([4.0]))
    now = total(sample, np.array([29.0, 31.0]))  # 120, se sqrt(0.5 * 2 * 2 * 4 * 1)
    before = total(sample, np.array([23.0, 27.0]))  # 100
    assert (now.variance.item(), before.variance.item()) == pytest.approx((8.0, 32.0))
    result = level_growth(now, before, covariance=10.0)
    assert result.value.item() == pytest.approx(0.2)
    assert result.variance.item() == pytest.approx((8 + 1.44 * 32 - 24) / 1e4)
    with pytest.raises(ValueError, match="covariance exceeds"):
        level_growth(now, before, covariance=17.0)


def test_level_growth_of_one_sample_seen_twice_equals_panel_growth():
    stratum, population, y, domain = make_sample(4)
    sample = StratifiedSample(stratum, population, lonely="certainty")
    now, before = y + 1, y[:, ::-1] + 2
    same = np.arange(len(y))
    covariance = overlap_covariance(
        sample, now, sample, before, match=same, domain=domain, domain_previous=domain
    )
    result = level_growth(
        total(sample, now, domain=domain), total(sample, before, domain=domain), covariance=covariance
    )
    panel = growth(sample, now, before, panel=np.ones(len(y), dtype=bool), domain=domain)
    np.testing.assert_allclose(result.value, panel.value, rtol=1e-12)
    np.testing.assert_allclose(result.se, panel.se, rtol=1e-9)


def test_overlap_covariance_agrees_with_repeated_draws():
    rng = np.random.default_rng(8)
    N, n = 40, 16
    x = rng.lognormal(2, 0.6, N)
    y = x * rng.lognormal(0.1, 0.1, N)
    first, second, estimated = [], [], []
    for _ in range(2000):
        order = rng.permutation(N)
        old, new = order[:n], np.concatenate([order[4:n], order[n : n + 4]])  # 12 common units
        index = {int(u): i for i, u in enumerate(old)}
        match = np.array([index.get(int(u), -1) for u in new])
        before = StratifiedSample(np.zeros(n, dtype=int), np.array([float(N)]))
        estimated.append(overlap_covariance(before, y[new], before, x[old], match=match).item())
        first.append(x[old].sum() * N / n)
        second.append(y[new].sum() * N / n)
    truth = np.cov(first, second)[0, 1]
    assert np.mean(estimated) == pytest.approx(truth, rel=0.1)


def test_overlap_covariance_refuses_a_unit_matched_twice():
    sample = StratifiedSample(np.array([0, 0]), np.array([4.0]))
    with pytest.raises(ValueError, match="previous unit 1 more than once"):
        overlap_covariance(sample, np.ones(2), sample, np.ones(2), match=np.array([1, 1]))
