"""Covariance of two years' totals whose samples share units."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Floats, Indices
from estimation.methods.cells import domain_codes, grouped_sums
from estimation.methods.sample import StratifiedSample, as_codes, as_matrix


def overlap_covariance(
    current: StratifiedSample,
    y: npt.ArrayLike,
    previous: StratifiedSample,
    y_previous: npt.ArrayLike,
    *,
    match: npt.ArrayLike,
    domain: npt.ArrayLike | None = None,
    domain_previous: npt.ArrayLike | None = None,
    domains: int | None = None,
) -> Floats:
    """Covariance (D, k) of the two estimated totals, from the units that both samples hold.

    Parameters
    ----------
    current, previous : the two samples; a stratum code means the same stratum in both years
    y, y_previous : (n,) or (n, k), (m,) or (m, k) values of each year
    match : (n,) position of each current unit in the previous sample, -1 if it is not there
    domain, domain_previous : (n,), (m,) domain codes; None is the whole
    domains : D; needed if the two years do not show the same highest code

    Returns
    -------
    (D, k); strata with fewer than two common units add nothing.

    Raises
    ------
    ValueError : a previous unit matched twice, wrong codes or shapes, with the offending index.

    Notes
    -----
    Common units of stratum h in both years: C_h = (c - n_t n_{t-1} / N) s(z_t, z_{t-1}), N the larger
    population: Tam
    (1984). Units that moved from stratum g to h: C_gh = c (1 - max f) s, exact for permanent random
    numbers, where
    the smaller draw lies inside the larger. s is the sample covariance of weighted values over the c
    common units.
    """
    codes, size = domain_codes(domain, current.n, domains)
    old_codes, old_size = domain_codes(domain_previous, previous.n, domains)
    if size != old_size:
        raise ValueError(f"the years show {size} and {old_size} domains: give `domains`")
    now = as_matrix(y, "y", current.n, base=None if codes is None else codes >= 0)
    before = as_matrix(
        y_previous, "y_previous", previous.n, base=None if old_codes is None else old_codes >= 0
    )
    partner = as_codes(match, "match", size=previous.n, length=current.n, lowest=-1)
    unit = np.flatnonzero(partner >= 0)
    other = partner[unit]
    twice = np.flatnonzero(np.bincount(other, minlength=previous.n) > 1)
    if len(twice):
        raise ValueError(f"match names the previous unit {int(twice[0])} more than once")
    z = now[unit] * current.weight[unit, None]
    z_old = before[other] * previous.weight[other, None]
    h, g = current.stratum[unit], previous.stratum[other]
    pairs, pair, common = np.unique(
        h * max(previous.strata, current.strata) + g, return_inverse=True, return_counts=True
    )
    new_stratum, old_stratum = np.divmod(pairs, max(previous.strata, current.strata))
    scale = _scale(current, previous, new_stratum, old_stratum, common)
    d = np.zeros(len(unit), dtype=np.intp) if codes is None else codes[unit]
    d_old = np.zeros(len(unit), dtype=np.intp) if old_codes is None else old_codes[other]
    return _sum_of_products(z, z_old, pair, d, d_old, size, scale, common)


def _scale(
    current: StratifiedSample, previous: StratifiedSample, h: Indices, g: Indices, common: Indices
) -> Floats:
    """What the sample covariance of weighted values is multiplied by, per pair of strata."""
    n, n_old = current.sample_size[h], previous.sample_size[g]
    same = common - n * n_old / np.maximum(current.population[h], previous.population[g])
    moved = common * (1.0 - np.maximum(current.fraction[h], previous.fraction[g]))
    return np.where(common < 2, 0.0, np.where(h == g, same, moved))


def _sum_of_products(
    z: Floats,
    z_old: Floats,
    pair: Indices,
    d: Indices,
    d_old: Indices,
    size: int,
    scale: Floats,
    common: Indices,
) -> Floats:
    """Sum over pairs of scale * s(z 1_d, z_old 1_d), (D, k)."""
    key = np.concatenate([pair * size + d, pair * size + d_old])
    inside = np.concatenate([d, d_old]) >= 0
    cells, index = np.unique(key[inside], return_inverse=True)
    where = np.full(len(key), -1, dtype=np.intp)
    where[inside] = index
    cell, cell_old = where[: len(z)], where[len(z) :]
    rows = np.flatnonzero(cell >= 0)
    rows_old = np.flatnonzero(cell_old >= 0)
    total = grouped_sums(z[rows], cell[rows], len(cells))
    total_old = grouped_sums(z_old[rows_old], cell_old[rows_old], len(cells))
    both = np.flatnonzero((cell >= 0) & (cell == cell_old))
    product = grouped_sums(z[both] * z_old[both], cell[both], len(cells))
    owner, domain = np.divmod(cells, size)
    c = common[owner][:, None]
    covariance = (product - total * total_old / c) / np.maximum(c - 1, 1)
    return grouped_sums(scale[owner][:, None] * covariance, domain, size)
