"""Repeated samples of the rehearsal population, as the years that a run reads. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimation.design.strata import Strata, counted_by_region
from estimation.methods.arrays import Bools, Floats, Ints
from estimation.rehearsal.country import Country
from estimation.rehearsal.population.units import HEAD, NOT_DRAWN, VALID, YEARS
from estimation.runs.compute.arrays import Item, Year
from survey.classification import CATEGORIES
from survey.microdata.variables import Variable

_SMALL = 2  # small and micro are one estimation size
_CERTAINTY = 2
# Share of a unit's response propensity that persists from one year to the next.
_PERSISTENT_SHARE = 0.6


@dataclass(frozen=True)
class _Round:
    """One year of the design: existing units, their cells, and the drawn and valid counts of each cell."""

    alive: Ints
    cell: Ints
    drawn: Ints
    valid: Ints


class Draws:
    """The design of a country, from which samples are drawn repeatedly.

    A cell is a stratum inside one region: its counts of drawn and of valid units are those of the rehearsal
    round, and the units are random. Permanent random numbers are new in every sample and common to its two years.
    """

    def __init__(self, country: Country, variables: Sequence[Variable]) -> None:
        self.country = country
        self.items = tuple(_item(variable) for variable in variables)
        units = country.units
        _, cell = np.unique(units.stratum * 64 + units.region, return_inverse=True)
        self.count = units.count
        self.rounds = tuple(
            _Round(
                alive := np.flatnonzero(units.exists[year]), cell[alive], *_counts(cell, units.status[year])
            )
            for year in (0, 1)
        )
        self.strata = tuple(_strata(country, year) for year in (0, 1))

    def sample(self, seed: int, number: int) -> tuple[Year, Year]:
        """Valid units of this year and of the year before; sample `number` depends on `(seed, number)` alone."""
        rng = np.random.default_rng([seed, number])
        permanent, ready = rng.random(self.count), rng.random(self.count)
        before = _PERSISTENT_SHARE * ready + (1.0 - _PERSISTENT_SHARE) * rng.random(self.count)
        rows = [_valid(plan, permanent, own) for plan, own in zip(self.rounds, (before, ready), strict=True)]
        return self._year(1, rows[1]), self._year(0, rows[0])

    def _year(self, year: int, rows: Ints) -> Year:
        units, strata = self.country.units, self.strata[year]
        category = units.category[rows]
        values = np.stack([self.country.values[item.code][year, rows] for item in self.items], axis=1)
        asks = np.stack([item.asked for item in self.items], axis=1)[category]
        return Year(
            year=YEARS[year],
            unit=rows,
            category=category,
            region=units.region[rows],
            section=np.where(units.section[rows] < 18, units.section[rows], -1),
            size=np.where(units.size[rows] >= 0, np.minimum(units.size[rows], _SMALL), -1),
            head=units.group[rows] == HEAD,
            pilot=units.pilot[rows],
            newly_founded=units.newly_founded[rows] if year else np.zeros(len(rows), dtype=bool),
            stratum=np.searchsorted(strata.id, units.stratum[rows]),
            drawn_in=units.region[rows],
            strata=strata,
            items=self.items,
            values=np.where(asks, values, np.nan),
        )


def _item(variable: Variable) -> Item:
    asks = np.zeros(len(CATEGORIES) + 1, dtype=bool)
    asks[[CATEGORIES.index(category) + 1 for category in variable.categories]] = True
    return Item(variable.code, variable.unit, variable.kind, variable.required, asks)


def _counts(cell: Ints, status: Ints) -> tuple[Ints, Ints]:
    cells = int(cell.max()) + 1
    drawn = np.bincount(cell[status > NOT_DRAWN], minlength=cells)
    return drawn, np.bincount(cell[status == VALID], minlength=cells)


def _strata(country: Country, year: int) -> Strata:
    """The strata with units; `id` is the number of the stratum in the rehearsal's list."""
    plan = country.strata
    used = np.flatnonzero(plan.population[year] > 0)
    units = country.units
    alive = np.flatnonzero(units.exists[year] & (plan.kind[units.stratum] == _CERTAINTY))
    row = np.searchsorted(used, units.stratum[alive])
    return Strata(
        id=used,
        kind=plan.kind[used],
        category=plan.category[used],
        region=plan.region[used],
        section=plan.section[used],
        size=plan.size[used],
        population=plan.population[year, used].astype(np.float64),
        take_all=plan.kind[used] == _CERTAINTY,
        by_region=counted_by_region(row, units.region[alive], plan.kind[used] == _CERTAINTY),
    )


def _valid(plan: _Round, permanent: Floats, ready: Floats) -> Ints:
    """Valid units, ascending: the smallest random numbers of a cell are drawn, and those with the highest propensity answer."""
    drawn = plan.alive[_smallest(plan.cell, permanent[plan.alive], plan.drawn)]
    cell = np.empty(len(permanent), dtype=np.int64)
    cell[plan.alive] = plan.cell
    return np.sort(drawn[_smallest(cell[drawn], ready[drawn], plan.valid)])


def _smallest(cell: Ints, number: Floats, sizes: Ints) -> Bools:
    """(m,) True for the `sizes[c]` units of each cell with the smallest numbers in [0, 1)."""
    # Integer part the cell, fraction the number: one sort instead of two keys.
    order = np.argsort(cell + number)
    present = np.bincount(cell, minlength=len(sizes))
    rank = np.arange(len(cell)) - np.repeat(np.cumsum(present) - present, present)
    chosen = np.zeros(len(cell), dtype=bool)
    chosen[order] = rank < sizes[cell[order]]
    return chosen
