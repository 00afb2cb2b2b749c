"""Growth of levels and shares from one year to the next, with the covariance of the overlap. Pure."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.runs.compute.arrays import Domain
from estimation.runs.compute.blocks import Block, Collector
from estimation.runs.compute.cellsums import Grouping, indicator
from estimation.runs.compute.levels import Level, Pairing, Prepared


@dataclass(frozen=True)
class Pair:
    """Two prepared years with the same items and classifications.

    match : (n,) row of each current unit in the previous year, -1 if missing
    """

    now: Prepared
    before: Prepared
    match: Ints

    @property
    def panel(self) -> Bools:
        """Units valid in both years that are not newly founded."""
        return np.asarray((self.match >= 0) & ~self.now.year.newly_founded)

    @cached_property
    def overlap(self) -> "Overlap":
        """The common units, grouped."""
        return Overlap(self)


def pair_years(now: Prepared, before: Prepared) -> Pair:
    """Match the units of the two years."""
    old, new = before.year.unit, now.year.unit
    if len(old) == 0:
        return Pair(now, before, np.full(len(new), -1))
    position = np.clip(np.searchsorted(old, new), 0, len(old) - 1)
    return Pair(now, before, np.where(old[position] == new, position, -1))


class Overlap:
    """Common units grouped by their cells of both years; covariances of the two years' totals.

    For the c units that stratum h and last year's stratum g share: C = scale * s(z, z'), with
    scale = c - n n' / N where h and g are one stratum (Tam 1984) and c (1 - max f) where units moved.
    """

    def __init__(self, pair: Pair) -> None:
        now, before = pair.now, pair.before
        self.unit = np.flatnonzero(pair.match >= 0)
        self.other = pair.match[self.unit]
        cell, old = now.cells.of_unit[self.unit], before.cells.of_unit[self.other]
        key = cell * max(before.cells.size, 1) + old
        cell_pairs, self.group, count = np.unique(key, return_inverse=True, return_counts=True)
        self.cell, self.old_cell = np.divmod(cell_pairs, max(before.cells.size, 1))
        self.count = count.astype(np.float64)
        self.matrix = indicator(self.group, len(cell_pairs))
        self.plans: dict[int, _Plan] = {}
        h, g = now.cells.stratum[self.cell], before.cells.stratum[self.old_cell]
        strata = h * before.weighted.sample.strata + g
        pairs, self.pair = np.unique(strata, return_inverse=True)
        self.pairs = len(pairs)
        self.common = np.bincount(self.pair, weights=self.count, minlength=self.pairs)
        self.scale = _scale(now, before, *np.divmod(pairs, before.weighted.sample.strata), self.common)

    def products(self, y: Floats, old: Floats) -> Floats:
        """Sums (P, k) of products over the common units of each pair of cells."""
        return self._sums(y[self.unit] * old[self.other])

    def sums(self, y: Floats) -> Floats:
        """Sums (P, k) of this year's values."""
        return self._sums(y[self.unit])

    def old_sums(self, old: Floats) -> Floats:
        """Sums (P, k) of last year's values."""
        return self._sums(old[self.other])

    def _sums(self, values: Floats) -> Floats:
        return np.asarray(self.matrix @ values)

    def covariance(
        self,
        index: int,
        product: Floats,
        total: Floats,
        old_total: Floats,
        codes: tuple[Ints, Ints],
        size: int,
    ) -> Floats:
        """Covariance (D, k) from weighted sums (P, k); the codes (P,) are -1 outside all domains."""
        if index not in self.plans:
            self.plans[index] = _Plan(self, *codes, size)
        plan = self.plans[index]
        c = self.common[plan.owner][:, None]
        sums, old_sums = plan.now @ total, plan.before @ old_total
        inner = (plan.both @ product - sums * old_sums / c) / np.maximum(c - 1.0, 1.0)
        return np.asarray(plan.domain @ (self.scale[plan.owner][:, None] * inner))


class _Plan:
    """Matrices that sum pairs of cells by pair of strata x domain, in each year and in both."""

    def __init__(self, overlap: Overlap, domain: Ints, old_domain: Ints, size: int) -> None:
        now = np.where(domain >= 0, overlap.pair * size + domain, -1)
        before = np.where(old_domain >= 0, overlap.pair * size + old_domain, -1)
        pairs = np.unique(np.concatenate([now, before]))
        pairs = pairs[pairs >= 0]
        positions = [np.where(key >= 0, np.searchsorted(pairs, key), -1) for key in (now, before)]
        self.now, self.before = (indicator(position, len(pairs)) for position in positions)
        self.both = indicator(np.where(now == before, positions[0], -1), len(pairs))
        self.owner, code = np.divmod(pairs, size)
        self.domain = indicator(code, size)


def _scale(now: Prepared, before: Prepared, h: Ints, g: Ints, common: Floats) -> Floats:
    current, previous = now.weighted.sample, before.weighted.sample
    names = {key: code for code, key in enumerate(now.weighted.key) if key}
    same_as = np.array([names.get(key, -1) for key in before.weighted.key], dtype=np.int64)
    stay = common - current.sample_size[h] * previous.sample_size[g] / np.maximum(
        current.population[h], previous.population[g]
    )
    moved = common * (1.0 - np.maximum(current.fraction[h], previous.fraction[g]))
    return np.where(common < 2, 0.0, np.where(same_as[g] == h, stay, moved))


def total_growth(pair: Pair, now: tuple[Level, ...], before: tuple[Level, ...], collector: Collector) -> None:
    """Level growth of the totals, with the covariance of the overlapping samples."""
    columns = pair.now.where("amount")
    overlap = pair.overlap
    y, old = (
        np.take(pair.now.treated.values, columns, axis=1),
        np.take(pair.before.treated.values, columns, axis=1),
    )
    weight, old_weight = overlap_weights(pair)
    product = overlap.products(y, old) * weight * old_weight
    total, old_total = overlap.sums(y) * weight, overlap.old_sums(old) * old_weight
    answered = pair.now.cells.sums(np.take(pair.now.treated.answered, columns, axis=1).astype(np.float64))
    positive = pair.now.cells.sums((y > 0).astype(np.float64))
    names = tuple(pair.now.codes[c] for c in columns)
    for index, grouping in enumerate(pair.now.groupings):
        codes = overlap_codes(pair, index)
        covariance = overlap.covariance(index, product, total, old_total, codes, grouping.size)
        _add_level(
            pair,
            pair.now.domains[index],
            names,
            now[index],
            before[index],
            covariance,
            grouping.over(answered),
            grouping.over(positive),
            grouping,
            collector,
        )


def share_growth(
    pair: Pair,
    now: tuple[tuple[Level, ...], Pairing],
    before: tuple[tuple[Level, ...], Pairing],
    collector: Collector,
) -> None:
    """Relative change of proportions or ratios, by the covariance of their linearised variables."""
    (levels, top), (old_levels, bottom) = now, before
    if not top.names:
        return
    overlap = pair.overlap
    weight, old_weight = overlap_weights(pair)
    sums = [overlap.sums(top.y) * weight, overlap.sums(top.x) * weight]
    old = [overlap.old_sums(bottom.y) * old_weight, overlap.old_sums(bottom.x) * old_weight]
    scale = weight * old_weight
    products = [[overlap.products(a, b) * scale for b in (bottom.y, bottom.x)] for a in (top.y, top.x)]
    for index, (grouping, previous) in enumerate(zip(pair.now.groupings, pair.before.groupings, strict=True)):
        codes = overlap_codes(pair, index)
        a = _slopes(top, grouping, levels[index], codes[0])
        b = _slopes(bottom, previous, old_levels[index], codes[1])
        product = sum(a[i] * b[j] * products[i][j] for i in (0, 1) for j in (0, 1))
        covariance = overlap.covariance(
            index,
            np.asarray(product),
            a[0] * sums[0] + a[1] * sums[1],
            b[0] * old[0] + b[1] * old[1],
            codes,
            grouping.size,
        )
        _add_level(
            pair,
            pair.now.domains[index],
            top.names,
            levels[index],
            old_levels[index],
            covariance,
            grouping.over(top.n),
            grouping.over(top.positive),
            grouping,
            collector,
        )


def _slopes(pair: Pairing, grouping: Grouping, level: Level, domain: Ints) -> tuple[Floats, Floats]:
    """1 / X and -R / X of the domain of each pair of cells, 0 outside."""
    cells = grouping.cells
    base = grouping.over(pair.bottom.mean * (cells.count * cells.weight)[:, None])
    usable = (base > 0) & np.isfinite(level.value)
    slope = np.where(usable, 1.0 / np.where(usable, base, 1.0), 0.0)
    inside = (domain >= 0)[:, None]
    code = np.maximum(domain, 0)
    value = np.where(usable, level.value, 0.0)
    return np.where(inside, slope[code], 0.0), np.where(inside, (-value * slope)[code], 0.0)


def overlap_weights(pair: Pair) -> tuple[Floats, Floats]:
    """Weights of both years for each pair of cells, (P, 1)."""
    overlap = pair.overlap
    return (
        pair.now.cells.weight[overlap.cell][:, None],
        pair.before.cells.weight[overlap.old_cell][:, None],
    )


def overlap_codes(pair: Pair, index: int) -> tuple[Ints, Ints]:
    """Domain of each pair of cells in both years, (P,), for one classification."""
    overlap = pair.overlap
    now = pair.now.domains[index].codes[pair.now.cells.first]
    before = pair.before.domains[index].codes[pair.before.cells.first]
    return now[overlap.cell], before[overlap.old_cell]


def _add_level(
    pair: Pair,
    domain: Domain,
    names: tuple[str, ...],
    now: Level,
    before: Level,
    covariance: Floats,
    n: Floats,
    positive: Floats,
    grouping: Grouping,
    collector: Collector,
) -> None:
    """Rate Y / X - 1 with V = (V_now + R^2 V_before - 2 R C) / X^2."""
    bound = np.nan_to_num(now.se * before.se)
    common = np.clip(np.nan_to_num(covariance), -bound, bound)
    with np.errstate(divide="ignore", invalid="ignore"):
        base = np.where(before.value == 0.0, np.nan, before.value)
        multiple = now.value / base
        variance = now.se**2 + multiple**2 * before.se**2 - 2.0 * multiple * common
        se = np.sqrt(np.maximum(variance, 0.0)) / np.abs(base)
    size = grouping.over((grouping.cells.count * grouping.cells.weight)[:, None])
    collector.add(
        Block(
            pair.now.year.year,
            "level_growth",
            domain.kind,
            domain.labels,
            names,
            multiple - 1.0,
            se,
            n,
            positive,
            np.broadcast_to(size, n.shape),
        )
    )
