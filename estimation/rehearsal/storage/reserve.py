"""The rest of the frame: units that are not in a sample yet, so that a next sample has a choice, and the register's counts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Ints
from estimation.rehearsal.country import Country
from estimation.rehearsal.population.names import credit_code, division_of, institution_type, unit_names
from estimation.rehearsal.population.regions import REGIONS
from estimation.rehearsal.population.sizes import SIZE_CODES
from estimation.rehearsal.population.special import SAMPLED
from estimation.rehearsal.population.units import NOT_DRAWN
from estimation.rehearsal.storage.bulk import copy_lines
from estimation.rehearsal.storage.frame import UNIT_COLUMNS, unit_lines
from estimation.rehearsal.storage.members import Members
from estimation.rehearsal.storage.register import Register
from survey.classification import SECTIONS
from survey.frame.models import FrameCount

_SHARE, _FEWEST = 0.6, 4  # more units of a stratum, relative to what was drawn of it, and at least


@dataclass(frozen=True)
class Reserve:
    """Lines of the units that are listed beside the members, and counts by category, region, section and size."""

    lines: list[str]
    counts: list[FrameCount]


def keep_reserve(country: Country, members: Members) -> Reserve:
    """Taken out of the whole population, before it is let go."""
    rows = _next_in_line(country)
    units, rng = country.units, country.streams("reserve")
    kinds = [institution_type(category) for category in units.category[rows].tolist()]
    divisions = [division_of(units, row) for row in rows.tolist()]
    years = np.where(units.newly_founded[rows], 2025, 2023 - np.floor(26 * rng.random(len(rows)) ** 1.6))
    months = rng.integers(1, 13, len(rows))
    register = Register(
        uscc=[
            credit_code(members.count + serial, kind, division)
            for serial, (kind, division) in enumerate(zip(kinds, divisions, strict=True), start=1)
        ],
        name=unit_names(units, rows, rng),
        person=[],
        division=divisions,
        institution_type=kinds,
        founded=list(zip(years.astype(np.int64).tolist(), months.tolist(), strict=True)),
    )
    lines = unit_lines(country, rows, register, units.random_number[rows], first=members.count + 1)
    return Reserve(list(lines), list(_counts(country)))


def _next_in_line(country: Country) -> Ints:
    """Undrawn units of 2025 with the smallest random numbers of each sampled stratum."""
    units, strata = country.units, country.strata
    free = units.exists[1] & (units.status == NOT_DRAWN).all(0) & ~units.take_all
    index = np.flatnonzero(free)
    order = index[np.lexsort((units.random_number[index], units.stratum[index]))]
    h = units.stratum[order]
    sizes = np.bincount(h, minlength=len(strata.kind))
    rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    target = np.ceil(_SHARE * strata.drawn[1]) + _FEWEST
    return np.asarray(order[rank < target[h]])


def _counts(country: Country) -> Iterator[FrameCount]:
    """All enterprises of 2025 by region, section and legal size; institutions and platforms by category and region."""
    units = country.units
    present = units.exists[1]
    firms = present & units.enterprise & (units.section < len(SECTIONS)) & (units.size >= 0)
    table = np.zeros((len(REGIONS), len(SECTIONS), len(SIZE_CODES)), np.int64)
    np.add.at(table, (units.region[firms], units.section[firms], units.size[firms]), 1)
    for region, section, size in np.argwhere(table).tolist():
        yield FrameCount(
            region=REGIONS[region].code,
            section=SECTIONS[section],
            size_class=SIZE_CODES[size],
            units=int(table[region, section, size]),
            is_synthetic=True,
        )
    for category in SAMPLED:
        regions = np.bincount(units.region[present & (units.category == category)], minlength=len(REGIONS))
        for region in np.flatnonzero(regions).tolist():
            yield FrameCount(
                category=f"CAT{category:02d}",
                region=REGIONS[region].code,
                units=int(regions[region]),
                is_synthetic=True,
            )


def write_reserve(reserve: Reserve) -> int:
    """Into the tables. Returns how many units were added."""
    FrameCount.objects.bulk_create(reserve.counts, batch_size=2_000)
    return copy_lines("survey_reportingunit", UNIT_COLUMNS, reserve.lines)
