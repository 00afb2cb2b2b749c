"""The register entries of the members: codes, names, founding dates; as lists in the order of the units."""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Ints
from estimation.rehearsal.country import Country
from estimation.rehearsal.population.names import (
    credit_code,
    division_of,
    institution_type,
    person_names,
    unit_names,
)
from estimation.rehearsal.sheets.choices import People
from estimation.rehearsal.storage.members import Members


@dataclass(frozen=True, slots=True)
class Register:
    """Entries of all units of the members (d)."""

    uscc: list[str]
    name: list[str]
    person: list[str]
    division: list[str]
    institution_type: list[str]
    founded: list[tuple[int, int]]  # year, month

    def people(self, positions: Ints) -> People:
        """The entries of some units, as the sheets need them."""
        chosen = positions.tolist()
        return People(
            [self.uscc[k] for k in chosen],
            [self.name[k] for k in chosen],
            [self.person[k] for k in chosen],
            [self.division[k] for k in chosen],
            [self.institution_type[k] for k in chosen],
            ["{:04d}-{:02d}".format(*self.founded[k]) for k in chosen],
        )


def build_register(country: Country, members: Members) -> Register:
    """Entries in the order of the members; extra units get names and codes of their own."""
    units, rng = country.units, country.streams("register")
    kinds = [institution_type(category) for category in units.category[members.row].tolist()]
    divisions = [division_of(units, row) for row in members.row.tolist()]
    codes = [
        credit_code(serial, kind, division)
        for serial, (kind, division) in enumerate(zip(kinds, divisions, strict=True), start=1)
    ]
    names = unit_names(units, members.row, rng)
    names = [f"{name}（演示）" if extra else name for name, extra in zip(names, members.extra, strict=True)]
    persons = person_names(members.count, rng)
    years = (2023 - np.floor(26 * rng.random(members.count) ** 1.6)).astype(np.int64)
    years = np.where(units.newly_founded[members.row], 2025, years)
    months = rng.integers(1, 13, members.count)
    return Register(
        codes, names, persons, divisions, kinds, list(zip(years.tolist(), months.tolist(), strict=True))
    )
