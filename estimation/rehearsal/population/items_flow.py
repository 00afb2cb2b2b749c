"""Circulation and trade of the enterprises (items F and T)."""

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.rehearsal.population.calibrate import (
    cell_sums,
    fit_share,
    pick_exact,
    scale_to,
    whole_numbers,
)
from estimation.rehearsal.population.margins import largest_remainder, rake
from estimation.rehearsal.population.regions import REGION_INDEX
from estimation.rehearsal.population.targets import (
    BUYERS_2024,
    FLOW_2024_EB,
    HEAD_MULTIPLES,
    LEVELS,
    PANEL_GROWTH,
    T1_BUYERS,
    T2_BUYERS,
    T2_FLOW_EB,
    T2_FLOW_GROWTH,
    T2_PUBLIC_SHARE,
    TB_PER_EB,
)
from estimation.rehearsal.population.units import CENTRAL, DATA, HEAD, OTHER
from estimation.rehearsal.population.world import Y24, Y25, World

_LOCAL_GROUP_PUBLIC = (
    66.1  # percent of the flow of local data groups that is public data (text of the report)
)


def growing_levels(world: World, now: Floats, before: Floats, growth: Floats, level_before: float) -> Floats:
    """Values (2, E): 2025 as given, 2024 with panel growth per section (percent) and a national level.

    What the panel does not explain of `level_before` is what the units that left carried.
    """
    panel_now = world.panel_sums(now, world.section, 18)
    panel = scale_to(before * world.panel, world.section, panel_now / (1 + growth / 100))
    return np.stack([panel + world.spread_left(before, panel, level_before - panel.sum()), now])


def build_flows(world: World, bought: Bools) -> None:
    """F01 to F08: sections of Table 2, heads and central enterprises at the published multiple of the others."""
    rng = world.streams("F01")
    exchanging = rng.random(len(world.section)) < np.where(world.group == OTHER, 0.82, 0.95)
    exchanging = (exchanging | (world.group <= CENTRAL)) | bought
    raw = world.raw("F01", spread=0.5, drift=0.15) * exchanging
    goals = _flow_goals(world, raw[Y25])
    now = scale_to(raw[Y25], world.cell, goals.ravel())
    total = growing_levels(world, now, raw[Y24], np.array(T2_FLOW_GROWTH), FLOW_2024_EB * TB_PER_EB)
    world.store("F01", total)
    provided = total / (1 + np.exp(-0.9 * world.normal("F02")))
    world.store("F02", provided)
    world.store("F03", total - provided)
    _public_part(world, total)
    nation = np.zeros(len(world.section), np.int64)
    abroad_units = rng.random(len(nation)) < np.where(world.group <= CENTRAL, 0.95, 0.12)
    logit, out = 0.9 * world.normal("F06"), 0.7 * world.normal("F07")
    across = 0.8 * world.normal("F05")
    abroad, leaving, provinces = [], [], []
    for year in (Y24, Y25):
        base = total[year] * abroad_units
        goal = LEVELS["F06"].enterprise[year] * TB_PER_EB
        abroad.append(fit_share(base, logit, nation, np.array([goal])))
        leaving.append(fit_share(abroad[year], out, nation, np.array([0.47 * goal])))
        inside = total[year] - abroad[year]
        provinces.append(fit_share(inside, across, nation, np.array([(0.452, 0.46)[year] * inside.sum()])))
    world.store("F06", np.stack(abroad))
    world.store("F07", np.stack(leaving))
    world.store("F08", np.stack(abroad) - np.stack(leaving))
    world.store("F05", np.stack(provinces))


def _flow_goals(world: World, raw: Floats) -> Floats:
    """Flow by section and group (18, 4), TB."""
    sections = np.array(T2_FLOW_EB) * TB_PER_EB
    present = world.exists[Y25]
    units = np.bincount(world.group[present], minlength=4).astype(float)
    multiple = HEAD_MULTIPLES["F01"]
    other = sections.sum() / (units[OTHER] + units[DATA] + multiple * (units[HEAD] + units[CENTRAL]))
    columns = np.array([multiple * other * units[HEAD], multiple * other * units[CENTRAL], 0.0, 0.0])
    seed = cell_sums(raw, world.cell, 72).reshape(18, 4)
    rest = sections.sum() - columns.sum()
    natural = seed * (sections / np.maximum(seed.sum(1), 1e-9))[:, None]
    columns[DATA:] = rest * natural.sum(0)[DATA:] / natural.sum(0)[DATA:].sum()
    return rake(natural, sections, columns)


def _public_part(world: World, total: Floats) -> None:
    """F04: published share per section; local data groups have a published share of their own."""
    local = world.units.category[world.enterprise] == 10
    kind = np.where(local, 18, world.section)
    logit = 0.8 * world.normal("F04")
    has = (world.streams("F04").random(len(local)) < 0.7) | local | (world.group <= CENTRAL)
    parts = []
    for year in (Y24, Y25):
        goals = np.zeros(19)
        sums = cell_sums(total[year], world.section, 18)
        share = np.array(T2_PUBLIC_SHARE) / 100 * (1.0 if year == Y25 else 0.97)
        goals[18] = (_LOCAL_GROUP_PUBLIC if year == Y25 else 63.4) / 100 * total[year][local].sum()
        assigned = cell_sums(total[year] * local, world.section, 18)
        goals[:18] = share * sums - assigned * goals[18] / max(assigned.sum(), 1e-9)
        parts.append(fit_share(total[year] * has, logit, kind, np.maximum(goals, 0)))
    world.store("F04", np.stack(parts))


def buyers_by_cell(units: Ints) -> Ints:
    """Buyers by section and group (18, 4) among `units` (18, 4) that give the shares of Tables 1 and 2."""
    by_section = np.rint(units.sum(1) * np.array(T2_BUYERS) / 100).astype(np.int64)
    result = np.zeros((18, 4), np.int64)
    for group in (HEAD, CENTRAL):
        target = int(np.rint(units[:, group].sum() * T1_BUYERS[group] / 100))
        result[:, group] = largest_remainder(units[:, group].astype(float), target, cap=units[:, group])
    data = int(np.rint(units[:, [HEAD, DATA]].sum() * T1_BUYERS[2] / 100)) - int(result[:, HEAD].sum())
    result[:, DATA] = largest_remainder(units[:, DATA].astype(float), max(data, 0), cap=units[:, DATA])
    rest = by_section - result.sum(1)
    result[:, OTHER] = np.clip(rest, 0, units[:, OTHER])
    return result


def build_purchases(world: World, bought: Bools) -> None:
    """T01 to T03: who bought data, for how much, how much of it."""
    world.store("T01", bought.astype(float))
    turnover = world.of("B10")
    spent = np.stack(
        [
            bought[y]
            * np.minimum(
                turnover[y] ** 0.62
                * np.exp(
                    0.7 * world.normal("T02") - (1 - y) * 0.2 - 0.15 * (1 - y) * world.normal("T02 drift")
                )
                * 0.12,
                0.15 * turnover[y],
            )
            for y in (Y24, Y25)
        ]
    )
    nation = np.zeros(len(world.section), np.int64)
    present = world.exists[Y25]
    big = world.group <= CENTRAL
    mean_other = spent[Y25][present & ~big].mean()
    for group in (HEAD, CENTRAL):
        in_group = world.group == group
        goal = HEAD_MULTIPLES["T02"] * mean_other * in_group.sum()
        spent[Y25] = np.where(in_group, spent[Y25] * goal / max(spent[Y25][in_group].sum(), 1e-9), spent[Y25])
        spent[Y24] = np.where(
            in_group, spent[Y24] * goal / 1.25 / max(spent[Y24][in_group].sum(), 1e-9), spent[Y24]
        )
    goal = world.panel_sums(spent[Y25], nation, 1) / (1 + PANEL_GROWTH["T02"] / 100)
    world.store("T02", world.keep_growth(spent, nation, goal))
    _bought_volume(world, bought)


def buyers(world: World) -> Bools:
    """Who bought data, (2, E): exact counts per section and group, Beijing and Shanghai more often."""
    rng = world.streams("T01")
    capital = np.isin(world.units.region[world.enterprise], [REGION_INDEX["110000"], REGION_INDEX["310000"]])
    propensity = 1.25 * capital + 0.25 * world.relative_size + 0.3 * world.intensity
    score = propensity + rng.gumbel(size=len(capital))
    flags = np.zeros((2, len(capital)), bool)
    for year in (Y25, Y24):
        present = world.exists[year] & world.active
        alive = np.bincount(world.cell[world.exists[year]], minlength=72).reshape(18, 4)
        counts = buyers_by_cell(alive)
        if year == Y24:
            counts = np.rint(counts * BUYERS_2024 / T1_BUYERS[3]).astype(np.int64)
            score = score + 0.5 * rng.gumbel(size=len(capital))
        flags[year] = pick_exact(np.where(present, score, -np.inf), world.cell, counts.ravel()) & present
    return flags


def _bought_volume(world: World, bought: Bools) -> None:
    """T03 is a part of F03; buyers always have both."""
    obtained = world.of("F03")
    kind = np.where(world.group == HEAD, 0, np.where(world.group == CENTRAL, 1, 2))
    logit = 0.45 * world.normal("T03")
    parts = []
    for year in (Y24, Y25):
        base = obtained[year] * bought[year]
        present = world.exists[year]
        goals = np.array([0.0, 0.004, 0.055]) * cell_sums(base, kind, 3)
        mean = goals[1:].sum() / max((present & (kind > 0)).sum(), 1)
        goals[0] = HEAD_MULTIPLES["T03"] * mean * (present & (kind == 0)).sum()
        parts.append(fit_share(base, logit, kind, goals))
    world.store("T03", np.stack(parts))


def build_products(world: World, earning: Bools) -> None:
    """T06 to T09: data products and their sales; only enterprises with data revenue sell."""
    rng = world.streams("T06")
    chance = np.where(world.group == DATA, 0.42, np.where(world.group <= CENTRAL, 0.75, 0.08))
    draw = rng.random(len(chance))
    has = np.stack([(draw < chance * 0.93), (draw < chance)]) | earning
    has[Y25] |= earning[Y24]  # what was on offer stays on offer
    has &= world.exists
    mean = np.where(world.group == HEAD, 60.0, np.where(world.group == CENTRAL, 40.0, 4.0))
    raw = mean * np.exp(0.7 * world.normal("T06") + 0.3 * world.intensity)
    now = whole_numbers_where(raw, has[Y25], rng)
    counts = np.stack([raw * np.exp(-0.15 * world.normal("T06 drift")) * has[Y24], now])
    nation = np.zeros(len(chance), np.int64)
    goal = world.panel_sums(now, nation, 1) / (1 + PANEL_GROWTH["T06"] / 100)
    before = world.keep_growth(counts, nation, goal)[Y24]
    world.store("T06", np.stack([whole_numbers_where(before, has[Y24], rng), now]))
    turnover = world.of("B10")
    share = 0.25 * np.maximum(turnover, 1.0) ** -0.15 * np.exp(0.7 * world.normal("T07"))
    sold = np.stack(
        [
            np.minimum(
                turnover[y] * share[y] * np.exp(-0.2 * (1 - y) * world.normal("T07 drift")),
                0.45 * turnover[y],
            )
            * earning[y]
            for y in (Y24, Y25)
        ]
    )
    goal = world.panel_sums(sold[Y25], nation, 1) / (1 + PANEL_GROWTH["T07"] / 100)
    sold = world.keep_growth(sold, nation, goal)
    world.store("T07", np.minimum(sold, 0.6 * turnover))
    world.store("T08", world.of("T07") * (0.08 * rng.random(len(nation)) * (rng.random(len(nation)) < 0.4)))
    world.store("T09", world.of("T07") * (0.25 * rng.random(len(nation)) * (rng.random(len(nation)) < 0.35)))


def whole_numbers_where(expected: Floats, where: Bools, rng: np.random.Generator) -> Floats:
    """Whole numbers of at least 1 near `expected` where `where`, else 0."""
    result = np.zeros_like(expected)
    result[where] = whole_numbers(expected[where], rng, minimum=1)
    return result
