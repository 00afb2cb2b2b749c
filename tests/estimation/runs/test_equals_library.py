"""The run adds cells of units up; ``estimation.methods`` goes unit by unit. Both must be the same numbers."""

from dataclasses import replace

import numpy as np
import pytest

from estimation.methods import (
    Estimates,
    StratifiedSample,
    class_growth,
    growth,
    level_growth,
    mean,
    mean_multiple,
    optimal_cutoffs,
    overlap_covariance,
    proportion,
    ratio,
    total,
    winsorize,
)
from estimation.runs.compute.arrays import Domain, crossed_domain, group_masks
from estimation.runs.compute.levels import Prepared
from estimation.runs.compute.panel import PANEL_MINIMUM
from estimation.runs.compute.pipeline import prepare_years
from estimation.runs.compute.spec import RATIOS, Winsorization
from estimation.runs.compute.treat import CLASSES, GROUP_NAMES, treat, treatment_classes
from tests.estimation.runs.random_years import random_years
from tests.estimation.runs.two_ways import KINDS, SPEC, Both, same, size_of


@pytest.fixture(scope="module", params=["adjust", "average", "certainty"])
def lonely(request: pytest.FixtureRequest) -> Both:
    """Thin strata, some with one answer, collapsed only where they have none."""
    spec = replace(SPEC, lonely=request.param, minimum_respondents=1)
    now, before = prepare_years(*random_years(5, size=12, lonely=True, nonresponse=True), spec)
    both = Both(now, before, spec)
    assert both.now.weighted.sample.alone.any()
    return both


@pytest.fixture(scope="module", params=[1, 2, 3])
def full(request: pytest.FixtureRequest) -> Both:
    """No stratum is collapsed, so that a stratum means the same in both years."""
    now, before = prepare_years(*random_years(request.param, size=12), SPEC)
    both = Both(now, before, SPEC)
    assert both.now.weighted.key == both.before.weighted.key
    return both


def test_totals_in_every_classification(lonely: Both) -> None:
    now, seen = lonely.now, set()
    for domain in (*now.domains, crossed_domain(now.year)):
        for name in ("P01", "P03+P04", "T02"):
            if domain.kind == "region_section" and name == "P03+P04":
                continue
            column = now.column(name)
            expected = total(
                now.weighted.sample,
                now.treated.values[:, column],
                domain=domain.codes,
                domains=size_of(domain),
            )
            value, se, deff = lonely("total", domain, name)
            # Filled units are no answers: the run widens the error by what they are.
            answered, filled = (
                np.array([mask[domain.codes == d, column].sum() for d in range(size_of(domain))], float)
                for mask in (now.treated.answered, now.treated.filled)
            )
            widened = np.where(answered > 0, (answered + filled) / np.maximum(answered, 1), 1.0)
            same((value, se / widened, deff), expected)
            seen.add(domain.kind)
    assert seen == KINDS | {"region_section"}


def test_means_proportions_and_ratios_in_every_classification(lonely: Both) -> None:
    now, seen = lonely.now, set()
    sample, answered, values = now.weighted.sample, now.treated.answered, now.treated.values
    for domain in now.domains:
        for name, statistic, estimate in (
            ("P01", "mean", mean),
            ("D02", "mean", mean),
            ("T01", "proportion", proportion),
        ):
            column = now.column(name)
            codes = np.where(answered[:, column], domain.codes, -1)
            expected = estimate(sample, values[:, column], domain=codes, domains=size_of(domain))
            same(lonely(statistic, domain, name), expected)
        for top, bottom in (("D01", "S02"), ("T02", "B10")):
            assert (top, bottom) in RATIOS
            a, b = now.column(top), now.column(bottom)
            codes = np.where(answered[:, a] & answered[:, b], domain.codes, -1)
            expected = ratio(sample, values[:, a], values[:, b], domain=codes, domains=size_of(domain))
            same(lonely("ratio", domain, f"{top}/{bottom}"), expected)
        seen.add(domain.kind)
    assert seen == KINDS


def test_multiples_of_means(lonely: Both) -> None:
    now = lonely.now
    masks = group_masks(now.year)
    head = masks["head_platform"]
    column = now.column("F01")
    expected = mean_multiple(
        now.weighted.sample, now.treated.values[:, column], head, masks["sample_ent"] & ~head
    )
    same(lonely("multiple", Domain("group", ("head_platform",), np.where(head, 0, -1)), "F01"), expected)


def test_growth_of_totals_has_the_covariance_of_the_library(full: Both) -> None:
    now, before, seen = full.now, full.before, set()
    for domain, old in zip(now.domains, before.domains, strict=True):
        column = now.column("P01")
        d = size_of(domain)
        levels = [
            total(year.weighted.sample, year.treated.values[:, column], domain=codes.codes, domains=d)
            for year, codes in ((now, domain), (before, old))
        ]
        common = covariance(
            full, now.treated.values[:, column], before.treated.values[:, column], domain, old
        )
        # The levels of the run carry what filled values add; so must these.
        widened = [
            replace(level, se=full_se[:, None])
            for level, full_se in zip(
                levels, (of_year(full, 2025, domain), of_year(full, 2024, old)), strict=True
            )
        ]
        same(full("level_growth", domain, "P01"), level_growth(*widened, covariance=bounded(common, widened)))
        seen.add(domain.kind)
    assert seen == KINDS


def of_year(both: Both, year: int, domain: Domain) -> np.ndarray:
    for block in both.blocks:
        if (block.year, block.statistic, block.kind, block.labels) == (
            year,
            "total",
            domain.kind,
            domain.labels,
        ):
            return block.se[:, block.variables.index("P01")]
    raise KeyError(domain.kind)


def bounded(common: np.ndarray, levels: list[Estimates]) -> np.ndarray:
    bound = levels[0].se * levels[1].se
    return np.clip(common, -bound, bound)


def covariance(both: Both, y: np.ndarray, old: np.ndarray, domain: Domain, old_domain: Domain) -> np.ndarray:
    return overlap_covariance(
        both.now.weighted.sample,
        y,
        both.before.weighted.sample,
        old,
        match=both.pair.match,
        domain=domain.codes,
        domain_previous=old_domain.codes,
        domains=size_of(domain),
    )


def test_growth_of_ratios_and_proportions(full: Both) -> None:
    now, before, seen = full.now, full.before, set()
    for domain, old in zip(now.domains, before.domains, strict=True):
        for top, bottom in (("D01", "S02"), ("T01", "")):
            parts = [quotient(year, top, bottom, codes) for year, codes in ((now, domain), (before, old))]
            levels = [estimates for estimates, _ in parts]
            common = covariance(full, parts[0][1], parts[1][1], domain, old)
            expected = level_growth(*levels, covariance=bounded(common, levels))
            same(full("level_growth", domain, f"{top}/{bottom}" if bottom else top), expected)
        seen.add(domain.kind)
    assert seen == KINDS


def quotient(year: Prepared, top: str, bottom: str, domain: Domain) -> tuple[Estimates, np.ndarray]:
    """The library's ratio and its linearised variable 1_d (y - R x) / X, (n,)."""
    a = year.column(top)
    counts = year.treated.answered[:, a]
    x = np.ones(year.year.n)
    if bottom:
        b = year.column(bottom)
        counts, x = counts & year.treated.answered[:, b], year.treated.values[:, b]
    codes = np.where(counts, domain.codes, -1)
    y = year.treated.values[:, a]
    level = ratio(year.weighted.sample, y, x, domain=codes, domains=size_of(domain))
    base = total(year.weighted.sample, x, domain=codes, domains=size_of(domain)).value[:, 0]
    code = np.maximum(codes, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        u = np.where(codes >= 0, (y - level.value[code, 0] * x) / base[code], 0.0)
    return level, np.nan_to_num(u)


def panel_of(both: Both, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who is on the panel of an item, and its values of both years, (n,)."""
    now, before, match = both.now, both.before, both.pair.match
    column = now.column(name)
    panel = both.pair.panel & now.treated.answered[:, column]
    panel &= np.where(match >= 0, before.treated.answered[match, column], False)
    return (
        panel,
        now.treated.values[:, column],
        np.where(match >= 0, before.treated.values[match, column], 0.0),
    )


def test_panel_growth_combined(full: Both) -> None:
    panel, y, old = panel_of(full, "S02")
    for domain in full.now.domains:
        codes = np.where(panel, domain.codes, -1)
        expected = growth(
            full.now.weighted.sample, y, old, panel=panel, domain=codes, domains=size_of(domain)
        )
        same(full("panel_simple", domain, "S02"), expected)


def test_panel_growth_by_classes(full: Both) -> None:
    """Value by ``class_growth`` with last year's full levels, error from its three linearised parts."""
    now, before = full.now, full.before
    sample, old_sample = now.weighted.sample, before.weighted.sample
    panel, y, old = panel_of(full, "S02")
    level = before.treated.values[:, now.column("S02")]
    any_panel = np.zeros(now.year.n, bool)
    for index, item in enumerate(now.year.items):
        if item.is_amount:
            any_panel |= panel_of(full, now.codes[index])[0]
    for domain, old_domain in zip(now.domains, before.domains, strict=True):
        value, se, _ = full("panel_growth", domain, "S02")
        for d in range(size_of(domain)):
            inside, old_inside = domain.codes == d, old_domain.codes == d
            if not (inside & panel).any() or not np.isfinite(value[d]):
                continue
            pooled = pool(treatment_classes(now.year), inside & any_panel)
            classes, old_classes = pooled[treatment_classes(now.year)], pooled[treatment_classes(before.year)]
            stored = class_growth(
                sample,
                np.where(inside, y, 0.0),
                np.where(inside, old, 0.0),
                panel=panel & inside,
                growth_class=classes,
                domain=np.where(panel & inside, 0, -1),
                domains=1,
            )
            rate = dict(zip(stored.growth_class.tolist(), (stored.rate[:, 0] + 1.0).tolist(), strict=True))
            weights = old_sample.weight * level * old_inside
            reference = {c: weights[old_classes == c].sum() for c, g in rate.items() if np.isfinite(g)}
            total_level = sum(reference.values())
            expected = sum(reference[c] * rate[c] for c in reference) / total_level
            assert value[d] == pytest.approx(expected - 1.0, rel=1e-9)
            variance = linear_variance(
                full,
                (panel & inside, y, old, classes),
                (level * old_inside, old_classes),
                reference,
                rate,
                total_level,
                expected,
            )
            assert se[d] == pytest.approx(np.sqrt(variance), rel=1e-7, abs=1e-12)


def pool(classes: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """The pooled class of each class: enough panel units, else the rest of its group, else the rest of all."""
    units = np.bincount(classes[counted], minlength=CLASSES)
    group = np.arange(CLASSES) // (CLASSES // len(GROUP_NAMES))
    thin = units < PANEL_MINIMUM
    rest = np.array([units[thin & (group == g)].sum() for g in range(len(GROUP_NAMES))])
    wide = np.where(rest >= PANEL_MINIMUM, CLASSES + np.arange(len(GROUP_NAMES)), CLASSES + len(GROUP_NAMES))
    return np.where(thin, wide[group], np.arange(CLASSES))


def linear_variance(
    both: Both,
    ours: tuple[np.ndarray, ...],
    theirs: tuple[np.ndarray, ...],
    reference: dict[int, float],
    rate: dict[int, float],
    total_level: float,
    value: float,
) -> float:
    panel, y, old, classes = ours
    level, old_classes = theirs
    sample, old_sample = both.now.weighted.sample, both.before.weighted.sample
    u, tilt = np.zeros(len(y)), np.zeros(len(level))
    for c, weight in reference.items():
        rows = panel & (classes == c)
        base = (sample.weight * old)[rows].sum()
        u[rows] = weight / total_level * (y - rate[c] * old)[rows] / base
        tilt[old_classes == c] = ((rate[c] - value) * level / total_level)[old_classes == c]
    first = total(sample, u).se.item() ** 2
    second = total(old_sample, tilt).se.item() ** 2
    common = overlap_covariance(sample, u, old_sample, tilt, match=both.pair.match).item()
    bound = np.sqrt(first * second)
    return first + second + 2.0 * float(np.clip(common, -bound, bound))


def test_treatment_is_the_library_s(full: Both) -> None:
    now = full.now
    column = now.column("P01")
    rows = np.flatnonzero(now.treated.answered[:, column] & (now.treated.raw[:, column] > 0))
    classes = treatment_classes(now.year)[rows]
    done = winsorize(
        now.treated.raw[rows, column],
        classes,
        lower=0.05,
        upper=0.95,
        exempt=now.weighted.certainty[rows],
        design_weight=now.weighted.sample.weight[rows],
        parent=(classes // 19, np.zeros(len(rows), int)),
        minimum=10,
    )
    np.testing.assert_array_equal(now.treated.values[rows, column], done.values)
    limits = now.treated.cutoffs
    computed = limits.item == column
    np.testing.assert_array_equal(limits.lower[computed], done.lower[limits.treatment_class[computed]])
    np.testing.assert_array_equal(limits.upper[computed], done.upper[limits.treatment_class[computed]])


def test_zeros_are_not_treated_and_need_no_cutoffs(full: Both) -> None:
    now, column = full.now, full.now.column("P01")
    classes, values = treatment_classes(now.year), now.year.values.copy()
    values[classes == classes[0], column] = 0.0
    done = treat(replace(now.year, values=values), now.weighted, SPEC)
    positive = np.unique(classes[values[:, column] > 0])
    assert done.cutoffs.treatment_class[done.cutoffs.item == column].tolist() == positive.tolist()
    assert (done.outliers.item == column).any()
    assert (done.outliers.collected > 0).all()


def test_optimal_treatment_is_the_library_s(full: Both) -> None:
    spec = replace(SPEC, winsorization=Winsorization("optimal"))
    year, sample = full.now.year, full.now.weighted.sample
    done = treat(year, full.now.weighted, spec)
    assert not np.array_equal(done.values, full.now.treated.values)
    moved = 0
    for column in (full.now.column("P01"), full.now.column("T02")):
        rows = np.flatnonzero(done.answered[:, column])
        classes = treatment_classes(year)[rows]
        expected = optimal_cutoffs(
            year.values[rows, column],
            sample.weight[rows],
            group=classes,
            exempt=full.now.weighted.certainty[rows],
        )
        np.testing.assert_array_equal(done.values[rows, column], expected.values)
        computed = done.outliers.item == column
        assert dict(
            zip(done.outliers.row[computed].tolist(), done.outliers.cutoff[computed].tolist(), strict=True)
        ) == dict(
            zip(rows[expected.treated].tolist(), expected.cutoff[expected.treated].tolist(), strict=True)
        )
        assert done.outliers.effect[computed].sum() == pytest.approx(expected.bias)
        limits = {
            code: expected.cutoff[classes == code].min()
            for code in np.unique(classes).tolist()
            if np.isfinite(expected.cutoff[classes == code]).any()
        }
        of_item = (done.cutoffs.item == column) & np.isfinite(done.cutoffs.upper)
        result = zip(
            done.cutoffs.treatment_class[of_item].tolist(), done.cutoffs.upper[of_item].tolist(), strict=True
        )
        assert dict(result) == limits
        moved += int(expected.treated.sum())
    assert moved >= 2


def test_weights_are_the_library_s(full: Both) -> None:
    sample = full.now.weighted.sample
    plain = StratifiedSample(sample.stratum, sample.population)
    np.testing.assert_allclose(sample.weight, plain.weight, rtol=1e-15)
