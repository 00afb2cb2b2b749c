"""Spending, value and security of the enterprises (items V and G)."""

import numpy as np

from estimation.methods.arrays import Bools, Floats
from estimation.rehearsal.population.calibrate import pick_exact
from estimation.rehearsal.population.targets import (
    PANEL_GROWTH,
    SPENDING_GROWTH_AGRICULTURE,
    T1_SPENDING_GROWTH,
    T1_VALUE,
    VALUE_2024,
)
from estimation.rehearsal.population.units import CENTRAL, DATA, HEAD, OTHER
from estimation.rehearsal.population.world import Y24, Y25, World


def build_spending(world: World) -> None:
    """V01 to V04, G03, G05: growth per group of Table 1 and of agriculture on the panel."""
    turnover = world.of("B10")
    share = (
        0.009
        * np.exp(0.42 * world.normal("V01") + 0.2 * world.intensity)
        * np.where(world.group == DATA, 4.0, 1.0)
    )
    spent = (
        np.stack(
            [
                np.minimum(
                    turnover[y] ** 0.7
                    * share
                    * 12.0
                    * np.exp(-(1 - y) * (world.growth * 0.6 + 0.12 * world.normal("V01 drift"))),
                    0.6 * turnover[y],
                )
                for y in (Y24, Y25)
            ]
        )
        * world.active
    )
    cell, goals = _spending_goals(world, spent[Y25])
    spent = world.keep_growth(spent, cell, goals)
    world.store("V01", spent)
    rng = world.streams("V02")
    mix = rng.gamma(np.array([3.0, 2.0, 1.2])[:, None], size=(3, len(share)))
    mix /= mix.sum(0)
    world.store("V02", spent * mix[0])
    world.store("V03", spent * mix[1])
    world.store("V04", spent - spent * mix[0] - spent * mix[1])
    world.store("G03", spent * rng.uniform(0.02, 0.16, len(share)))
    world.store("G05", world.of("S02") * rng.uniform(0.05, 0.5, len(share)) * (rng.random(len(share)) < 0.6))


def _spending_goals(world: World, now: Floats) -> tuple[np.ndarray, Floats]:
    """Cells (agriculture or not x group) and their panel sums of 2024 that give every published growth rate."""
    farming = (world.section == 0).astype(np.int64)
    cell = farming * 4 + world.group
    sums = world.panel_sums(now, cell, 8).reshape(2, 4)
    head, central, data, everyone = (1 + g / 100 for g in T1_SPENDING_GROWTH)
    before = np.zeros((2, 4))
    before[:, HEAD] = sums[:, HEAD] / head
    before[:, CENTRAL] = sums[:, CENTRAL] / central
    data_total = sums[:, [HEAD, DATA]].sum() / data - before[:, HEAD].sum()
    before[:, DATA] = sums[:, DATA] * data_total / max(sums[:, DATA].sum(), 1e-9)
    before[1, OTHER] = sums[1].sum() / (1 + SPENDING_GROWTH_AGRICULTURE / 100) - before[1, :OTHER].sum()
    before[0, OTHER] = sums.sum() / everyone - before[0, :OTHER].sum() - before[1].sum()
    if (before < 0).any():  # tiny countries: a group may outweigh its section
        before = sums / everyone
    return cell, before.ravel()


def value_makers(world: World) -> Bools:
    """V05 (2, E): who had direct revenue from data; counts per group as in Table 1, the base being all its units."""
    rng = world.streams("V05")
    score = 0.4 * world.intensity + 0.2 * world.relative_size + rng.gumbel(size=len(world.section))
    flags = np.zeros((2, len(score)), bool)
    for year in (Y25, Y24):
        eligible = world.exists[year] & world.active
        alive = np.bincount(world.group[world.exists[year]], minlength=4)
        counts = np.zeros(4, np.int64)
        counts[HEAD] = np.rint(alive[HEAD] * T1_VALUE[0] / 100)
        counts[CENTRAL] = np.rint(alive[CENTRAL] * T1_VALUE[1] / 100)
        counts[DATA] = np.rint((alive[DATA] + alive[HEAD]) * T1_VALUE[2] / 100) - counts[HEAD]
        counts[OTHER] = np.rint(alive.sum() * T1_VALUE[3] / 100) - counts[:OTHER].sum()
        if year == Y24:
            counts = np.rint(counts * VALUE_2024 / T1_VALUE[3]).astype(np.int64)
            score = score + 0.05 * rng.gumbel(size=len(score))
        flags[year] = (
            pick_exact(np.where(eligible, score, -np.inf), world.group, np.maximum(counts, 0)) & eligible
        )
    return flags


def build_value(world: World, earning: Bools) -> None:
    """V05 to V11: direct revenue and data assets on the balance sheet."""
    rng = world.streams("V06")
    count = len(world.section)
    turnover = world.of("B10")
    sold = world.of("T07")
    more = turnover * (0.015 * np.exp(0.7 * world.normal("V06")))
    world.store("V05", earning.astype(float))
    world.store("V06", np.minimum(sold * rng.uniform(1.0, 1.25, count) + more, 0.9 * turnover) * earning)
    chance = np.where(world.group == DATA, 0.055, np.where(world.group <= CENTRAL, 0.3, 0.013))
    draw = rng.random(count)
    listed = np.stack([draw < 0.93 * chance, draw < chance]) & world.exists
    assets = world.of("B11")
    value = np.minimum(assets**0.7 * 0.15 * np.exp(0.5 * world.normal("V08")), 0.3 * assets) * listed
    nation = np.zeros(count, np.int64)
    goal = world.panel_sums(value[Y25], nation, 1) / (1 + PANEL_GROWTH["V08"] / 100)
    value = np.minimum(world.keep_growth(value, nation, goal), 0.8 * assets)
    world.store("V07", listed.astype(float))
    world.store("V08", value)
    mix = rng.gamma(np.array([4.0, 1.0, 1.5])[:, None], size=(3, count))
    mix /= mix.sum(0)
    world.store("V09", value * mix[0])
    world.store("V10", value * mix[1])
    world.store("V11", value - value * mix[0] - value * mix[1])


def build_flags(world: World) -> None:
    """Yes/no items without a published share: data office, chief data officer, use of public data, security."""
    large = world.units.size[world.enterprise] <= 1
    base = 0.5 * world.intensity + 0.4 * world.relative_size + 0.9 * large + 0.8 * (world.group == DATA)
    public_data = world.of("F04") > 0
    for code, level, step in (
        ("B15", -1.6, 0.25),
        ("B16", -2.6, 0.3),
        ("G01", -0.9, 0.3),
        ("G04", -5.5, 0.0),
    ):
        chance = 1 / (1 + np.exp(-(level + base + 3.0 * (world.group <= CENTRAL) * (code != "G04"))))
        draw = world.streams(code).random(len(base))
        flags = np.stack([draw < chance * (1 - 0.3 * step), draw < chance])
        world.store(code, flags.astype(float))
    rare = world.streams("D03").random(len(base)) < 0.06
    world.store("D03", (public_data | rare).astype(float))
