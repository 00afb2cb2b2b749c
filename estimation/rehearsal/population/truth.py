"""What is true: totals, means, shares, ratios, growth and multiples of the population, named like estimates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.rehearsal.country import Country
from estimation.rehearsal.population.regions import REGIONS
from estimation.runs.compute.treat import CATEGORY_GROUP
from survey.classification import SECTIONS, SIZES

AMOUNTS = frozenset({"quantity", "money", "count"})
MULTIPLES = ("F01", "T02", "T03")

type Row = tuple[int, str, str, str, str, float]  # year, variable, statistic, domain kind, domain code, value


@dataclass(frozen=True, slots=True)
class TrueItem:
    """An item of the layout: code, kind of answer, numbers of the categories whose form has it."""

    code: str
    kind: str
    categories: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """A classification of the cells (K,): codes into `labels`, -1 outside."""

    kind: str
    labels: tuple[str, ...]
    codes: Ints


class Truth:
    """True values of a country. Units are first counted into cells of equal classification."""

    def __init__(self, country: Country) -> None:
        units = country.units
        self.country = country
        self.exists = units.exists
        self.panel = units.exists.all(0)
        size = np.where(units.size < 0, 3, np.minimum(units.size, 2))
        head = (units.group == 0).astype(np.int64)
        keys = np.stack(
            [units.region, units.section, size, units.category, head, units.pilot.astype(np.int64)], axis=1
        )
        packed = np.ravel_multi_index(keys.T, (32, 19, 4, 16, 2, 2))
        distinct, self.cell = np.unique(packed, return_inverse=True)
        parts = np.unravel_index(distinct, (32, 19, 4, 16, 2, 2))
        self.region, self.section, self.size, self.category, head, pilot = (np.asarray(p) for p in parts)
        self.head, self.pilot = head == 1, pilot == 1
        self.cells = len(distinct)

    def sums(self, values: Floats) -> Floats:
        """Sums (K,) of values (M,)."""
        return np.bincount(self.cell, weights=values, minlength=self.cells)

    @cached_property
    def alive(self) -> Floats:
        """Units per cell, (2, K)."""
        return np.stack([self.sums(row.astype(float)) for row in self.exists])

    @property
    def enterprise(self) -> Bools:
        return (self.category >= 6) & (self.category <= 13)

    @cached_property
    def classes(self) -> Ints:
        """Growth class of each cell, (K,)."""
        section = np.where(self.section == 18, 0, self.section + 1)
        return np.asarray(CATEGORY_GROUP[self.category] * 19 + section)

    @cached_property
    def domains(self) -> tuple[Domain, ...]:
        """All classifications for which estimates are stored; in a small population one may be empty."""
        inside = self.enterprise
        section = np.where(inside, self.section, -1)
        sector = np.select([section < 0, section == 0, section <= 4], [-1, 0, 1], 2)
        regions = tuple(region.code for region in REGIONS)
        data = (self.category >= 8) & (self.category <= 12)
        central = (self.category == 6) | (self.category == 7)
        heads = self.head & inside

        def flag(mask: Bools) -> Ints:
            return np.where(mask, 0, -1)

        domains = (
            Domain("nation", ("all",), np.zeros(self.cells, np.int64)),
            Domain("nation", ("enterprise", "public"), np.where(inside, 0, 1)),
            Domain("region", regions, self.region),
            Domain("region_enterprise", regions, np.where(inside, self.region, -1)),
            Domain("section", tuple(SECTIONS), section),
            Domain("industry_group", ("primary", "secondary", "tertiary"), sector),
            Domain("industry_group", ("industry",), flag(np.isin(section, (1, 2, 3)))),
            Domain("size", SIZES, np.where(inside, self.size, -1)),
            Domain("category", tuple(f"CAT{c:02d}" for c in range(1, 15)), self.category - 1),
            Domain("group", ("head_platform", "other_ent"), np.where(heads, 0, np.where(inside, 1, -1))),
            Domain("group", ("central_soe",), flag(central)),
            Domain("group", ("pilot_space",), flag(self.pilot & (self.category == 11))),
            Domain("group", ("data_ent",), flag(data)),
            Domain("group", ("sample_ent",), flag(inside)),
        )
        return tuple(domain for domain in domains if (domain.codes >= 0).any())


def true_rows(
    country: Country, items: Sequence[TrueItem], ratios: Sequence[tuple[str, str]], crossed: Sequence[str]
) -> Iterator[Row]:
    """All true values. Domains without units that receive the item have no row."""
    truth = Truth(country)
    kinds = {item.code: item for item in items}
    sums: dict[str, Floats] = {}
    for item in items:
        if item.code not in country.values and item.code != "D02":
            continue
        asked = np.isin(truth.category, item.categories)
        if item.kind == "ratio":
            yield from _shares(truth, item, asked)
            continue
        column = country.values[item.code]
        level = np.stack([truth.sums(column[y] * truth.exists[y]) for y in (0, 1)]) * asked
        sums[item.code] = level
        count = truth.alive * asked
        if item.kind in AMOUNTS:
            panel = np.stack([truth.sums(column[y] * truth.panel) for y in (0, 1)]) * asked
            yield from _amounts(truth, item.code, level, count, panel)
        else:
            yield from _quotients(truth, item.code, "proportion", level, count, growth=True)
        if item.code in crossed:
            yield from _crossed(truth, item.code, level)
    for top, bottom in ratios:
        if top in sums and bottom in sums:
            both = np.isin(truth.category, kinds[top].categories) & np.isin(
                truth.category, kinds[bottom].categories
            )
            yield from _quotients(
                truth, f"{top}/{bottom}", "ratio", sums[top] * both, sums[bottom] * both, growth=True
            )
    yield from _multiples(truth, sums)


def _amounts(truth: Truth, code: str, level: Floats, count: Floats, panel: Floats) -> Iterator[Row]:
    for domain in truth.domains:
        size = len(domain.labels)
        total, number = _by(domain, level, size), _by(domain, count, size)
        for year in (0, 1):
            for k in np.flatnonzero(number[year] > 0):
                label = domain.labels[k]
                yield 2024 + year, code, "total", domain.kind, label, float(total[year, k])
                yield 2024 + year, code, "mean", domain.kind, label, float(total[year, k] / number[year, k])
        for k in np.flatnonzero(total[0] > 0):
            yield (
                2025,
                code,
                "level_growth",
                domain.kind,
                domain.labels[k],
                float(total[1, k] / total[0, k] - 1),
            )
        simple = _by(domain, panel, size)
        for k in np.flatnonzero(simple[0] > 0):
            rate = float(simple[1, k] / simple[0, k] - 1)
            yield 2025, code, "panel_simple", domain.kind, domain.labels[k], rate
        rates = _class_growth(truth, domain, level[0], panel)
        for k in np.flatnonzero(~np.isnan(rates)):
            yield 2025, code, "panel_growth", domain.kind, domain.labels[k], float(rates[k])


def _by(domain: Domain, values: Floats, size: int) -> Floats:
    inside = domain.codes >= 0
    codes = domain.codes[inside]
    return np.stack([np.bincount(codes, weights=row[inside], minlength=size) for row in values])


def _class_growth(truth: Truth, domain: Domain, before: Floats, panel: Floats) -> Floats:
    """Panel growth per class (category group x section), weighted by the levels of the previous year, (D,)."""
    inside = domain.codes >= 0
    width = int(truth.classes.max()) + 1
    key = domain.codes[inside] * width + truth.classes[inside]
    cells = len(domain.labels) * width
    level, old, new = (
        np.bincount(key, weights=row[inside], minlength=cells).reshape(-1, width)
        for row in (before, panel[0], panel[1])
    )
    usable = old > 0
    rate = np.divide(new, old, out=np.ones_like(new), where=usable) - 1
    weight = np.where(usable, level, 0.0)
    total = weight.sum(1)
    result: Floats = np.divide(
        (weight * rate).sum(1), total, out=np.full(len(total), np.nan), where=total > 0
    )
    return result


def _quotients(
    truth: Truth, name: str, statistic: str, top: Floats, bottom: Floats, *, growth: bool
) -> Iterator[Row]:
    for domain in truth.domains:
        size = len(domain.labels)
        y, x = _by(domain, top, size), _by(domain, bottom, size)
        value = np.divide(y, x, out=np.full_like(y, np.nan), where=x > 0)
        for year in (0, 1):
            for k in np.flatnonzero(x[year] > 0):
                yield 2024 + year, name, statistic, domain.kind, domain.labels[k], float(value[year, k])
        if growth:
            for k in np.flatnonzero((x > 0).all(0) & (y[0] > 0)):
                rate = float(value[1, k] / value[0, k] - 1)
                yield 2025, name, "level_growth", domain.kind, domain.labels[k], rate


def _shares(truth: Truth, item: TrueItem, asked: Bools) -> Iterator[Row]:
    """Means of shares over the units to which they apply: D02 everywhere, K04 with a computing centre."""
    values, exists = truth.country.values, truth.exists
    if item.code == "D02":
        stored = values["S02"]
        share = np.divide(values["D01"], stored, out=np.zeros_like(stored), where=stored > 0) * 100
        has = exists.astype(float)
    elif item.code == "K04":
        share, has = values["K04"], (values["K01"] > 0) * exists
    else:
        return
    top = np.stack([truth.sums(share[y] * has[y]) for y in (0, 1)]) * asked
    bottom = np.stack([truth.sums(has[y].astype(float)) for y in (0, 1)]) * asked
    yield from _quotients(truth, item.code, "mean", top, bottom, growth=False)


def _crossed(truth: Truth, code: str, level: Floats) -> Iterator[Row]:
    inside = truth.enterprise
    key = truth.region[inside] * 18 + truth.section[inside]
    for year in (0, 1):
        total = np.bincount(key, weights=level[year, inside], minlength=32 * 18)
        present = np.bincount(key, weights=truth.alive[year, inside], minlength=32 * 18) > 0
        for k in np.flatnonzero(present):
            label = f"{REGIONS[k // 18].code}.{SECTIONS[k % 18]}"
            yield 2024 + year, code, "total", "region_section", label, float(total[k])


def _multiples(truth: Truth, sums: dict[str, Floats]) -> Iterator[Row]:
    inside = truth.enterprise
    head = truth.head & inside
    wide = head | (truth.category == 6) | (truth.category == 7)
    for label, top in (("head_platform", head), ("head_central", wide)):
        rest = inside & ~top
        for code in MULTIPLES:
            if code not in sums:
                continue
            for year in (0, 1):
                level, alive = sums[code][year], truth.alive[year]
                if alive[top].sum() > 0 and level[rest].sum() > 0:
                    top_mean = level[top].sum() / alive[top].sum()
                    rest_mean = level[rest].sum() / alive[rest].sum()
                    yield 2024 + year, code, "multiple", "group", label, float(top_mean / rest_mean)
