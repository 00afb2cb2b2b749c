"""Ratios of totals, multiples of means, and smooth functions of totals, all by linearisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Complexes, Floats, Indices
from estimation.methods.cells import Block, Cells, build_cells, domain_codes
from estimation.methods.estimators.variance import Rows, design_effect, moments, stratified_variance, weighted
from estimation.methods.results import Estimates, IntervalBasis, make_estimates
from estimation.methods.sample import StratifiedSample, as_mask, as_matrix


def ratio(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    x: npt.ArrayLike,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    form: Literal["combined", "separate"] = "combined",
    x_population: npt.ArrayLike | None = None,
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """Ratio of two totals per domain and item.

    Parameters
    ----------
    y : (n,) or (n, k) float
    x : (n,) or (n, k) float; one column serves every column of y
    domain, domains, level, df : as `totals.total`
    form : "combined" is Y_d / X_d; "separate" is sum_h (X_h / X) (Y_h / X_h estimated inside stratum h)
    x_population : known stratum totals of x for "separate": (H,), with domains (H,) if no stratum crosses a
        domain border, else (D, H); with several x columns one more axis k at the end

    Returns
    -------
    Estimates (D, k); NaN where the denominator is zero.

    Raises
    ------
    ValueError : as `total`; "separate" without `x_population`, since estimated stratum totals give back the
        combined ratio; a stratum with known x but no x in the sample.

    Notes
    -----
    Combined: u = 1_d (y - R x) / X_d. Separate: u = (X_h / X) (y - R_h x) / X_h estimated. Variance of the
    total of u.

    References
    ----------
    Cochran (1977), sections 6.10 to 6.12; Särndal, Swensson and Wretman (1992), section 5.6.
    """
    codes, size = domain_codes(domain, sample.n, domains)
    base = None if codes is None else codes >= 0
    numerator = as_matrix(y, "y", sample.n, base=base)
    denominator = _same_columns(as_matrix(x, "x", sample.n, base=base), numerator.shape[1])
    cells = build_cells(sample, codes, size)
    if form == "combined":
        return _combined(sample, cells, numerator, denominator, level, df)
    if form != "separate":
        raise ValueError(f"form must be 'combined' or 'separate', not {form!r}")
    if x_population is None:
        raise ValueError("form='separate' needs x_population, the known totals of x per stratum")
    x_totals = known_per_cell(
        x_population,
        "x_population",
        domain=cells.domain,
        domains=size,
        row=cells.stratum,
        rows=sample.strata,
        columns=denominator.shape[1],
        kind="stratum",
    )
    return _separate(sample, cells, numerator, denominator, x_totals, level, df)


def mean_multiple(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """How many times the mean of one group is the mean of another (groups may overlap).

    Parameters
    ----------
    y : (n,) or (n, k) float
    numerator, denominator : (n,) booleans, the two groups
    domain, domains, level, df : as `totals.total`

    Returns
    -------
    Estimates (D, k) of (Y_a / N_a) / (Y_b / N_b); `n` counts the units of the domain.

    Notes
    -----
    With M = m_a / m_b: u = [ a (y - m_a) / N_a - M b (y - m_b) / N_b ] / m_b, a and b being the indicators.
    """
    codes, size = domain_codes(domain, sample.n, domains)
    matrix = as_matrix(y, "y", sample.n, base=None if codes is None else codes >= 0)
    groups = [
        as_mask(m, name, sample.n) for m, name in ((numerator, "numerator"), (denominator, "denominator"))
    ]
    cells = build_cells(sample, codes, size)
    rows = unit_domain(cells)
    z = weighted(sample, cells, matrix)
    weight = sample.weight[cells.order, None]
    positive = cells.over_domains(cells.sums((z > 0).astype(np.float64))).astype(np.intp)
    parts = []
    for group in groups:
        inside = group[cells.order, None]
        units = cells.over_domains(cells.sums(weight * inside))
        units = np.where(units == 0.0, np.nan, units)
        level_of_group = cells.over_domains(cells.sums(z * inside)) / units
        # Influence of each unit on the mean of the group, weights included.
        parts.append((level_of_group, inside * (z - level_of_group[rows] * weight) / units[rows]))
    (mean_a, u_a), (mean_b, u_b) = parts
    base_level = np.where(mean_b == 0.0, np.nan, mean_b)
    value = mean_a / base_level
    residual = (u_a - value[rows] * u_b) / base_level[rows]
    return linearised(sample, cells, value, residual, positive, level, df)


def contrast(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    function: Callable[[Any], npt.ArrayLike],
    *,
    gradient: Callable[[Floats], npt.ArrayLike] | None = None,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """A smooth function of the totals of k items, per domain.

    Parameters
    ----------
    y : (n,) or (n, k) float
    function : totals (k,) -> scalar or (m,). Without `gradient` it is called with complex arguments and
        must be analytic: arithmetic and NumPy functions such as log, exp, sqrt; not abs, max or comparisons
    gradient : totals (k,) -> (k,) or (m, k)
    domain, domains, level, df : as `totals.total`

    Returns
    -------
    Estimates (D, m).

    Raises
    ------
    ValueError : as `total`; a function that gives real numbers for complex ones, as abs does, so that its
        derivative would silently be zero; a gradient of the wrong shape.

    Notes
    -----
    u = sum_j (df / dY_j) y_j. The complex step Im f(Y + i h e_j) / h has no cancellation, so h is tiny and
    the derivative exact to rounding (Squire and Trapp 1998).
    """
    codes, size = domain_codes(domain, sample.n, domains)
    matrix = as_matrix(y, "y", sample.n, base=None if codes is None else codes >= 0)
    cells = build_cells(sample, codes, size)
    z = weighted(sample, cells, matrix)
    totals = cells.over_domains(cells.sums(z))
    rows = [_value_and_gradient(function, gradient, row) for row in totals]
    value = np.stack([v for v, _ in rows])
    slopes = np.stack([g for _, g in rows])
    residual = np.einsum("ij,imj->im", z, slopes[unit_domain(cells)])
    positive = np.repeat(
        cells.over_domains(cells.sums((z > 0).any(axis=1, keepdims=True).astype(np.float64))),
        value.shape[1],
        axis=1,
    )
    return linearised(sample, cells, value, residual, positive.astype(np.intp), level, df)


def _value_and_gradient(
    function: Callable[[Any], npt.ArrayLike],
    gradient: Callable[[Floats], npt.ArrayLike] | None,
    totals: Floats,
) -> tuple[Floats, Floats]:
    """Value (m,) and gradient (m, k) at the totals (k,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if gradient is None:
            return _complex_step(function, totals)
        value = np.atleast_1d(np.asarray(function(totals), dtype=np.float64))
        slope = np.asarray(gradient(totals), dtype=np.float64)
    if slope.size != len(value) * len(totals):
        raise ValueError(f"gradient has shape {slope.shape} where ({len(value)}, {len(totals)}) is needed")
    return value, slope.reshape(len(value), len(totals))


def _complex_step(function: Callable[[Complexes], npt.ArrayLike], totals: Floats) -> tuple[Floats, Floats]:
    at = totals.astype(np.complex128)
    given = np.atleast_1d(np.asarray(function(at)))
    if not np.iscomplexobj(given):
        raise ValueError(
            "function gives real numbers for complex ones, so it has no complex step: give gradient"
        )
    slopes = np.empty((len(given), len(totals)))
    for j, amount in enumerate(totals):
        step = max(abs(amount), 1.0) * 1e-100
        shifted = at.copy()
        shifted[j] += 1j * step
        slopes[:, j] = np.atleast_1d(np.asarray(function(shifted))).imag / step
    return given.real.astype(np.float64), slopes


def _combined(
    sample: StratifiedSample,
    cells: Cells,
    y: Floats,
    x: Floats,
    level: float,
    df: IntervalBasis,
) -> Estimates:
    amount = cells.over_domains(cells.gathered_sums(y, sample.weight))
    size = cells.over_domains(cells.gathered_sums(x, sample.weight))
    size = np.where(size == 0.0, np.nan, size)
    value = amount / size
    residual = residual_rows(sample, cells, y, x, value, size)
    return linearised(sample, cells, value, residual, cells.counts(y > 0), level, df)


def residual_rows(
    sample: StratifiedSample, cells: Cells, y: Floats, x: Floats, value: Floats, size: Floats
) -> Rows:
    """w (y - R x) / X block by block; value R (D, k), size X (D, 1) or (D, k)."""
    ratio_of_cell, size_of_cell = value[cells.domain], size[cells.domain]

    def rows(block: Block) -> Floats:
        units = cells.order[block.units]
        weight = sample.weight[units, None]
        z = np.take(y, units, axis=0)
        z *= weight
        denominator = np.take(x, units, axis=0)
        denominator *= weight
        z -= block.per_unit(ratio_of_cell) * denominator
        z /= block.per_unit(size_of_cell)
        return z

    return rows


def _separate(
    sample: StratifiedSample,
    cells: Cells,
    y: Floats,
    x: Floats,
    x_totals: Floats,
    level: float,
    df: IntervalBasis,
) -> Estimates:
    """`known` is (C, k): the population total of x in each cell."""
    z = weighted(sample, cells, y)
    denominators = weighted(sample, cells, x)
    positive = cells.over_domains(cells.sums((z > 0).astype(np.float64))).astype(np.intp)
    amount = cells.sums(z)
    size = np.broadcast_to(cells.sums(denominators), amount.shape)
    empty = (size == 0) & (x_totals != 0)
    if empty.any():
        cell = int(np.argwhere(empty)[0][0])
        raise ValueError(f"stratum {int(cells.stratum[cell])} has a known total of x but no x in the sample")
    used = np.where(size == 0, 1.0, size)
    cell_ratio = amount / used
    domain_total = cells.over_domains(x_totals)
    share = x_totals / np.where(domain_total == 0.0, np.nan, domain_total)[cells.domain]
    value = cells.over_domains(share * cell_ratio)
    value[cells.units_per_domain == 0] = np.nan
    residual = (z - cells.per_unit(cell_ratio) * denominators) * cells.per_unit(share / used)
    return linearised(sample, cells, value, residual, positive, level, df)


def linearised(
    sample: StratifiedSample,
    cells: Cells,
    value: Floats,
    residual: Floats | Rows,
    positive: Indices,
    level: float,
    df: IntervalBasis,
) -> Estimates:
    """Estimates from values (D, k) and weighted residuals, (m, k) in sorted order or block by block."""
    parts = moments(sample, cells, residual, columns=value.shape[1])
    variance = stratified_variance(sample, cells, parts)
    deff = design_effect(cells, parts, variance)
    variance = np.where(np.isnan(value), np.nan, variance)
    weight = cells.over_domains(parts.weight[:, None])[:, 0]
    return make_estimates(
        value, variance, deff, cells, positive=positive, weight=weight, level=level, basis=df
    )


def unit_domain(cells: Cells) -> Indices:
    return np.repeat(cells.domain, cells.count)


def _same_columns(x: Floats, columns: int) -> Floats:
    if x.shape[1] not in (1, columns):
        raise ValueError(f"x has {x.shape[1]} columns where 1 or {columns} are needed")
    return x


def known_per_cell(
    totals: npt.ArrayLike,
    name: str,
    *,
    domain: Indices,
    domains: int,
    row: Indices,
    rows: int,
    columns: int,
    kind: str,
) -> Floats:
    """Spread known totals (rows,), (rows, k), (D, rows) or (D, rows, k) over cells, (C, k).

    `domain` and `row` are the codes (C,) of the cells. A vector over rows is unambiguous only if every row
    (stratum or class) lies in one domain; a row that is split raises with its index.
    """
    array = np.asarray(totals, dtype=np.float64)
    if not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name} must be finite: index {index} holds {array[index]}")
    if array.ndim in (2, 3) and array.shape[:2] == (domains, rows) and domains > 1:
        chosen = array[domain, row].reshape(len(row), -1)
    elif array.ndim in (1, 2) and len(array) == rows:
        split = np.flatnonzero(np.bincount(row, minlength=rows) > 1)
        if len(split):
            raise ValueError(f"{kind} {int(split[0])} lies in several domains: give {name} as (D, {rows})")
        chosen = array[row].reshape(len(row), -1)
    else:
        raise ValueError(f"{name} of shape {array.shape} fits neither ({rows},) nor ({domains}, {rows})")
    if chosen.shape[1] not in (1, columns):
        raise ValueError(f"{name} has {chosen.shape[1]} columns where 1 or {columns} are needed")
    return chosen
