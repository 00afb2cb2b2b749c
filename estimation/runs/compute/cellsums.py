"""Sums over cells of units that no estimate distinguishes, and variances from these sums. Pure numpy.

Units of one stratum with the same classification belong to the same domains and have the same weight, so every
linearised variable of a run is, inside such a cell, a combination of items with constant coefficients. Means
and centred second moments per cell therefore suffice for all totals, means, ratios and growth rates: a
national year shrinks from 42,505 rows to a few thousand before the first domain is computed. The formulas
are those of ``estimation.methods``; tests compare the two.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from estimation.methods.arrays import Floats, Ints
from estimation.methods.sample import StratifiedSample
from estimation.runs.compute.arrays import Domain, Year

# A centred moment below this share of its parts is a rounding error.
_ROUNDING = 1e-12


def indicator(code: Ints, size: int) -> sparse.csr_array:
    """The 0/1 matrix (size, m) that sums m rows by code; a row with code -1 is omitted."""
    inside = np.flatnonzero(code >= 0)
    order = inside[np.argsort(code[inside], kind="stable")]
    bounds = np.searchsorted(code[order], np.arange(size + 1))
    return sparse.csr_array((np.ones(len(order)), order, bounds), shape=(size, len(code)))


@dataclass(frozen=True)
class Cells:
    """Units grouped by stratum and classification.

    of_unit : (n,) cell of each unit; count, weight, stratum : (C,); first : (C,) one unit of each cell, from
    which its codes are read
    """

    sample: StratifiedSample
    of_unit: Ints
    count: Floats
    stratum: Ints
    weight: Floats
    first: Ints

    @property
    def size(self) -> int:
        """Number of cells C."""
        return len(self.first)

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """The indicator matrix (C, n)."""
        return indicator(self.of_unit, self.size)

    def sums(self, values: Floats) -> Floats:
        """Sums (C, k) of values (n, k)."""
        return np.asarray(self.matrix @ values)

    def moments(self, values: Floats) -> "Moments":
        """Means and centred squares of values (n, k)."""
        mean, centred = self._centred(values)
        centred *= centred
        return Moments(mean, self.sums(centred))

    def joint_moments(self, values: Floats, other: Floats) -> tuple["Moments", "Moments", Floats]:
        """Moments of two matrices (n, k) and their centred products (C, k)."""
        (mean, centred), (other_mean, other_centred) = self._centred(values), self._centred(other)
        cross = self.sums(centred * other_centred)
        centred *= centred
        other_centred *= other_centred
        return Moments(mean, self.sums(centred)), Moments(other_mean, self.sums(other_centred)), cross

    def _centred(self, values: Floats) -> tuple[Floats, Floats]:
        mean = self.sums(values) / self.count[:, None]
        return mean, values - np.take(mean, self.of_unit, axis=0)

    def largest(self, values: Floats) -> Floats:
        """Largest absolute weighted value (C, k)."""
        start = self.matrix.indptr[:-1]
        return np.maximum.reduceat(np.abs(values[self.matrix.indices]), start, axis=0) * self.weight[:, None]


@dataclass(frozen=True)
class Moments:
    """Per cell: mean (C, k) and sum of squares about it (C, k)."""

    mean: Floats
    square: Floats


def build_cells(year: Year, sample: StratifiedSample) -> Cells:
    """Group the units of a year. Raises ValueError when weights differ inside a stratum."""
    parts = (year.category, year.region + 1, year.section + 1, year.size + 1, year.head, year.pilot)
    sizes = (16, 40, 20, 4, 2, 2)
    key = sample.stratum.astype(np.int64)
    for part, size in zip(parts, sizes, strict=True):
        key = key * size + part.astype(np.int64)
    _, first, of_unit, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    weight = sample.weight[first]
    if (weight[of_unit] != sample.weight).any():
        raise ValueError("the weights differ inside a stratum")
    return Cells(sample, of_unit, count.astype(np.float64), sample.stratum[first], weight, first)


@dataclass(frozen=True)
class Grouping:
    """The cells of one classification: the domain of each, and the stratum x domain groups.

    rows : (m,) cells inside; domain, group : (m,) of these; group_stratum, group_domain : (G,)
    """

    cells: Cells
    size: int
    rows: Ints
    domain: Ints
    group: Ints
    group_stratum: Ints
    group_domain: Ints

    @cached_property
    def _all(self) -> sparse.csr_array:
        code = np.full(self.cells.size, -1)
        code[self.rows] = self.domain
        return indicator(code, self.size)

    @cached_property
    def _rows(self) -> sparse.csr_array:
        return indicator(self.domain, self.size)

    @cached_property
    def _groups(self) -> sparse.csr_array:
        return indicator(self.group, len(self.group_stratum))

    @cached_property
    def _domains(self) -> sparse.csr_array:
        return indicator(self.group_domain, self.size)

    def over(self, values: Floats) -> Floats:
        """Sums (D, k) over the cells of each domain of values (C, k)."""
        return np.asarray(self._all @ values)

    def highest(self, values: Floats) -> Floats:
        """Largest value (D, k) over the cells of each domain of values (C, k) that are not negative."""
        result = np.zeros((self.size, values.shape[1]))
        nonempty = np.diff(self._all.indptr) > 0
        if nonempty.any():
            start = self._all.indptr[:-1][nonempty]
            result[nonempty] = np.maximum.reduceat(values[self._all.indices], start, axis=0)
        return result

    def variance(self, mean: Floats, square: Floats, answered: Floats | None = None) -> tuple[Floats, Floats]:
        """Variance and design effect (D, k) of the total of a linearised variable.

        mean, square : (m, k) per row, of the unweighted variable u; squares centred on the cell
        answered : (C, k) answering units of each cell whose other units are zeros; None when all answered
        """
        cells = self.cells
        count, weight = cells.count[self.rows, None], cells.weight[self.rows, None]
        z_mean = mean * weight
        total = np.asarray(self._groups @ (z_mean * count))
        size = np.asarray(self._groups @ count)
        group_mean = total / size
        z_mean -= group_mean[self.group]
        inner = np.asarray(self._groups @ (square * weight**2 + count * z_mean**2))
        sample = cells.sample
        n_h = sample.sample_size[self.group_stratum][:, None]
        inner += size * (1.0 - size / n_h) * group_mean**2
        result = np.asarray(self._domains @ (sample.factor[self.group_stratum][:, None] * inner))
        result = self._lonely(result, total)
        if answered is not None:
            answered = answered[self.rows]
        return result, self._design_effect(result, mean, square, count, weight, answered)

    def _lonely(self, variance: Floats, total: Floats) -> Floats:
        """Variance of strata with one answering unit, by the policy of the sample."""
        sample = self.cells.sample
        alone = int(sample.alone.sum())
        if alone == 0 or sample.lonely == "certainty":
            return variance
        if sample.lonely == "average":
            others = sample.strata - alone
            return variance * (sample.strata / others) if others else np.full_like(variance, np.nan)
        scale = np.where(sample.alone, 1.0 - sample.fraction, 0.0)
        grand = np.asarray(self._domains @ total) / sample.n
        rows = np.flatnonzero(sample.alone[self.group_stratum])
        domain = self.group_domain[rows]
        group_scale = scale[self.group_stratum[rows]][:, None]
        inside = by_code(group_scale * (total[rows] - grand[domain]) ** 2, domain, self.size)
        present = by_code(group_scale, domain, self.size)
        result: Floats = variance + inside + np.maximum(scale.sum() - present, 0.0) * grand**2
        return result

    def _design_effect(
        self,
        variance: Floats,
        mean: Floats,
        square: Floats,
        count: Floats,
        weight: Floats,
        answered: Floats | None,
    ) -> Floats:
        # The simple random sample of the comparison has the units that answered. Zeros of the others change neither
        # the sum of squares nor the mean of a quotient's residuals, which is 0.
        counting = count if answered is None else answered
        n = np.asarray(self._rows @ counting)
        size = np.asarray(self._rows @ (counting * weight))
        with np.errstate(divide="ignore", invalid="ignore"):
            centre = np.asarray(self._rows @ (mean * (count * weight))) / size
            away = mean - centre[self.domain]
            spread = np.asarray(self._rows @ (weight * square + (count * weight) * away**2))
            reference = size * (1.0 - n / size) * spread / (n - 1.0)
            return np.where(reference > 0.0, variance / reference, np.nan)


def group(cells: Cells, domain: Domain) -> Grouping:
    """The cells inside a classification."""
    code = domain.codes[cells.first]
    rows = np.flatnonzero(code >= 0)
    size = len(domain.labels)
    pairs, inverse = np.unique(cells.stratum[rows] * size + code[rows], return_inverse=True)
    stratum, of_group = np.divmod(pairs, size)
    return Grouping(cells, size, rows, code[rows], inverse, stratum, of_group)


def combined(a: Floats, b: Floats, yy: Floats, xx: Floats, xy: Floats) -> Floats:
    """Centred square of a y + b x; rounding errors become 0."""
    first, last = a * a * yy, b * b * xx
    square = first + last + 2.0 * a * b * xy
    return np.where(square > _ROUNDING * (first + last), square, 0.0)


def by_code(values: Floats, code: Ints, size: int) -> Floats:
    """Sums (size, k) of values (m, k) by code (m,)."""
    return np.asarray(indicator(code, size) @ values)


def by_pair(values: Floats, first: Ints, second: Ints, shape: tuple[int, int]) -> Floats:
    """Sums (A, B, k) of values (m, k) by two codes."""
    flat = by_code(values, first * shape[1] + second, shape[0] * shape[1])
    return flat.reshape(*shape, values.shape[1])
