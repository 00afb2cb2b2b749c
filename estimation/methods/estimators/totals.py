"""Expansion totals, means and proportions, by domain and for many breakdowns in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Indices
from estimation.methods.cells import Cells, build_cells, domain_codes
from estimation.methods.estimators.ratios import ratio
from estimation.methods.estimators.variance import (
    Moments,
    design_effect,
    merge,
    moments,
    stratified_variance,
    weighted_rows,
)
from estimation.methods.results import Estimates, IntervalBasis, make_estimates
from estimation.methods.sample import StratifiedSample, as_matrix

# Merged cells hold counts and sums only; their units are not read.
_NO_UNITS: Indices = np.empty(0, dtype=np.intp)


def total(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """Estimated totals per domain and item.

    Parameters
    ----------
    y : (n,) or (n, k) float; may be NaN only where `domain` is -1
    domain : (n,) integer codes 0..D-1, or -1 for a unit outside every domain; None is the whole sample
    domains : D, when domains at the end of the code list may be empty
    level, df : interval level and basis, "normal" or "design" (Student t)

    Returns
    -------
    Estimates with arrays (D, k); an empty domain has value 0, se 0 and n 0.

    Raises
    ------
    ValueError : NaN in a domain, wrong shape or code, with the offending index.

    Notes
    -----
    Y_d = sum w y 1_d; variance as in `variance.stratified_variance`.

    References
    ----------
    Cochran (1977), sections 5.3 and 5A.12; Särndal, Swensson and Wretman (1992), section 10.3.
    """
    codes, size = domain_codes(domain, sample.n, domains)
    matrix = as_matrix(y, "y", sample.n, base=None if codes is None else codes >= 0)
    cells = build_cells(sample, codes, size)
    rows = weighted_rows(sample, cells, matrix)
    parts = moments(sample, cells, rows, columns=matrix.shape[1], count_positive=True)
    return _estimates(sample, cells, parts, level, df)


def mean(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """Estimated means per domain and item: the total over the estimated domain size, linearised.

    Parameters, Raises : as `total`. An empty domain has value NaN.
    """
    return ratio(sample, y, np.ones(sample.n), domain=domain, domains=domains, level=level, df=df)


def proportion(
    sample: StratifiedSample,
    holds: npt.ArrayLike,
    *,
    domain: npt.ArrayLike | None = None,
    domains: int | None = None,
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> Estimates:
    """Estimated share of units for which `holds` is true, (n,) or (n, k) of booleans or 0 and 1.

    Raises ValueError with the offending index for a value other than 0 and 1.
    """
    array = np.asarray(holds)
    outside = None if domain is None else np.asarray(domain) < 0
    wrong = (array != 0) & (array != 1)
    if outside is not None and len(outside) == len(array):
        wrong &= ~outside.reshape((-1,) + (1,) * (array.ndim - 1))
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"holds must be 0 or 1: index {index if len(index) > 1 else index[0]} holds {array[index]}"
        )
    return mean(sample, array, domain=domain, domains=domains, level=level, df=df)


def crosstotals(
    sample: StratifiedSample,
    y: npt.ArrayLike,
    *,
    domains: Mapping[str, npt.ArrayLike],
    cross: Sequence[Sequence[str]] = (),
    sizes: Mapping[str, int] | None = None,
    level: float = 0.95,
    df: IntervalBasis = "normal",
) -> dict[str | tuple[str, ...], Estimates]:
    """Totals for the whole sample, every classification and the wanted crossings, in one pass over the
    data.

    Parameters
    ----------
    y : (n,) or (n, k) float without NaN
    domains : name -> (n,) integer codes, -1 outside
    cross : tuples of names to cross
    sizes : name -> number of codes, when the last ones may be empty

    Returns
    -------
    Key "all" for the whole, the name for a classification, the tuple of names for a crossing. Rows of a
    crossing are in row-major order: code = first * size of second + second.

    Notes
    -----
    Units are grouped once by stratum and by the classifications that cut through strata; coarser cells are
    merged from these, and classifications that are constant inside strata only relabel them.
    """
    for names in cross:
        missing = [name for name in names if name not in domains]
        if missing:
            raise ValueError(f"cross names a classification that is not in domains: {missing[0]!r}")
    matrix = as_matrix(y, "y", sample.n)
    plan = _Plan(sample, {name: _codes(c, sample.n, (sizes or {}).get(name)) for name, c in domains.items()})
    fine = plan.finest()
    rows = weighted_rows(sample, fine, matrix)
    parts = moments(sample, fine, rows, columns=matrix.shape[1], count_positive=True)
    by_stratum = _merged(fine, parts, np.zeros(len(fine.stratum), dtype=np.intp), 1)
    requested: list[tuple[str | tuple[str, ...], tuple[str, ...]]] = [("all", ())]
    requested += [(name, (name,)) for name in domains]
    requested += [(tuple(names), tuple(names)) for names in cross]
    results: dict[str | tuple[str, ...], Estimates] = {}
    for key, names in requested:
        nested = all(plan.nested[name] for name in names)
        source, values = by_stratum if nested else (fine, parts)
        code, size = plan.codes(names, by_stratum[0] if nested else fine)
        results[key] = _estimates(sample, *_merged(source, values, code, size), level, df)
    return results


class _Plan:
    """Which classifications are constant inside strata, and the codes of cells in each crossing."""

    def __init__(self, sample: StratifiedSample, classifications: Mapping[str, tuple[Indices, int]]) -> None:
        self.sample = sample
        self.classifications = classifications
        self.by_stratum: dict[str, Indices] = {}
        self.nested: dict[str, bool] = {}
        for name, (code, _) in classifications.items():
            label = np.empty(sample.strata, dtype=np.intp)
            label[sample.stratum] = code
            self.by_stratum[name] = label
            self.nested[name] = bool(np.array_equal(label[sample.stratum], code))

    def finest(self) -> Cells:
        """Cells of stratum x the classifications that cut through strata."""
        combined = np.zeros(self.sample.n, dtype=np.intp)
        size = 1
        for name, (code, count) in self.classifications.items():
            if self.nested[name]:
                continue
            if size * (count + 1) * self.sample.strata > np.iinfo(np.intp).max:
                combined = np.unique(combined, return_inverse=True)[1]
                size = int(combined.max(initial=0)) + 1
            combined = combined * (count + 1) + (code + 1)
            size *= count + 1
        return build_cells(self.sample, combined, size)

    def codes(self, names: tuple[str, ...], cells: Cells) -> tuple[Indices, int]:
        """Crossed code of each cell in row-major order, -1 outside, and the number of codes."""
        crossed = np.zeros(len(cells.stratum), dtype=np.intp)
        outside = np.zeros(len(cells.stratum), dtype=np.bool_)
        size = 1
        for name in names:
            code, count = self.classifications[name]
            label = (
                self.by_stratum[name][cells.stratum]
                if self.nested[name]
                else code[cells.order[cells.offsets[:-1]]]
            )
            crossed = crossed * count + label
            outside |= label < 0
            size *= count
        return np.where(outside, -1, crossed), size


def _codes(codes: npt.ArrayLike, n: int, size: int | None) -> tuple[Indices, int]:
    checked, count = domain_codes(np.asarray(codes), n, size)
    return (np.zeros(n, dtype=np.intp) if checked is None else checked), count


def _merged(fine: Cells, parts: Moments, domain: Indices, size: int) -> tuple[Cells, Moments]:
    """Cells of stratum x `domain` (C,), -1 outside, merged from finer ones."""
    rows = np.flatnonzero(domain >= 0)
    chosen = parts if len(rows) == len(domain) else _rows(parts, rows)
    unique, group = np.unique(fine.stratum[rows] * size + domain[rows], return_inverse=True)
    stratum, code = np.divmod(unique, size)
    if len(unique) == len(rows) and np.array_equal(group, np.arange(len(rows))):
        offsets = np.concatenate([[0], np.cumsum(fine.count[rows])])
        return Cells(_NO_UNITS, offsets, stratum, code, size), chosen
    count = np.bincount(group, weights=fine.count[rows], minlength=len(unique)).astype(np.intp)
    coarse = Cells(_NO_UNITS, np.concatenate([[0], np.cumsum(count)]), stratum, code, size)
    source = Cells(_NO_UNITS, np.concatenate([[0], np.cumsum(fine.count[rows])]), stratum, code, size)
    return coarse, merge(source, chosen, group, coarse)


def _rows(parts: Moments, rows: Indices) -> Moments:
    return Moments(
        parts.total[rows],
        parts.square[rows],
        parts.weight[rows],
        None if parts.spread is None else parts.spread[rows],
        None if parts.positive is None else parts.positive[rows],
    )


def _estimates(
    sample: StratifiedSample, cells: Cells, parts: Moments, level: float, df: IntervalBasis
) -> Estimates:
    variance = stratified_variance(sample, cells, parts)
    assert parts.positive is not None  # noqa: S101 callers in this file ask for the counts
    return make_estimates(
        cells.over_domains(parts.total),
        variance,
        design_effect(cells, parts, variance),
        cells,
        positive=cells.over_domains(parts.positive.astype(np.float64)).astype(np.intp),
        weight=cells.over_domains(parts.weight[:, None])[:, 0],
        level=level,
        basis=df,
    )
