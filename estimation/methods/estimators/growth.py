"""Growth rates: on the fixed panel (固定观测组) and between two published levels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.cells import Block, Cells, build_cells, domain_codes, grouped_sums
from estimation.methods.estimators.ratios import known_per_cell, linearised, residual_rows, unit_domain
from estimation.methods.estimators.variance import Rows
from estimation.methods.results import Estimates, IntervalBasis, coefficient_of_variation, limits
from estimation.methods.sample import StratifiedSample, as_codes, as_mask, as_matrix


@dataclass(frozen=True, eq=False)
class ClassGrowth:
    """Growth inside each class of each domain; C pairs (domain, class) that hold sampled units, k items.

    domain, growth_class : (C,) codes
    rate : (C, k) growth on the panel, 0.25 for +25 %; NaN where the panel had nothing in the previous year
    previous : (C, k) previous-year level of the full sample, the weight of the rate
    units : (C,) panel units
    """

    domain: Indices
    growth_class: Indices
    rate: Floats
    previous: Floats
    units: Indices


@dataclass(frozen=True, eq=False)
class _Years:
    """Checked input of both years."""

    now: Floats
    before: Floats
    panel: Bools
    codes: Indices | None
    domains: int


def growth(
    sample: StratifiedSample,
    current: npt.ArrayLike,
    previous: npt.ArrayLike,
    *,
    panel: npt.ArrayLike,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    form: Literal["combined", "stratified"] = "combined",
    previous_total: npt.ArrayLike | None = None,
    growth_class: npt.ArrayLike | None = None,
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """Growth rate on the fixed panel, 0.25 for +25 %.

    Parameters
    ----------
    current, previous : (n,) or (n, k) values of the two years; NaN is allowed outside the panel
    panel : (n,) booleans: valid in both years, not newly founded, no gap; strata are those of the current
        year
    domain, domains, level, df : as `totals.total`
    form : "combined" is the ratio of the two weighted panel totals; "stratified" weighs the class growth
        rates by
        the previous-year levels of the full sample
    previous_total : those levels, (C,) or (C, k) per class, or (D, C) or (D, C, k) when a class crosses a
        domain
        border; None estimates them from `previous` of all sampled units, panel or not, NaN counting as 0
    growth_class : (n,) integer codes of the classes; None takes the strata

    Returns
    -------
    Estimates (D, k) of the rate; n and positive count panel units. NaN where the panel had nothing in the
    previous year.

    Raises
    ------
    ValueError : NaN inside the panel, wrong codes or shapes, with the offending index.

    Notes
    -----
    Combined: R = Y_t / Y_{t-1} on panel units, u = (y_t - R y_{t-1}) / Y_{t-1}.
    Stratified: T = sum_c P_c g_c / sum_c P_c with g_c = Y_ct / Y_c,t-1 on the panel and P_c the full
    level. A class
    whose panel had nothing has no g_c and leaves both sums (`class_growth` lists it).
    u = (P_c / P) (y_t - g_c y_{t-1}) / Y_c,t-1 on panel units; if P_c is estimated here, plus (g_c - T)
    y_{t-1} / P on
    all units, so that a sample that is all panel gives the combined form exactly. A given `previous_total`
    is
    taken as constant. Units outside the panel count as zeros of their stratum.
    """
    years = _checked(sample, current, previous, panel, domain, domains)
    if form == "combined":
        if previous_total is not None or growth_class is not None:
            raise ValueError("previous_total and growth_class belong to form='stratified'")
        base = np.where(years.panel, 0 if years.codes is None else years.codes, -1)
        cells = build_cells(sample, base, years.domains)
        value, residual = _combined(sample, cells, years)
    elif form == "stratified":
        cells = build_cells(sample, years.codes, years.domains)
        value, residual = _stratified(sample, cells, years, previous_total, growth_class)
    else:
        raise ValueError(f"form must be 'combined' or 'stratified', not {form!r}")
    on_panel = years.panel[:, None]
    n = np.broadcast_to(cells.counts(on_panel), value.shape).copy()
    positive = cells.counts((years.now > 0) & on_panel)
    result = linearised(sample, cells, value, residual, positive, level, df)
    rate = value - 1.0
    lower, upper = limits(rate, result.se, result.df, level, df)
    cv = coefficient_of_variation(rate, result.se)
    return replace(result, value=rate, cv=cv, lower=lower, upper=upper, n=n)


def class_growth(
    sample: StratifiedSample,
    current: npt.ArrayLike,
    previous: npt.ArrayLike,
    *,
    panel: npt.ArrayLike,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    previous_total: npt.ArrayLike | None = None,
    growth_class: npt.ArrayLike | None = None,
) -> ClassGrowth:
    """The class growth rates and weights behind `growth(..., form="stratified")`; same parameters."""
    years = _checked(sample, current, previous, panel, domain, domains)
    cells = build_cells(sample, years.codes, years.domains)
    parts = _class_parts(sample, cells, years, previous_total, growth_class)
    units = grouped_sums(years.panel[cells.order, None].astype(np.float64), parts.group, len(parts.domain))
    rate = np.where(parts.defined, parts.ratio - 1.0, np.nan)
    return ClassGrowth(parts.domain, parts.code, rate, parts.level, units[:, 0].astype(np.intp))


def level_growth(
    current: Estimates,
    previous: Estimates,
    *,
    covariance: npt.ArrayLike = 0.0,
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """Growth of one estimated level over another, 0.25 for +25 %.

    Parameters
    ----------
    current, previous : Estimates of the same shape (D, k)
    covariance : (D, k) or scalar covariance of the two levels, 0 for independent samples;
        `overlap.overlap_covariance`
        estimates it for overlapping ones

    Returns
    -------
    Estimates (D, k); n, positive and weight are those of the current year; deff is NaN; NaN if the
    previous level is 0.

    Raises
    ------
    ValueError : shapes differ, or a covariance beyond the product of the two standard errors, with its
        index.

    Notes
    -----
    V = (V_t + R^2 V_{t-1} - 2 R C) / Y_{t-1}^2 with R = Y_t / Y_{t-1}.
    """
    if current.value.shape != previous.value.shape:
        raise ValueError(f"current {current.value.shape} and previous {previous.value.shape} differ in shape")
    common = np.broadcast_to(np.asarray(covariance, dtype=np.float64), current.value.shape)
    bound = current.se * previous.se
    beyond = np.abs(common) > bound * (1.0 + 1e-9)
    if beyond.any():
        index = tuple(int(i) for i in np.argwhere(beyond)[0])
        raise ValueError(
            f"covariance exceeds the product of the standard errors: index {index} holds {common[index]}"
        )
    base = np.where(previous.value == 0.0, np.nan, previous.value)
    multiple = current.value / base
    variance = (current.variance + multiple**2 * previous.variance - 2.0 * multiple * common) / base**2
    se = np.sqrt(np.maximum(variance, 0.0))
    rate = multiple - 1.0
    freedom = np.minimum(current.df, previous.df)
    lower, upper = limits(rate, se, freedom, level, df)
    return replace(
        current,
        value=rate,
        se=se,
        cv=coefficient_of_variation(rate, se),
        lower=lower,
        upper=upper,
        deff=np.full_like(rate, np.nan),
        df=freedom,
        level=level,
        basis=df,
    )


@dataclass(frozen=True, eq=False)
class _ClassParts:
    """Class sums: group (m,) names the pair of each unit in sorted order; the rest is per pair."""

    group: Indices
    domain: Indices
    code: Indices
    base: Floats
    ratio: Floats
    defined: Bools
    level: Floats


def _checked(
    sample: StratifiedSample,
    current: npt.ArrayLike,
    previous: npt.ArrayLike,
    panel: npt.ArrayLike,
    domain: npt.ArrayLike | None,
    domains: int | None,
) -> _Years:
    codes, size = domain_codes(domain, sample.n, domains)
    mask = as_mask(panel, "panel", sample.n)
    if codes is not None:
        mask = mask & (codes >= 0)
    now = as_matrix(_blank_outside(current, mask), "current", sample.n)
    before = as_matrix(_blank_outside(previous, mask), "previous", sample.n)
    if now.shape != before.shape:
        raise ValueError(f"current {now.shape} and previous {before.shape} differ in shape")
    return _Years(now, before, mask, codes, size)


def _blank_outside(values: npt.ArrayLike, panel: Bools) -> Floats:
    """Missing values of units outside the panel become 0: they have no previous or current year."""
    array = np.asarray(values, dtype=np.float64)
    if len(array) != len(panel):
        return array
    missing = np.isnan(array)
    if not missing.any():
        return array
    return np.where(missing & ~panel.reshape((-1,) + (1,) * (array.ndim - 1)), 0.0, array)


def _combined(sample: StratifiedSample, cells: Cells, years: _Years) -> tuple[Floats, Rows]:
    base = cells.over_domains(cells.gathered_sums(years.before, sample.weight))
    base = np.where(base == 0.0, np.nan, base)
    value = cells.over_domains(cells.gathered_sums(years.now, sample.weight)) / base
    return value, residual_rows(sample, cells, years.now, years.before, value, base)


def _stratified(
    sample: StratifiedSample,
    cells: Cells,
    years: _Years,
    previous_total: npt.ArrayLike | None,
    growth_class: npt.ArrayLike | None,
) -> tuple[Floats, Rows]:
    parts = _class_parts(sample, cells, years, previous_total, growth_class)
    used = np.where(parts.defined, parts.level, 0.0)
    total_level = grouped_sums(used, parts.domain, years.domains)
    total_level = np.where(total_level == 0.0, np.nan, total_level)
    value = grouped_sums(used * parts.ratio, parts.domain, years.domains) / total_level
    slope = used / total_level[parts.domain] / parts.base
    tilt = None
    if previous_total is None:
        tilt = np.where(parts.defined, parts.ratio - value[parts.domain], 0.0) / total_level[parts.domain]

    def rows(block: Block) -> Floats:
        units, group = cells.order[block.units], parts.group[block.units]
        weight = sample.weight[units, None]
        before = np.take(years.before, units, axis=0)
        before *= weight
        residual = np.take(years.now, units, axis=0)
        residual *= weight
        residual -= np.take(parts.ratio, group, axis=0) * before
        residual *= np.take(slope, group, axis=0)
        residual *= years.panel[units, None]
        if tilt is not None:
            before *= np.take(tilt, group, axis=0)
            residual += before
        return residual

    return value, rows


def _class_parts(
    sample: StratifiedSample,
    cells: Cells,
    years: _Years,
    previous_total: npt.ArrayLike | None,
    growth_class: npt.ArrayLike | None,
) -> _ClassParts:
    count = sample.strata
    if growth_class is None:
        # The classes are the strata: cells are the pairs already.
        group = np.repeat(np.arange(len(cells.stratum)), cells.count)
        code, domain = cells.stratum, cells.domain
    else:
        array = np.asarray(growth_class)
        count = int(array.max(initial=0)) + 1 if array.dtype.kind in "iu" else 1
        classes = as_codes(array, "growth_class", size=count, length=sample.n)
        key, group = np.unique(classes[cells.order] * years.domains + unit_domain(cells), return_inverse=True)
        code, domain = np.divmod(key, years.domains)
    pairs = len(code)
    on_panel = _group_matrix(sample, cells, group, pairs, years.panel.astype(np.float64))
    base = np.asarray(on_panel @ years.before)
    amount = np.asarray(on_panel @ years.now)
    defined = base != 0.0
    base = np.where(defined, base, 1.0)
    if previous_total is None:
        everyone = _group_matrix(sample, cells, group, pairs, np.ones(sample.n))
        level = np.asarray(everyone @ years.before)
    else:
        rows = max(count, len(np.asarray(previous_total))) if np.ndim(previous_total) == 1 else count
        level = known_per_cell(
            previous_total,
            "previous_total",
            domain=domain,
            domains=years.domains,
            row=code,
            rows=rows,
            columns=years.now.shape[1],
            kind="class",
        )
    level = np.broadcast_to(level, base.shape)
    ratio = np.where(defined, amount / base, 0.0)
    return _ClassParts(group, domain, code, base, ratio, defined, level)


def _group_matrix(
    sample: StratifiedSample, cells: Cells, group: Indices, pairs: int, factor: Floats
) -> sparse.csr_array:
    """Matrix (pairs, n) that adds weighted values of the sample by pair, each unit times `factor` (n,)."""
    amount = (sample.weight * factor)[cells.order]
    return sparse.coo_array((amount, (group, cells.order)), shape=(pairs, sample.n)).tocsr()
