"""Collapsing of empty and thin strata along a fixed path, every step on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.sample import as_codes, as_floats


@dataclass(frozen=True)
class CollapseRecord:
    """One merge: the cells `members` became one stratum at step `level` of the path.

    thin : those of `members` that were too thin; population, respondents : of the new stratum
    """

    level: int
    members: tuple[int, ...]
    thin: tuple[int, ...]
    population: float
    respondents: int


@dataclass(frozen=True, eq=False)
class Collapsed:
    """Result of `collapse`.

    stratum : (n,) new codes 0..H'-1; population : (H',); mapping : (H,) old cell -> new stratum, -1 if
        nothing of it
    could be represented or it is an empty cell without population; records : merges in order;
    unresolved : new strata still thin after the whole path; unrepresented : (H,) population of cells with
        mapping -1
    """

    stratum: Indices
    population: Floats
    mapping: Indices
    records: tuple[CollapseRecord, ...]
    unresolved: tuple[int, ...]
    unrepresented: Floats


def collapsing_path(
    region: npt.ArrayLike, macro_region: npt.ArrayLike, industry: npt.ArrayLike, size: npt.ArrayLike
) -> list[Indices]:
    """The survey's path for cells region x industry x size, each argument (H,) codes per cell.

    Returns three partitions of the cells, (H,) each: macro-region x industry x size, then nation x
    industry x size,
    then nation x industry. Industry is never merged.
    """
    macro, branch, scale = (np.asarray(a, dtype=np.intp) for a in (macro_region, industry, size))
    if not len(np.asarray(region)) == len(macro) == len(branch) == len(scale):
        raise ValueError("region, macro_region, industry and size must have one code per cell")
    steps = ([macro, branch, scale], [branch, scale], [branch])
    return [np.unique(np.stack(parts, axis=1), axis=0, return_inverse=True)[1].ravel() for parts in steps]


def collapse(
    stratum: npt.ArrayLike,
    population: npt.ArrayLike,
    paths: Sequence[npt.ArrayLike],
    *,
    minimum: int = 2,
    largest: npt.ArrayLike = np.inf,
    partners: Literal["fewest", "all"] = "fewest",
) -> Collapsed:
    """Merge strata with too few respondents, step by step along `paths`.

    Parameters
    ----------
    stratum : (n,) cell code 0..H-1 of each valid respondent
    population : (H,) N_h; a cell may have respondents, population, both or neither
    paths : partitions (H,) of the cells, fine to coarse, each a coarsening of the one before
    minimum : respondents a stratum needs, unless it is taken with certainty
    largest : scalar or (H,), the largest weight N / r that a cell bears; of merged cells the smallest counts
    partners : "fewest" pools the thin cells of a class with each other and, if they are still thin, with
        its soundest
        small neighbour (fewest respondents, then lowest code); "all" merges the whole class

    Returns
    -------
    Collapsed

    Raises
    ------
    ValueError : more respondents than population in a cell, a largest weight below 1, a path that splits what an
        earlier one joined.

    Notes
    -----
    Thin: r < minimum, or N > largest * r, while N > r. "fewest" keeps the sound regional strata of a class apart; a class of
    one thin cell
    and ten sound ones loses one stratum, not ten.
    """
    sizes = as_floats(population, "population", ndim=1)
    codes = as_codes(stratum, "stratum", size=len(sizes))
    r = np.bincount(codes, minlength=len(sizes))
    excess = np.flatnonzero(r > sizes)
    if len(excess):
        h = int(excess[0])
        raise ValueError(f"cell {h} has {int(r[h])} respondents and a population of {sizes[h]}")
    if partners not in ("fewest", "all"):
        raise ValueError(f"partners must be 'fewest' or 'all', not {partners!r}")
    bound = np.broadcast_to(np.asarray(largest, dtype=np.float64), sizes.shape)
    if not (bound >= 1.0).all():
        raise ValueError(f"largest must be at least 1: cell {int(np.flatnonzero(~(bound >= 1.0))[0])}")
    levels = _levels(paths, len(sizes))
    rule = _Rule(minimum, bound)
    owner = np.where(sizes > 0, np.arange(len(sizes)), -1)
    records: list[CollapseRecord] = []
    for number, classes in enumerate(levels):
        owner = _collapse_level(owner, classes, sizes, r, rule, partners, number, records)
    return _result(codes, sizes, r, owner, rule, records)


@dataclass(frozen=True)
class _Rule:
    """When a stratum is too thin to stand alone; `largest` (H,) of the cells."""

    minimum: int
    largest: Floats

    def bound(self, owner: Indices) -> Floats:
        """(H,) the smallest of the largest weights of the cells that each stratum holds."""
        live = owner >= 0
        result = np.full(len(owner), np.inf)
        np.minimum.at(result, owner[live], self.largest[live])
        return result

    def thin(self, N: npt.ArrayLike, r: npt.ArrayLike, bound: npt.ArrayLike) -> Bools:
        """For N, r and the largest weight of strata."""
        population, answers = np.asarray(N), np.asarray(r)
        # A weight that is the bound but for rounding is borne.
        heavy = population / np.maximum(answers, 1) > np.asarray(bound) * (1.0 + 1e-12)
        return np.asarray(((answers < self.minimum) | heavy) & (answers < population))


def _levels(paths: Sequence[npt.ArrayLike], cells: int) -> list[Indices]:
    levels: list[Indices] = []
    for number, path in enumerate(paths):
        array = np.asarray(path)
        size = int(array.max(initial=0)) + 1 if array.dtype.kind in "iu" else 1
        classes = as_codes(array, f"path {number}", size=size, length=cells)
        if levels:
            parent = np.full(int(levels[-1].max(initial=0)) + 1, -1, dtype=np.intp)
            parent[levels[-1]] = classes
            split = np.flatnonzero(parent[levels[-1]] != classes)
            if len(split):
                raise ValueError(f"path {number} splits a class of path {number - 1} at cell {int(split[0])}")
        levels.append(classes)
    return levels


def _collapse_level(
    owner: Indices,
    classes: Indices,
    population: Floats,
    respondents: Indices,
    rule: _Rule,
    partners: str,
    number: int,
    records: list[CollapseRecord],
) -> Indices:
    """Join the thin strata of every class; `owner` (H,) names each cell's stratum by its lowest cell, -1
    for none."""
    cells = len(owner)
    live = owner >= 0
    N = np.bincount(owner[live], weights=population[live], minlength=cells)
    r = np.bincount(owner[live], weights=respondents[live], minlength=cells)
    bound = rule.bound(owner)
    thin = rule.thin(N, r, bound)
    result = owner.copy()
    for name in np.unique(classes[np.flatnonzero(thin)]):
        members = np.unique(owner[(classes == name) & live])
        weak = members[thin[members]]
        joined = _joined(members, weak, N, r, bound, rule, partners)
        if len(joined) < 2:
            continue
        inside = np.isin(owner, joined) & live
        result[inside] = joined.min()
        records.append(
            CollapseRecord(
                number,
                tuple(int(c) for c in np.flatnonzero(inside)),
                tuple(int(c) for c in np.flatnonzero(np.isin(owner, weak) & live)),
                float(N[joined].sum()),
                int(r[joined].sum()),
            )
        )
    return result


def _joined(
    members: Indices,
    weak: Indices,
    N: Floats,
    r: Floats,
    bound: Floats,
    rule: _Rule,
    partners: str,
) -> Indices:
    if partners == "all":
        return members
    if not rule.thin(N[weak].sum(), r[weak].sum(), bound[weak].min()):
        return weak
    others = np.setdiff1d(members, weak)
    # A take-all stratum stands for itself; it is joined only when the class has nothing else.
    sampled = others[N[others] > r[others]]
    candidates = sampled if len(sampled) else others
    if len(candidates) == 0:
        return weak
    best = candidates[np.lexsort((candidates, r[candidates]))[0]]
    return np.append(weak, best)


def _result(
    codes: Indices,
    population: Floats,
    respondents: Indices,
    owner: Indices,
    rule: _Rule,
    records: list[CollapseRecord],
) -> Collapsed:
    cells = len(owner)
    live = owner >= 0
    r = np.bincount(owner[live], weights=respondents[live], minlength=cells)
    represented = live & (r[np.maximum(owner, 0)] > 0)
    names, new = np.unique(owner[represented], return_inverse=True)
    mapping = np.full(cells, -1, dtype=np.intp)
    mapping[represented] = new
    total = np.bincount(new, weights=population[represented], minlength=len(names))
    count = r[names]
    thin = rule.thin(total, count, rule.bound(owner)[names])
    unresolved = tuple(int(h) for h in np.flatnonzero(thin))
    return Collapsed(
        mapping[codes], total, mapping, tuple(records), unresolved, np.where(represented, 0.0, population)
    )
