"""Levels of one year: totals, means, proportions, ratios and multiples, for every domain. Pure."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.runs.compute.arrays import Domain, Item, Year, crossed_domain, domains_of, group_masks
from estimation.runs.compute.blocks import Block, Collector
from estimation.runs.compute.cellsums import Cells, Grouping, Moments, build_cells, combined, group
from estimation.runs.compute.spec import DERIVED, RATIOS, RunSpec
from estimation.runs.compute.treat import Treated
from estimation.runs.compute.weigh import Weighted

MULTIPLES = ("F01", "T02", "T03")
_KINDS = {"amount": ("quantity", "money", "count"), "yesno": ("yesno",), "share": ("ratio",)}


@dataclass(frozen=True)
class Level:
    """Estimates (D, k) of one statistic in one classification, with the parts that growth rates use."""

    value: Floats
    se: Floats


@dataclass(frozen=True)
class Prepared:
    """One year, weighted and treated, with its classifications and cells."""

    year: Year
    weighted: Weighted
    treated: Treated
    domains: tuple[Domain, ...]
    cells: Cells

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Item codes in the order of the columns."""
        return tuple(item.code for item in self.year.items)

    @cached_property
    def groupings(self) -> tuple[Grouping, ...]:
        """The cells of each classification."""
        return tuple(group(self.cells, domain) for domain in self.domains)

    def column(self, code: str) -> int | None:
        """Column of an item, or None."""
        return self.codes.index(code) if code in self.codes else None

    def where(self, test: str) -> Ints:
        """Columns of the amounts ("amount"), the yes/no items ("yesno") or the shares ("share")."""
        return np.flatnonzero([item.kind in _KINDS[test] for item in self.year.items])


def prepare(year: Year, weighted: Weighted, treated: Treated, spec: RunSpec) -> Prepared:
    """Combine the parts of a year with the requested classifications, and append the derived sums."""
    year, treated = _with_sums(year, treated)
    domains = tuple(domains_of(year, spec.domains, data_enterprises=spec.data_enterprises))
    return Prepared(year, weighted, treated, domains, build_cells(year, weighted.sample))


def _with_sums(year: Year, treated: Treated) -> tuple[Year, Treated]:
    """Append derived sums whose items all exist; a unit whose form asks one part only has that part as sum."""
    column_of = {item.code: column for column, item in enumerate(year.items)}
    sums = {
        name: [column_of[part] for part in parts]
        for name, parts in DERIVED.items()
        if all(part in column_of for part in parts)
    }
    items, answered, filled = list(year.items), [], []
    for name, columns in sums.items():
        first, asked_of = year.items[columns[0]], np.stack([year.items[c].asked for c in columns])
        asked = asked_of.any(axis=0)
        items.append(Item(name, first.unit, first.kind, first.required, asked))
        off_form = ~asked_of[:, year.category].T
        have = np.take(treated.answered, columns, axis=1)
        answered.append(asked[year.category] & (have | off_form).all(axis=1))
        ready = (have | np.take(treated.filled, columns, axis=1) | off_form).all(axis=1)
        filled.append(asked[year.category] & ~answered[-1] & ready)
    values, raw = (_appended(matrix, sums) for matrix in (treated.values, treated.raw))
    full = replace(
        treated,
        values=values,
        raw=raw,
        answered=np.column_stack([treated.answered, *answered]),
        filled=np.column_stack([treated.filled, *filled]),
    )
    # The values as read are released: ``raw`` holds the answers.
    return replace(year, items=tuple(items), values=raw), full


def _appended(values: Floats, sums: dict[str, list[int]]) -> Floats:
    """One copy of values (n, k) with the sums as further columns."""
    width = values.shape[1]
    result = np.empty((len(values), width + len(sums)))
    result[:, :width] = values
    for offset, columns in enumerate(sums.values()):
        result[:, width + offset] = values[:, columns].sum(axis=1)
    return result


@dataclass(frozen=True)
class Pairing:
    """Numerators and denominators (n, k) of the responding units, summed over the cells.

    n, positive : (C, k) counts of units with both values and of positive numerators
    """

    names: tuple[str, ...]
    y: Floats
    x: Floats
    top: Moments
    bottom: Moments
    cross: Floats
    n: Floats
    positive: Floats


def pairing(cells: Cells, names: tuple[str, ...], y: Floats, x: Floats, both: Bools) -> Pairing:
    """Sum numerators and denominators, which are 0 where ``both`` is False."""
    top, bottom, cross = cells.joint_moments(y, x)
    return Pairing(
        names,
        y,
        x,
        top,
        bottom,
        cross,
        cells.sums(both.astype(np.float64)),
        cells.sums((y > 0).astype(np.float64)),
    )


def quotient(pair: Pairing, grouping: Grouping) -> tuple[Level, Floats]:
    """Ratio of the two weighted totals by linearisation, and its design effect."""
    cells = grouping.cells
    size = (cells.count * cells.weight)[:, None]
    amount, base = grouping.over(pair.top.mean * size), grouping.over(pair.bottom.mean * size)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = amount / base
        a = (1.0 / base)[grouping.domain]
        b = (-value / base)[grouping.domain]
    rows = grouping.rows
    with np.errstate(invalid="ignore"):
        mean = a * pair.top.mean[rows] + b * pair.bottom.mean[rows]
        square = combined(a, b, pair.top.square[rows], pair.bottom.square[rows], pair.cross[rows])
        variance, deff = grouping.variance(mean, square, pair.n)
    return Level(value, np.sqrt(variance)), deff


def totals(prepared: Prepared, collector: Collector, spec: RunSpec) -> tuple[Level, ...]:
    """Totals of all amounts for every classification; the crossed one for some items."""
    columns = prepared.where("amount")
    block = _Totals(prepared, columns)
    levels = []
    for domain, grouping in zip(prepared.domains, prepared.groupings, strict=True):
        level = block.add(domain, grouping, collector)
        levels.append(level)
    chosen = np.array([c for c in columns if prepared.codes[c] in spec.crossed], dtype=np.int64)
    if len(chosen):
        domain = crossed_domain(prepared.year)
        _Totals(prepared, chosen).add(domain, group(prepared.cells, domain), collector)
    return tuple(levels)


class _Totals:
    """Cell sums of some amounts, and their totals in any classification."""

    def __init__(self, prepared: Prepared, columns: Ints) -> None:
        self.prepared, cells = prepared, prepared.cells
        treated = prepared.treated
        values = np.take(treated.values, columns, axis=1)
        self.names = tuple(prepared.codes[c] for c in columns)
        self.weight = (cells.count * cells.weight)[:, None]
        self.answered = cells.sums(np.take(treated.answered, columns, axis=1).astype(np.float64))
        self.filled = cells.sums(np.take(treated.filled, columns, axis=1).astype(np.float64))
        self.positive = cells.sums(
            (np.take(treated.answered, columns, axis=1) & (values > 0)).astype(np.float64)
        )
        self.largest = cells.largest(values)
        self.raw = cells.sums(np.take(treated.raw, columns, axis=1)) * cells.weight[:, None]
        self.moments = cells.moments(values)

    def add(self, domain: Domain, grouping: Grouping, collector: Collector) -> Level:
        """Store the totals of one classification."""
        total = grouping.over(self.moments.mean * self.weight)
        variance, deff = grouping.variance(
            self.moments.mean[grouping.rows], self.moments.square[grouping.rows]
        )
        n, filled = grouping.over(self.answered), grouping.over(self.filled)
        # Imputing the stratum mean gives the same total as weighting the answers up; a variance that treats
        # imputed values as answers is too small by about (r / m) squared.
        se = np.sqrt(variance) * np.where(n > 0, (n + filled) / np.maximum(n, 1.0), 1.0)
        raw = grouping.over(self.raw)
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = (total - raw) / np.abs(raw)
            top = grouping.highest(self.largest) / np.abs(total)
        weight = np.broadcast_to(grouping.over(self.weight), total.shape)
        collector.add(
            Block(
                self.prepared.year.year,
                "total",
                domain.kind,
                domain.labels,
                self.names,
                total,
                se,
                n,
                grouping.over(self.positive),
                weight,
                deff,
                moved,
                top,
            )
        )
        return Level(total, se)


def means(prepared: Prepared, collector: Collector) -> None:
    """Means of amounts and shares over the units that answered."""
    columns = np.concatenate([prepared.where("amount"), prepared.where("share")])
    _quotients(prepared, "mean", _over_answers(prepared, columns), collector)


def proportions(prepared: Prepared, collector: Collector) -> tuple[tuple[Level, ...], Pairing]:
    """Proportions of the yes/no items over the units that answered."""
    pair = _over_answers(prepared, prepared.where("yesno"))
    return _quotients(prepared, "proportion", pair, collector), pair


def _over_answers(prepared: Prepared, columns: Ints) -> Pairing:
    have = np.take(prepared.treated.answered, columns, axis=1)
    y = np.where(have, np.take(prepared.treated.values, columns, axis=1), 0.0)
    names = tuple(prepared.codes[c] for c in columns)
    return pairing(prepared.cells, names, y, have.astype(np.float64), have)


def ratios(prepared: Prepared, collector: Collector) -> tuple[tuple[Level, ...], Pairing]:
    """Combined ratios of treated totals over the units that answered both items."""
    ratio_columns = [(f"{a}/{b}", prepared.column(a), prepared.column(b)) for a, b in RATIOS]
    pairs = [(name, a, b) for name, a, b in ratio_columns if a is not None and b is not None]
    top, bottom = np.array([a for _, a, _ in pairs], np.int64), np.array([b for _, _, b in pairs], np.int64)
    treated = prepared.treated
    both = np.take(treated.answered, top, axis=1) & np.take(treated.answered, bottom, axis=1)
    pair = pairing(
        prepared.cells,
        tuple(name for name, _, _ in pairs),
        np.where(both, np.take(treated.values, top, axis=1), 0.0),
        np.where(both, np.take(treated.values, bottom, axis=1), 0.0),
        both,
    )
    return _quotients(prepared, "ratio", pair, collector), pair


def _quotients(prepared: Prepared, statistic: str, pair: Pairing, collector: Collector) -> tuple[Level, ...]:
    levels = []
    for domain, grouping in zip(prepared.domains, prepared.groupings, strict=True):
        level, deff = quotient(pair, grouping)
        n = grouping.over(pair.n)
        weight = grouping.over(pair.n * prepared.cells.weight[:, None])
        collector.add(
            Block(
                prepared.year.year,
                statistic,
                domain.kind,
                domain.labels,
                pair.names,
                level.value,
                level.se,
                n,
                grouping.over(pair.positive),
                weight,
                deff,
            )
        )
        levels.append(level)
    return tuple(levels)


def multiples(prepared: Prepared, collector: Collector, spec: RunSpec) -> None:
    """Ratio of the mean of head platforms (alone, and with central enterprises) to the mean of the rest."""
    columns = np.array([c for c, code in enumerate(prepared.codes) if code in MULTIPLES], dtype=np.int64)
    cells = prepared.cells
    moments = cells.moments(np.take(prepared.treated.values, columns, axis=1))
    everyone = group(cells, Domain("nation", ("all",), np.zeros(prepared.year.n, np.int64)))
    masks = group_masks(prepared.year, data_enterprises=spec.data_enterprises)
    head = masks["head_platform"][cells.first]
    size = cells.count * cells.weight
    for label, inside in (
        ("head_platform", head),
        ("head_central", head | masks["central_soe"][cells.first]),
    ):
        rest = masks["sample_ent"][cells.first] & ~inside
        parts = [(mask, (size * mask) @ moments.mean, float((size * mask).sum())) for mask in (inside, rest)]
        if any(units == 0 for _, _, units in parts) or len(columns) == 0:
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            value = (parts[0][1] / parts[0][2]) / (parts[1][1] / parts[1][2])
            slope = value * (inside[:, None] / parts[0][1] - rest[:, None] / parts[1][1])
            shift = value * (inside / parts[0][2] - rest / parts[1][2])[:, None]
            mean = (slope * moments.mean - shift)[everyone.rows]
            variance, deff = everyone.variance(mean, (slope**2 * moments.square)[everyone.rows])
        n = np.full((1, len(columns)), (cells.count * inside).sum())
        collector.add(
            Block(
                prepared.year.year,
                "multiple",
                "group",
                (label,),
                tuple(prepared.codes[c] for c in columns),
                value[None, :],
                np.sqrt(variance),
                n,
                n,
                np.full(n.shape, parts[0][2]),
                deff,
            )
        )
