"""Contributions of the units to one estimate. Pure numpy, with the same stages as the run."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.runs.compute.arrays import Domain, crossed_domain, group_masks
from estimation.runs.compute.cells import GROWTHS, Cell
from estimation.runs.compute.changes import Pair, pair_years
from estimation.runs.compute.levels import Prepared
from estimation.runs.compute.panel import Panel
from estimation.runs.compute.spec import RunSpec


@dataclass(frozen=True)
class Side:
    """Units (m,) of one year: weight, value as collected (0 where unanswered), value used, and whether the
    treatment changed it or it was imputed; base: denominator, or NaN where there is none."""

    unit: Ints
    weight: Floats
    collected: Floats
    used: Floats
    base: Floats
    filled: Bools

    @property
    def moved(self) -> Bools:
        """Units whose value was changed by the treatment."""
        moved: Bools = ~self.filled & (self.collected != self.used)
        return moved


@dataclass(frozen=True)
class Contributions:
    """Contributions of units to one estimate, arrays (m,), largest absolute effect first.

    value : the recomputed estimate; n : respondents; unit : keys; now, before : both years' side,
    aligned to ``unit`` (before None but for growth); effect : contribution of the unit, which sums to the total (or to
    the rate of growth); for quotients its linearised effect, which sums to 0; share : of the total or the
    numerator, for growth of the absolute effects
    """

    value: float
    n: int
    unit: Ints
    now: Side
    before: Side | None
    effect: Floats
    share: Floats

    @property
    def cumulative(self) -> Floats:
        """Cumulative share of the 1, 2, ... m largest."""
        return np.cumsum(self.share)


def contributions_of(prepared: list[Prepared], spec: RunSpec, cell: Cell) -> Contributions | None:
    """The contributions to an estimate, or None where these years have no such estimate.

    prepared : the year of the cell, and for growth the year before, with the items of ``Cell.variables``
    """
    now = prepared[0]
    quotients = dict.fromkeys(("mean", "proportion", "ratio"), _quotient)
    find = {"total": _total, "multiple": _multiple, **quotients}
    if cell.statistic in find:
        result = find[cell.statistic](now, spec, cell)
        return None if result is None else _sorted(result)
    if cell.statistic not in GROWTHS or len(prepared) < 2:
        return None
    pair = pair_years(now, prepared[1])
    rate = _level_growth if cell.statistic == "level_growth" else _panel_growth
    result = rate(pair, spec, cell)
    return None if result is None else _sorted(result)


def own_part(contributions: Contributions, units: Ints) -> Contributions:
    """Contributions of some units (k,) alone to a total, as filed: weight x collected.

    The result does not depend on other units: it has neither values that a cutoff of their class changed nor imputed
    values, and shares are of the sum of these units.
    """
    keep = np.isin(contributions.unit, units) & ~contributions.now.filled
    now = contributions.now
    weight, collected = now.weight[keep], now.collected[keep]
    effect = weight * collected
    side = Side(now.unit[keep], weight, collected, collected, now.base[keep], now.filled[keep])
    value = float(effect.sum())
    own = Contributions(value, len(effect), side.unit, side, None, effect, _share(effect, value))
    return _sorted(own)


def own_sums(prepared: Prepared, variable: str, units: Ints) -> dict[str, tuple[float, int]]:
    """Weight x collected of some units (k,) by region and section: code -> (sum, units that answered)."""
    column, domain = prepared.column(variable), crossed_domain(prepared.year)
    if column is None:
        return {}
    answered = prepared.treated.answered[:, column]
    rows = np.flatnonzero(np.isin(prepared.year.unit, units) & answered & (domain.codes >= 0))
    effect = prepared.weighted.sample.weight[rows] * prepared.treated.raw[rows, column]
    size = len(domain.labels)
    sums = np.bincount(domain.codes[rows], weights=effect, minlength=size)
    count = np.bincount(domain.codes[rows], minlength=size)
    return {domain.labels[index]: (float(sums[index]), int(count[index])) for index in np.flatnonzero(count)}


def domain_of(prepared: Prepared, kind: str, code: str) -> tuple[Domain, int, Bools] | None:
    """The classification of a domain, the index of the domain, and its units as flags (n,)."""
    domains = (
        (*prepared.domains, crossed_domain(prepared.year)) if kind == "region_section" else prepared.domains
    )
    for domain in domains:
        if domain.kind == kind and code in domain.labels:
            index = domain.labels.index(code)
            return domain, index, np.asarray(domain.codes == index)
    return None


def _inside(prepared: Prepared, cell: Cell) -> Bools | None:
    membership = domain_of(prepared, cell.kind, cell.code)
    return None if membership is None else membership[2]


def _side(prepared: Prepared, rows: Ints, column: int, base: Floats | None = None) -> Side:
    treated = prepared.treated
    filled = treated.filled[rows, column]
    return Side(
        unit=prepared.year.unit[rows],
        weight=prepared.weighted.sample.weight[rows],
        collected=np.where(filled, 0.0, treated.raw[rows, column]),
        used=treated.values[rows, column],
        base=np.full(len(rows), np.nan) if base is None else base[rows],
        filled=filled,
    )


def _adding(prepared: Prepared, inside: Bools, column: int) -> Ints:
    """Rows that add to a total: answered, filled, or one part of a sum whose other part is missing."""
    treated = prepared.treated
    present = treated.answered[:, column] | treated.filled[:, column] | (treated.values[:, column] != 0)
    return np.flatnonzero(inside & present)


def _total(now: Prepared, spec: RunSpec, cell: Cell) -> Contributions | None:
    inside, column = _inside(now, cell), now.column(cell.variable)
    if inside is None or column is None:
        return None
    side = _side(now, _adding(now, inside, column), column)
    effect = side.weight * side.used
    value = float(effect.sum())
    n = int((inside & now.treated.answered[:, column]).sum())
    return Contributions(value, n, side.unit, side, None, effect, _share(effect, value))


@dataclass(frozen=True)
class _Parts:
    """Numerator and denominator (n,) of a quotient, the respondents, and the displayed column."""

    column: int
    y: Floats
    x: Floats
    counts: Bools


def _parts(prepared: Prepared, cell: Cell) -> _Parts | None:
    inside = _inside(prepared, cell)
    top, _slash, bottom = cell.variable.partition("/")
    column = prepared.column(top)
    other = prepared.column(bottom) if bottom else None
    if inside is None or column is None or (bottom and other is None):
        return None
    treated = prepared.treated
    counts = inside & treated.answered[:, column]
    x = np.ones(prepared.year.n)
    if other is not None:
        counts = counts & treated.answered[:, other]
        x = treated.values[:, other]
    return _Parts(
        column, np.where(counts, treated.values[:, column], 0.0), np.where(counts, x, 0.0), np.asarray(counts)
    )


def _influence(prepared: Prepared, parts: _Parts) -> tuple[float, float, Floats]:
    """R, its numerator's total, and w (y - R x) / X of every unit."""
    weight = prepared.weighted.sample.weight
    amount, base = float(weight @ parts.y), float(weight @ parts.x)
    if base == 0.0:
        return float("nan"), amount, np.zeros(len(weight))
    value = amount / base
    return value, amount, weight * (parts.y - value * parts.x) / base


def _quotient(now: Prepared, spec: RunSpec, cell: Cell) -> Contributions | None:
    parts = _parts(now, cell)
    if parts is None:
        return None
    value, amount, influence = _influence(now, parts)
    rows = np.flatnonzero(parts.counts)
    side = _side(now, rows, parts.column, parts.x)
    share = _share(side.weight * parts.y[rows], amount)
    return Contributions(value, len(rows), side.unit, side, None, influence[rows], share)


def _multiple(now: Prepared, spec: RunSpec, cell: Cell) -> Contributions | None:
    """Units of both groups: those of the numerator raise the multiple, those of the denominator lower it."""
    column = now.column(cell.variable)
    masks = group_masks(now.year, data_enterprises=spec.data_enterprises)
    heads = {
        "head_platform": masks["head_platform"],
        "head_central": masks["head_platform"] | masks["central_soe"],
    }
    if column is None or cell.kind != "group" or cell.code not in heads:
        return None
    above = heads[cell.code]
    below = masks["sample_ent"] & ~above
    weight, y = now.weighted.sample.weight, now.treated.values[:, column]
    amounts = [(float((weight * y)[mask].sum()), float(weight[mask].sum())) for mask in (above, below)]
    if any(size == 0 or amount == 0 for amount, size in amounts):
        return None
    value = (amounts[0][0] / amounts[0][1]) / (amounts[1][0] / amounts[1][1])
    effect = np.zeros(now.year.n)
    for mask, (amount, size), sign in zip((above, below), amounts, (1.0, -1.0), strict=True):
        effect[mask] = sign * value * (weight * (y / amount - 1.0 / size))[mask]
    rows = np.flatnonzero(above | below)
    side = _side(now, rows, column, np.where(above, 1.0, 0.0))
    share = _share(np.where(above, weight * y, 0.0)[rows], amounts[0][0])
    return Contributions(value, int(above.sum()), side.unit, side, None, effect[rows], share)


def _level_growth(pair: Pair, spec: RunSpec, cell: Cell) -> Contributions | None:
    """(Y - Y') / Y' unit by unit; of a quotient, the linearised difference."""
    if "/" in cell.variable or _is_yesno(pair.now, cell.variable):
        return _quotient_growth(pair, cell)
    sides, answered = [], []
    for prepared in (pair.now, pair.before):
        inside, column = _inside(prepared, cell), prepared.column(cell.variable)
        if inside is None or column is None:
            return None
        sides.append(_side(prepared, _adding(prepared, inside, column), column))
        answered.append(int((inside & prepared.treated.answered[:, column]).sum()))
    now, before = sides
    base = float(before.weight @ before.used)
    if base == 0.0:
        return None
    return _changed(
        float(now.weight @ now.used) / base - 1.0,
        answered[0],
        now,
        before,
        now.weight * now.used / base,
        -before.weight * before.used / base,
    )


def _quotient_growth(pair: Pair, cell: Cell) -> Contributions | None:
    now, before = _parts(pair.now, cell), _parts(pair.before, cell)
    if now is None or before is None:
        return None
    value, _, influence = _influence(pair.now, now)
    old, _, old_influence = _influence(pair.before, before)
    if not old:
        return None
    rows, old_rows = np.flatnonzero(now.counts), np.flatnonzero(before.counts)
    return _changed(
        value / old - 1.0,
        len(rows),
        _side(pair.now, rows, now.column, now.x),
        _side(pair.before, old_rows, before.column, before.x),
        influence[rows] / old,
        -old_influence[old_rows] * value / old**2,
    )


def _panel_growth(pair: Pair, spec: RunSpec, cell: Cell) -> Contributions | None:
    """w (y - y') over the panel's level, class by class for the stratified form."""
    column, membership = pair.now.column(cell.variable), domain_of(pair.now, cell.kind, cell.code)
    old_column = pair.before.column(cell.variable)
    if column is None or old_column is None or membership is None:
        return None
    domain, index, inside = membership
    panel = Panel(pair)
    item = panel.values.names.index(cell.variable)
    y, x = panel.values.y[:, item], panel.values.x[:, item]
    weight = pair.now.weighted.sample.weight
    both = pair.panel & inside
    both[pair.panel] &= pair.before.treated.answered[pair.match[pair.panel], old_column]
    both &= pair.now.treated.answered[:, column]
    if cell.statistic == "panel_growth" and spec.growth_form == "stratified":
        slope = panel.unit_slopes(pair.now.domains.index(domain), index)[:, item]
    else:
        base = float(weight[both] @ x[both])
        slope = np.full(len(y), 1.0 / base if base else 0.0)
    rows = np.flatnonzero(both)
    effect = (weight * slope * (y - x))[rows]
    now = _side(pair.now, rows, column)
    before = _side(pair.before, pair.match[rows], old_column)
    return Contributions(float(effect.sum()), len(rows), now.unit, now, before, effect, _of_absolute(effect))


def _changed(
    value: float, n: int, now: Side, before: Side, effect: Floats, old_effect: Floats
) -> Contributions:
    """The units of both years in one list."""
    unit = np.union1d(now.unit, before.unit)
    positions = [np.searchsorted(unit, side.unit) for side in (now, before)]
    change = np.zeros(len(unit))
    change[positions[0]] += effect
    change[positions[1]] += old_effect
    return Contributions(
        value,
        n,
        unit,
        _spread(now, unit, positions[0]),
        _spread(before, unit, positions[1]),
        change,
        _of_absolute(change),
    )


def _spread(side: Side, unit: Ints, position: Ints) -> Side:
    """A side extended to more units: NaN for units without value."""

    def put(values: Floats) -> Floats:
        result = np.full(len(unit), np.nan)
        result[position] = values
        return result

    filled = np.zeros(len(unit), dtype=bool)
    filled[position] = side.filled
    return Side(unit, put(side.weight), put(side.collected), put(side.used), put(side.base), filled)


def _is_yesno(prepared: Prepared, variable: str) -> bool:
    column = prepared.column(variable)
    return column is not None and prepared.year.items[column].is_yesno


def _share(amount: Floats, total: float) -> Floats:
    return amount / total if total else np.zeros(len(amount))


def _of_absolute(effect: Floats) -> Floats:
    return _share(np.abs(effect), float(np.abs(effect).sum()))


def _sorted(contributions: Contributions) -> Contributions:
    """Largest absolute effect first; ties in the order of the unit keys."""
    order = np.lexsort((contributions.unit, -np.abs(contributions.effect)))
    take: Callable[[Side], Side] = lambda side: Side(  # noqa: E731 one line for both sides
        side.unit[order],
        side.weight[order],
        side.collected[order],
        side.used[order],
        side.base[order],
        side.filled[order],
    )
    return Contributions(
        contributions.value,
        contributions.n,
        contributions.unit[order],
        take(contributions.now),
        take(contributions.before) if contributions.before is not None else None,
        contributions.effect[order],
        contributions.share[order],
    )
