"""Stratified variance with finite-population correction, lonely strata and the design effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Floats, Indices
from estimation.methods.cells import Block, Cells, grouped_sums
from estimation.methods.sample import StratifiedSample

# A standard deviation below this share of the mean is rounding.
_EQUAL = 64.0 * float(np.finfo(np.float64).eps)

# Weighted values (m', k) of the units of a block, in an array of their own that may be overwritten.
type Rows = Callable[[Block], Floats]


@dataclass(frozen=True, eq=False)
class Moments:
    """First two moments per cell of a linearised variable u, with z = w u.

    total, square : (C, k) sum of z, sum of squares of z about the cell mean
    weight : (C,) sum of weights
    spread : (C, k) sum of w (u - weighted cell mean)^2; None if the weights of a stratum are all equal
    positive : (C, k) units with a positive value, if asked for
    """

    total: Floats
    square: Floats
    weight: Floats
    spread: Floats | None = None
    positive: Indices | None = None


def weighted(sample: StratifiedSample, cells: Cells, values: Floats) -> Floats:
    """z = w u in the sorted order of the cells: values (n, k) -> (m, k)."""
    z = np.take(values, cells.order, axis=0)
    z *= sample.weight[cells.order, None]
    return z


def weighted_rows(sample: StratifiedSample, cells: Cells, values: Floats) -> Rows:
    """`weighted`, block by block: the whole of z never stands in memory."""

    def rows(block: Block) -> Floats:
        units = cells.order[block.units]
        z = np.take(values, units, axis=0)
        z *= sample.weight[units, None]
        return z

    return rows


def moments(
    sample: StratifiedSample,
    cells: Cells,
    z: Floats | Rows,
    *,
    columns: int | None = None,
    count_positive: bool = False,
) -> Moments:
    """Moments per cell of weighted values `z`: (m, k) in sorted order, or a function of a block and k.

    Squares are taken about the cell mean, never as a difference of large sums: an exact ratio then has
    variance 0 and values 30 orders of magnitude apart keep their digits.
    """
    matrix = z
    rows: Rows = matrix if callable(matrix) else lambda block: matrix[block.units].copy()
    k = columns if callable(z) else z.shape[1]
    if k is None:
        raise TypeError("columns is needed where z is a function of a block")
    shape = (len(cells.stratum), k)
    total, square = np.zeros(shape), np.zeros(shape)
    spread = None if sample.even else np.zeros(shape)
    positive = np.zeros(shape) if count_positive else None
    weight = cells.gathered_sums(np.ones((sample.n, 1)), sample.weight)
    for block in cells.blocks(k):
        values, own = rows(block), block.cells
        total[own] = block.sums(values)
        if positive is not None:
            positive[own] = block.sums((values > 0).astype(np.float64))
        if spread is not None:
            w = sample.weight[cells.order[block.units], None]
            mean = np.repeat(total[own] / weight[own], block.count, axis=0)
            spread[own] = block.sums(_spread(values, w, mean))
        values -= np.repeat(total[own] / block.count[:, None], block.count, axis=0)
        values *= values
        square[own] = block.sums(values)
    counts = None if positive is None else positive.astype(np.intp)
    return Moments(total, square, weight[:, 0], spread, counts)


def _spread(z: Floats, weight: Floats, mean: Floats) -> Floats:
    """w (u - mean)^2 for each unit of a block, mean being that of its cell."""
    deviation = z / weight
    deviation -= mean
    deviation *= deviation
    deviation *= weight
    return deviation


def merge(fine: Cells, parts: Moments, group: Indices, coarse: Cells) -> Moments:
    """Moments of coarser cells from finer ones; `group` (C,) names the coarse cell of each fine one."""
    size = len(coarse.stratum)
    total = grouped_sums(parts.total, group, size)
    weight = grouped_sums(parts.weight[:, None], group, size)
    count = fine.count[:, None].astype(np.float64)
    # Chan, Golub and LeVeque: squares about the parts' means plus those of the means about the whole.
    shift = (total / coarse.count[:, None])[group]
    np.subtract(parts.total / count, shift, out=shift)
    shift *= shift
    shift *= count
    shift += parts.square
    square = grouped_sums(shift, group, size)
    spread = None
    if parts.spread is not None:
        part_weight = parts.weight[:, None]
        tilt = parts.total / part_weight - (total / weight)[group]
        spread = grouped_sums(parts.spread + part_weight * tilt**2, group, size)
    positive = None
    if parts.positive is not None:
        positive = grouped_sums(parts.positive.astype(np.float64), group, size).astype(np.intp)
    return Moments(total, square, weight[:, 0], spread, positive)


def stratified_variance(sample: StratifiedSample, cells: Cells, parts: Moments) -> Floats:
    """Variance (D, k) of the estimated totals of z, zeros outside the domain counted.

    Notes
    -----
    V = sum_h (1 - f_h) n_h / (n_h - 1) sum_i (z_hi - mean_h)^2. With n_hd of the n_h units in the domain
    the inner
    sum is the square about the cell mean plus n_hd (1 - n_hd / n_h) mean_hd^2, a sum of non-negative terms.
    """
    n_h = sample.sample_size[cells.stratum]
    count = cells.count
    mean = parts.total / count[:, None]
    outside = (count * (1.0 - count / n_h))[:, None] * mean**2
    variance = cells.over_domains(sample.factor[cells.stratum][:, None] * (parts.square + outside))
    lonely = int(sample.alone.sum())
    if lonely == 0 or sample.lonely == "certainty":
        return variance
    if sample.lonely == "average":
        others = sample.strata - lonely
        return np.asarray(variance * (sample.strata / others if others else np.nan))
    return variance + _centred_on_grand_mean(sample, cells, parts.total)


def _centred_on_grand_mean(sample: StratifiedSample, cells: Cells, total: Floats) -> Floats:
    """Policy `adjust`: (1 - f_h) (z - grand mean)^2 for each lonely unit, z being 0 outside the domain."""
    grand = cells.over_domains(total) / sample.n
    scale = np.where(sample.alone, 1.0 - sample.fraction, 0.0)
    rows = np.flatnonzero(sample.alone[cells.stratum])
    domain = cells.domain[rows]
    factor = scale[cells.stratum[rows]][:, None]
    inside = grouped_sums(factor * (total[rows] - grand[domain]) ** 2, domain, cells.domains)
    present = grouped_sums(factor, domain, cells.domains)
    absent = np.maximum(scale.sum() - present, 0.0)
    return np.asarray(inside + absent * grand**2)


def design_effect(cells: Cells, parts: Moments, variance: Floats) -> Floats:
    """Variance (D, k) over that of a simple random sample without replacement of the same n.

    Notes
    -----
    N is the sum of weights in the domain, n its sampled units; S^2 = n / (n - 1) sum w (u - mean)^2 / N;
    the reference is N^2 (1 - n / N) S^2 / n. NaN where the reference is zero.
    """
    n = cells.units_per_domain[:, None].astype(np.float64)
    weight = parts.weight[:, None]
    size = cells.over_domains(weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = cells.over_domains(parts.total) / size
        tilt = parts.total / weight - mean[cells.domain]
        # One weight w per cell: sum w (u - mean)^2 is the sum of squares of z = w u over w.
        inside = parts.square * (cells.count[:, None] / weight) if parts.spread is None else parts.spread
        spread = cells.over_domains(inside + weight * tilt**2)
        # Values that are all equal have a spread of rounding alone, and nothing to be compared with.
        spread = np.where(spread <= (_EQUAL * mean) ** 2 * size, 0.0, spread)
        reference = size * (1.0 - n / size) * spread / (n - 1.0)
        return np.asarray(np.where(reference > 0.0, variance / reference, np.nan))
