"""Stratum x domain cells: the sums over which every estimate and variance is built.

A cell holds the sampled units of one stratum that lie in one domain. Units are sorted by cell once; sums are
products with a 0/1 matrix in compressed rows, so that no Python loop runs over strata or domains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.sample import StratifiedSample, as_codes

# Numbers worked on at once: a few such blocks stay in the cache of a processor core.
_BLOCK = 1 << 16
# A counting sort pays while there are not many more possible keys than units.
_SPARSE = 16


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive cells with their units in sorted order: `units` and `cells` are slices of the whole."""

    units: slice
    cells: slice
    count: Indices
    matrix: sparse.csr_array

    def sums(self, values: Floats) -> Floats:
        """Sums (C', k) of values (m', k) of the block's units."""
        return np.asarray(self.matrix @ values)

    def per_unit(self, values: Floats) -> Floats:
        """Values (C, k) of all cells repeated for each unit of the block, (m', k)."""
        return np.repeat(values[self.cells], self.count, axis=0)


@dataclass(frozen=True, eq=False)
class Cells:
    """Units of a sample grouped by (stratum, domain); cells without units do not exist.

    order : (m,) units inside a domain, sorted by cell; offsets : (C + 1,); stratum, domain : (C,).
    """

    order: Indices
    offsets: Indices
    stratum: Indices
    domain: Indices
    domains: int

    @cached_property
    def count(self) -> Indices:
        """Units per cell, (C,)."""
        return np.diff(self.offsets)

    def blocks(self, columns: int) -> Iterator[Block]:
        """The cells in runs of about as many units as make a block of `columns` columns."""
        width = max(_BLOCK // max(columns, 1), 1)
        targets = np.arange(width, len(self.order) + width, width)
        ends = np.unique(np.searchsorted(self.offsets, targets, side="left").clip(0, len(self.stratum)))
        start = 0
        for end in ends:
            first, last = int(self.offsets[start]), int(self.offsets[end])
            if last > first:
                local = self.offsets[start : end + 1] - first
                matrix = sparse.csr_array(
                    (np.ones(last - first), np.arange(last - first), local), shape=(end - start, last - first)
                )
                yield Block(slice(first, last), slice(start, int(end)), self.count[start:end], matrix)
            start = int(end)

    def gathered_sums(self, values: Floats, weight: Floats) -> Floats:
        """Weighted sums (C, k) of values (n, k) that are in the order of the sample, weight (n,)."""
        matrix = sparse.csr_array(
            (weight[self.order], self.order, self.offsets), shape=(len(self.stratum), len(values))
        )
        return np.asarray(matrix @ values)

    def counts(self, holds: Bools) -> Indices:
        """Units (D, k) for which something holds, (n, k) in the order of the sample."""
        counts = np.zeros((len(self.stratum), holds.shape[1]))
        for block in self.blocks(holds.shape[1]):
            counts[block.cells] = block.sums(holds[self.order[block.units]].astype(np.float64))
        return self.over_domains(counts).astype(np.intp)

    def per_unit(self, values: Floats) -> Floats:
        """Cell values (C, k) repeated for each unit in sorted order, (m, k)."""
        return np.repeat(values, self.count, axis=0)

    def sums(self, values: Floats) -> Floats:
        """Sums (C, k) of values (m, k) that are in sorted order."""
        return segment_sums(values, self.offsets)

    def over_domains(self, values: Floats) -> Floats:
        """Sums (D, k) of cell values (C, k)."""
        return grouped_sums(values, self.domain, self.domains)

    @cached_property
    def units_per_domain(self) -> Indices:
        """Sampled units per domain, (D,)."""
        return np.bincount(self.domain, weights=self.count, minlength=self.domains).astype(np.intp)

    @cached_property
    def strata_per_domain(self) -> Indices:
        """Strata with at least one unit in the domain, (D,)."""
        return np.bincount(self.domain, minlength=self.domains)


def segment_sums(values: Floats, offsets: Indices) -> Floats:
    """Sums of consecutive rows: values (m, k), offsets (C + 1,) -> (C, k)."""
    rows = len(values)
    matrix = sparse.csr_array((np.ones(rows), np.arange(rows), offsets), shape=(len(offsets) - 1, rows))
    return np.asarray(matrix @ values)


def grouped_sums(values: Floats, group: Indices, groups: int) -> Floats:
    """Sums by group code: values (m, k), group (m,) in 0..groups-1 -> (groups, k)."""
    rows = len(values)
    matrix = sparse.csc_array((np.ones(rows), group, np.arange(rows + 1)), shape=(groups, rows))
    return np.asarray(matrix @ values)


def build_cells(sample: StratifiedSample, domain: Indices | None, domains: int) -> Cells:
    """Group the units of `sample` by stratum and domain; code -1 is in no domain."""
    if domain is None:
        order, keys, starts = _grouped(sample.stratum, sample.strata)
    else:
        inside = np.flatnonzero(domain >= 0)
        order, keys, starts = _grouped(
            sample.stratum[inside] * domains + domain[inside], sample.strata * domains
        )
        order = inside[order]
    stratum, code = np.divmod(keys, domains)
    return Cells(order, np.append(starts, len(order)), stratum, code, domains)


def _grouped(key: Indices, size: int) -> tuple[Indices, Indices, Indices]:
    """Stable order (m,) of keys 0..size-1, the keys that occur (C,), and where each begins in the order (C,)."""
    if size > _SPARSE * (len(key) + 1024):
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        return order, ordered[starts], starts
    # Transposing a 0/1 matrix in compressed rows is a counting sort: linear in the units, and ten times as fast.
    ones = np.ones(len(key), dtype=np.int8)
    turned = sparse.csr_array((ones, key, np.arange(len(key) + 1)), shape=(len(key), size)).tocsc()
    keys = np.flatnonzero(np.diff(turned.indptr))
    return turned.indices.astype(np.intp), keys, turned.indptr[keys].astype(np.intp)


def domain_codes(
    domain: npt.ArrayLike | None, length: int, domains: int | None = None
) -> tuple[Indices | None, int]:
    """Checked domain codes (-1 = outside every domain) and the number of domains D."""
    if domain is None:
        if domains not in (None, 1):
            raise ValueError("domains is given without domain codes")
        return None, 1
    array = np.asarray(domain)
    size = int(array.max(initial=0)) + 1 if array.dtype.kind in "iub" else 1
    if domains is not None:
        size = domains
    return as_codes(array, "domain", size=size, length=length, lowest=-1), size
