"""Growth of the amounts on the fixed panel (固定观测组). Pure."""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.runs.compute.blocks import Block, Collector
from estimation.runs.compute.cellsums import Grouping, by_pair, combined
from estimation.runs.compute.changes import Pair, overlap_codes, overlap_weights
from estimation.runs.compute.levels import Level, pairing, quotient
from estimation.runs.compute.spec import RunSpec
from estimation.runs.compute.treat import CLASSES, GROUP_NAMES, treatment_classes

GROUPS = len(GROUP_NAMES)
PANEL_MINIMUM = 20  # minimum of panel units of a growth class; smaller classes are pooled
_POOLED = CLASSES + GROUPS + 1


def panel_growth(pair: Pair, collector: Collector, spec: RunSpec) -> None:
    """Growth of the amounts on the fixed panel: class rates weighted by last year's levels, and combined.

    Classes are category group x section; their weights are the previous-year totals of the full sample. An
    item answered in one of the two years only is not used.
    """
    panel = Panel(pair)
    now = pair.now
    for index, (domain, grouping) in enumerate(zip(now.domains, now.groupings, strict=True)):
        simple, deff = quotient(panel.values, grouping)
        levels = {"panel_simple": simple, "panel_growth": simple}
        if spec.growth_form == "stratified":
            levels["panel_growth"] = panel.stratified(index)
        n, positive = grouping.over(panel.values.n), grouping.over(panel.values.positive)
        weight = grouping.over(panel.values.n * now.cells.weight[:, None])
        for statistic, level in levels.items():
            collector.add(
                Block(
                    now.year.year,
                    statistic,
                    domain.kind,
                    domain.labels,
                    panel.values.names,
                    level.value - 1.0,
                    level.se,
                    n,
                    positive,
                    weight,
                    deff if statistic == "panel_simple" else None,
                )
            )


@dataclass(frozen=True)
class _Linear:
    """Growth in the D domains of a classification and C pooled classes.

    pooled : (D, CLASSES) class used; classes, old_classes : of the rows of both groupings; slope P_c / (P X_c) and
    rate g_c, (D, C, k) where defined; value, whole : (D, k) sum of P_c g_c / P, and P
    """

    pooled: Ints
    classes: Ints
    old_classes: Ints
    defined: Bools
    slope: Floats
    rate: Floats
    value: Floats
    total: Floats


class Panel:
    """The fixed panel of two years: both values of every amount, summed over cells and over the overlap."""

    def __init__(self, pair: Pair) -> None:
        now, before = pair.now, pair.before
        columns = now.where("amount")
        panel_rows = np.flatnonzero(pair.panel)
        rows = pair.match[panel_rows]
        shape = (now.year.n, len(columns))
        y, old, both = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool)
        previous = np.take(before.treated.values, columns, axis=1)
        both[panel_rows] = now.treated.answered[np.ix_(panel_rows, columns)]
        both[panel_rows] &= before.treated.answered[np.ix_(rows, columns)]
        y[panel_rows] = np.where(both[panel_rows], now.treated.values[np.ix_(panel_rows, columns)], 0.0)
        old[panel_rows] = np.where(both[panel_rows], previous[rows], 0.0)
        self.pair = pair
        self.values = pairing(now.cells, tuple(now.codes[c] for c in columns), y, old, both)
        self.units = now.cells.sums(both.any(axis=1)[:, None].astype(np.float64))
        self.previous = before.cells.moments(previous)
        self.classes = treatment_classes(now.year)[now.cells.first]
        self.old_classes = treatment_classes(before.year)[before.cells.first]
        overlap = pair.overlap
        weight, old_weight = overlap_weights(pair)
        scale = weight * old_weight
        self.products = (overlap.products(y, previous) * scale, overlap.products(old, previous) * scale)
        self.sums = (overlap.sums(y) * weight, overlap.sums(old) * weight)
        self.old_sums = overlap.old_sums(previous) * old_weight

    def stratified(self, index: int) -> Level:
        """Sum_c P_c g_c / sum_c P_c; a class with a zero panel base is omitted from both sums.

        Linearised in this year's sample, (P_c / P) (y - g_c x) / X_c on panel units, and in last year's, which
        estimates the weights: (g_c - T) y_old / P. The two samples overlap, hence the covariance.
        """
        linear = self._linear(index)
        slope, rate, value, total = linear.slope, linear.rate, linear.value, linear.total
        tilt = np.where(linear.defined, rate - value[:, None], 0.0) / total[:, None]
        with np.errstate(invalid="ignore"):
            variance = self._variance(
                index, linear.classes, linear.old_classes, (slope, -slope * rate, tilt), linear.pooled
            )
        return Level(value, np.sqrt(np.maximum(variance, 0.0)))

    def unit_slopes(self, index: int, domain: int) -> Floats:
        """(n, k) P_c / (P X_c) of each unit's class in one domain: weight x slope x (y - x) adds up to the rate."""
        linear = self._linear(index)
        of_class = np.nan_to_num(linear.slope[domain, linear.pooled[domain, self.classes]])
        return np.asarray(of_class[self.pair.now.cells.of_unit])

    def _linear(self, index: int) -> "_Linear":
        """Rates of the classes and their slopes in one classification."""
        now, before = self.pair.now.groupings[index], self.pair.before.groupings[index]
        pooled = self._pooled(now)
        shape = (now.size, _POOLED)
        cells, rows = now.cells, now.rows
        classes = pooled[now.domain, self.classes[rows]]
        old_classes = pooled[before.domain, self.old_classes[before.rows]]
        size = (cells.count * cells.weight)[rows, None]
        amount = by_pair(self.values.top.mean[rows] * size, now.domain, classes, shape)
        base = by_pair(self.values.bottom.mean[rows] * size, now.domain, classes, shape)
        old_size = (before.cells.count * before.cells.weight)[before.rows, None]
        level = by_pair(self.previous.mean[before.rows] * old_size, before.domain, old_classes, shape)
        defined = base != 0.0
        used = np.where(defined, level, 0.0)
        total = used.sum(axis=1)
        total = np.where(total == 0.0, np.nan, total)
        base = np.where(defined, base, 1.0)
        rate = amount / base
        value = (used * rate).sum(axis=1) / total
        slope = used / total[:, None] / base
        return _Linear(pooled, classes, old_classes, defined, slope, rate, value, total)

    def _pooled(self, grouping: Grouping) -> Ints:
        """Class used by each domain and class, (D, CLASSES): its own with enough panel units, else what is
        left of its category group, else what is left of the domain."""
        rows = grouping.rows
        units = by_pair(self.units[rows], grouping.domain, self.classes[rows], (grouping.size, CLASSES))[
            :, :, 0
        ]
        group = np.arange(CLASSES) // (CLASSES // GROUPS)
        thin = units < PANEL_MINIMUM
        rest = np.zeros((grouping.size, GROUPS))
        for code in range(GROUPS):
            rest[:, code] = np.where(thin, units, 0.0)[:, group == code].sum(axis=1)
        wide = np.where(rest >= PANEL_MINIMUM, CLASSES + np.arange(GROUPS), CLASSES + GROUPS)
        return np.where(thin, wide[:, group], np.arange(CLASSES))

    def _variance(
        self,
        index: int,
        classes: Ints,
        old_classes: Ints,
        slopes: tuple[Floats, Floats, Floats],
        pooled: Ints,
    ) -> Floats:
        now, before = self.pair.now.groupings[index], self.pair.before.groupings[index]
        a, b, c = slopes
        values, rows = self.values, now.rows
        slope_a, slope_b = a[now.domain, classes], b[now.domain, classes]
        mean = slope_a * values.top.mean[rows] + slope_b * values.bottom.mean[rows]
        square = combined(
            slope_a, slope_b, values.top.square[rows], values.bottom.square[rows], values.cross[rows]
        )
        variance, _ = now.variance(mean, square)
        tilt = c[before.domain, old_classes]
        weights, _ = before.variance(
            tilt * self.previous.mean[before.rows], tilt**2 * self.previous.square[before.rows]
        )
        overlap = self.pair.overlap
        codes = overlap_codes(self.pair, index)
        slope_a, slope_b = (self._at(slope, codes[0], self.classes[overlap.cell], pooled) for slope in (a, b))
        tilt = self._at(c, codes[1], self.old_classes[overlap.old_cell], pooled)
        covariance = overlap.covariance(
            index,
            (slope_a * self.products[0] + slope_b * self.products[1]) * tilt,
            slope_a * self.sums[0] + slope_b * self.sums[1],
            tilt * self.old_sums,
            codes,
            now.size,
        )
        bound = np.sqrt(np.nan_to_num(variance) * np.nan_to_num(weights))
        return variance + weights + 2.0 * np.clip(np.nan_to_num(covariance), -bound, bound)

    def _at(self, slope: Floats, domain: Ints, classes: Ints, pooled: Ints) -> Floats:
        """The slope (P, k) of each pair of cells, 0 outside every domain."""
        code = np.maximum(domain, 0)
        return np.where((domain >= 0)[:, None], np.nan_to_num(slope[code, pooled[code, classes]]), 0.0)
