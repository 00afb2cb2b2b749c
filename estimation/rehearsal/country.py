"""The rehearsal country as arrays: units, design and true values, built from a seed and a scale."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.rehearsal.population.draw import build_units
from estimation.rehearsal.population.items_ai import build_ai, build_computing
from estimation.rehearsal.population.items_flow import build_flows, build_products, build_purchases, buyers
from estimation.rehearsal.population.items_module import (
    build_enterprise_modules,
    build_government,
    build_science,
)
from estimation.rehearsal.population.items_public import build_public
from estimation.rehearsal.population.items_value import build_flags, build_spending, build_value, value_makers
from estimation.rehearsal.population.items_volume import build_development, build_production, build_storage
from estimation.rehearsal.population.streams import Streams
from estimation.rehearsal.population.units import CENTRAL, Strata, Units
from estimation.rehearsal.population.world import build_world
from estimation.rehearsal.sheets.numbers import settle_values

DEFAULT_SEED = 20260104


@dataclass(frozen=True, slots=True)
class Country:
    """Everything that is true: `values[code]` is (2, M), 2024 and 2025, in canonical units.

    `jump` marks units with a real, very large change between the years.
    """

    seed: int
    scale: float
    units: Units
    strata: Strata
    values: dict[str, Floats]
    jump: Bools
    unknown_answers: dict[str, Bools]  # item -> units that answer "not known" in 2025

    @property
    def streams(self) -> Streams:
        """The named random streams of this country."""
        return Streams(self.seed)


def build_country(seed: int = DEFAULT_SEED, scale: float = 1.0) -> Country:
    """The superpopulation, the draw and all true values. `scale` in (0, 1]; the same seed gives the same country."""
    if not 0 < scale <= 1:
        raise ValueError(f"scale must lie in (0, 1], not {scale}")
    streams = Streams(seed)
    units, strata, _ = build_units(scale, streams)
    world = build_world(units, streams)
    build_production(world)
    build_storage(world)
    build_development(world)
    bought = buyers(world)
    build_flows(world, bought)
    build_purchases(world, bought)
    build_ai(world)
    build_computing(world)
    build_spending(world)
    earning = value_makers(world)
    build_products(world, earning)
    build_value(world, earning)
    build_flags(world)
    build_enterprise_modules(world)
    stage = build_public(world)
    build_government(stage)
    build_science(stage)
    settle_values(world.values)
    jump = units.exists.all(0) & False
    jump[world.enterprise] = world.jump & world.panel
    return Country(
        seed, scale, units, strata, world.values, jump, units_with_unknown_answers(units, world.values)
    )


def units_with_unknown_answers(units: Units, values: dict[str, Floats]) -> dict[str, Bools]:
    """Central enterprises that answer "not known": the bases 93 and 107 of Table 1 come from there."""
    central = np.flatnonzero(units.group == CENTRAL)
    result: dict[str, Bools] = {}
    if len(central) < 100:
        return result
    for code, yes, no in (("T01", 17, 3), ("V05", 2, 4)):
        flags = values[code][1, central] > 0
        result[code] = np.zeros(units.count, bool)
        result[code][np.concatenate([central[flags][-yes:], central[~flags][-no:]])] = True
    return result


def cut_out(country: Country, rows: Ints, extra: Bools) -> Country:
    """The country reduced to the units `rows`, in that order, with the whole design; `extra` ones always answer."""
    units = country.units
    arrays: dict[str, Any] = {
        name: np.ascontiguousarray(getattr(units, name)[..., rows])
        for name in units.__dataclass_fields__
        if name != "special"
    }
    return replace(
        country,
        units=replace(units, **arrays),
        values={code: np.ascontiguousarray(column[:, rows]) for code, column in country.values.items()},
        jump=country.jump[rows],
        unknown_answers={code: mask[rows] & ~extra for code, mask in country.unknown_answers.items()},
    )
