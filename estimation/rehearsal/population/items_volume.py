"""Production, storage and development of the enterprises (items P, S, D)."""

import numpy as np

from estimation.methods.arrays import Floats, Ints
from estimation.rehearsal.population.calibrate import cell_sums, fit_share, scale_to, solve_tilt
from estimation.rehearsal.population.margins import rake
from estimation.rehearsal.population.regions import SECTION_INDEX
from estimation.rehearsal.population.targets import (
    ACTIVE_SHARE,
    CENTRAL_ACTIVE_PB,
    EQUIPMENT_SHARE,
    LEVELS,
    NEW_FIELDS_EB,
    SECTION_INCREASE_ZB,
    T1_DEVELOPMENT,
    T2_AI_SHARE,
    T2_DEVELOPMENT,
    T2_PRODUCTION_ZB,
    TB_PER_EB,
    TB_PER_PB,
    TB_PER_ZB,
)
from estimation.rehearsal.population.units import CENTRAL, DATA, HEAD, OTHER
from estimation.rehearsal.population.world import Y24, Y25, World

# Logit of the share of sensed data in production, sections A to R; the level is calibrated.
_SENSED = np.array(
    [1.2, 1.5, 0.6, 1.4, 0.8, -0.6, 1.0, -0.3, -1.6, -1.8, -0.4, -1.2, -0.5, 1.3, -0.5, -0.9, 0.3, -0.4]
)
# Sections in which a new field occurs, with the share of units that have any.
_FIELDS: dict[str, dict[str, float]] = {
    "P06": {"C": 0.10, "G": 0.03, "I": 0.02, "M": 0.03, "Q": 0.02},
    "P07": {"A": 0.05, "C": 0.03, "E": 0.03, "G": 0.05, "I": 0.02, "M": 0.05, "N": 0.06},
    "P08": {"C": 0.012, "I": 0.015, "M": 0.02},
    "P09": {"C": 0.05, "G": 0.25, "I": 0.03, "F": 0.02},
}


def build_production(world: World) -> None:
    """P01 to P09: section levels of Table 2, national level of 2024, sensed and machine-made parts."""
    now = np.array(T2_PRODUCTION_ZB)
    before = now.copy()
    for letter, increase in SECTION_INCREASE_ZB.items():
        before[SECTION_INDEX[letter]] -= increase
    rest = np.array([letter not in SECTION_INCREASE_ZB for letter in "ABCDEFGHIJKLMNOPQR"])
    before[rest] *= (LEVELS["P01"].enterprise[Y24] - before[~rest].sum()) / before[rest].sum()
    raw = world.raw("P01")
    total = np.stack([scale_to(raw[y], world.section, t * TB_PER_ZB) for y, t in ((Y24, before), (Y25, now))])
    world.store("P01", total)
    nation = np.zeros(len(world.section), np.int64)
    sensed, generated = [], []
    unit_effect = 0.7 * world.normal("P02")
    for year in (Y24, Y25):
        logit = _SENSED[world.section] + unit_effect + 0.15 * world.normal(f"P02 {year}")
        goal = np.array([LEVELS["P02"].enterprise[year] * TB_PER_ZB])
        sensed.append(fit_share(total[year], logit, nation, goal))
        other = total[year] - sensed[year]
        logit = -0.2 * (world.section != 8) + 0.5 * world.intensity + 0.5 * unit_effect
        generated.append(fit_share(other, logit, nation, np.array([(0.09, 0.16)[year] * other.sum()])))
    world.store("P02", np.stack(sensed))
    world.store("P04", np.stack(generated))
    world.store("P03", total - np.stack(sensed) - np.stack(generated))
    _fields(world, total)


def _fields(world: World, total: Floats) -> None:
    industrial = np.isin(world.section, (1, 2, 3)).astype(np.int64)
    spread = 0.6 * world.normal("P05")
    equipment = []
    for year in (Y24, Y25):
        base = total[year] * industrial
        goals = np.array([0.0, EQUIPMENT_SHARE[year] / 100 * base.sum()])
        equipment.append(fit_share(base, spread, industrial, goals) * industrial)
    world.store("P05", np.stack(equipment))
    nation = np.zeros(len(world.section), np.int64)
    for code, sections in _FIELDS.items():
        chance = np.zeros(18)
        for letter, share in sections.items():
            chance[SECTION_INDEX[letter]] = share
        # Larger firms have new fields more often.
        often = np.where(world.units.size[world.enterprise] <= 1, 2.0, 0.8)
        has = world.streams(code + " has").random(len(nation)) < np.clip(
            chance[world.section] * often, 0, 0.9
        )
        logit = 0.8 * world.normal(code)
        parts = [
            fit_share(total[y] * has, logit, nation, np.array([NEW_FIELDS_EB[code][y] * TB_PER_EB]))
            for y in (Y24, Y25)
        ]
        world.store(code, np.stack(parts))


def storage_by_section() -> Floats:
    """Stored data of sections A to R in 2025, ZB: production tilted until Table 2's ratios give the national ones."""
    production = np.array(T2_PRODUCTION_ZB)
    level = LEVELS["S02"].enterprise[Y25]
    ai_share = LEVELS["A02"].enterprise[Y25] / (level * 1024) * 100
    base = production * (level / production.sum())
    return solve_tilt(base, [np.array(T2_DEVELOPMENT), np.array(T2_AI_SHARE)], [T1_DEVELOPMENT[3], ai_share])


def build_storage(world: World) -> None:
    """S01 to S08: stocks of both years and the movements between them."""
    sections = storage_by_section()
    raw = world.raw("S02", spread=0.4, drift=0.06)
    levels = LEVELS["S02"].enterprise
    central = world.group == CENTRAL
    total = np.empty_like(raw)
    for year in (Y24, Y25):
        # Central enterprises first: their active data have a published mean, so their stock follows.
        goal = CENTRAL_ACTIVE_PB[year] * TB_PER_PB * central.sum() / 0.66
        central_stock = raw[year] * central * (goal / max(float(raw[year][central].sum()), 1e-9))
        target = sections * (levels[year] / levels[Y25]) * TB_PER_ZB
        rest = target - cell_sums(central_stock, world.section, 18)
        total[year] = central_stock + scale_to(
            raw[year] * ~central, world.section, np.maximum(rest, 0.05 * target)
        )
        total[year] *= levels[year] * TB_PER_ZB / total[year].sum()
    world.store("S02", total)
    nation = np.zeros(len(central), np.int64)
    spare = total * np.exp(0.6 * world.normal("S01"))
    for year in (Y24, Y25):
        gap = (LEVELS["S01"].enterprise[year] - levels[year]) * TB_PER_ZB
        spare[year] *= gap / spare[year].sum()
    world.store("S01", total + spare)
    for code, tilt in (("S03", 0.25), ("S05", 0.1)):
        logit = 0.9 * world.normal(code) + tilt * world.intensity
        part = [
            fit_share(
                total[y],
                logit + 0.1 * world.normal(f"{code} {y}"),
                nation,
                np.array([LEVELS[code].enterprise[y] * TB_PER_ZB]),
            )
            for y in (Y24, Y25)
        ]
        world.store(code, np.stack(part))
    world.store("S04", total - world.of("S03"))
    _active(world, total)
    _movements(world, total)


def _active(world: World, total: Floats) -> None:
    """S06: published shares of sections G and J and of central enterprises; the rest meets the national level."""
    kind = np.zeros(len(world.section), np.int64)
    kind[world.section == SECTION_INDEX["G"]] = 1
    kind[world.section == SECTION_INDEX["J"]] = 2
    central = world.group == CENTRAL
    kind[central] = 3
    parts = []
    logit = 0.7 * world.normal("S06")
    for year in (Y24, Y25):
        goals = np.zeros(4)
        goals[3] = CENTRAL_ACTIVE_PB[year] * TB_PER_PB * central.sum()
        for number, letter in ((1, "G"), (2, "J")):
            inside = world.section == SECTION_INDEX[letter]
            share = (ACTIVE_SHARE[letter] - (2.5 if year == Y24 else 0.0)) / 100
            assigned = (
                goals[3] * total[year][inside & central].sum() / max(float(total[year][central].sum()), 1e-9)
            )
            goals[number] = share * total[year][inside].sum() - assigned
        goals[0] = LEVELS["S06"].enterprise[year] * TB_PER_ZB - goals[1:].sum()
        parts.append(fit_share(total[year], logit + 0.15 * world.normal(f"S06 {year}"), kind, goals))
    world.store("S06", np.stack(parts))


def _movements(world: World, total: Floats) -> None:
    """S07, S08: what was added and taken off, so that last year's stock, both and this year's stock agree."""
    rng = world.streams("S07")
    churn = rng.uniform(0.02, 0.08, len(world.section))
    change = np.where(world.panel, total[Y25] - total[Y24], 0.15 * total[Y25])
    added = np.stack([(0.16 + churn) * total[Y24], np.maximum(change, 0) + churn * total[Y25]])
    off = np.stack([churn * total[Y24], np.maximum(-change, 0) + churn * total[Y25]])
    world.store("S07", added)
    world.store("S08", off)


def build_development(world: World) -> None:
    """D01: ratios to S02 by section (Table 2) and by group (Table 1) at once, by raking section x group."""
    stored, live = world.of("S02"), world.of("S06")  # what is developed was also accessed
    rng = world.streams("D01")
    uses = rng.random(len(world.section)) < np.where(world.group == OTHER, 0.8, 0.93)
    uses |= world.group <= CENTRAL
    logit = 0.7 * world.normal("D01") + 0.2 * world.intensity
    parts = []
    for year in (Y24, Y25):
        base = live[year] * uses
        goals = development_goals(stored[year], world.section, world.group, 1.0 if year == Y25 else 0.94)
        parts.append(fit_share(base, logit + 0.1 * world.normal(f"D01 {year}"), world.cell, goals.ravel()))
    world.store("D01", np.stack(parts))


def development_goals(stored: Floats, section: Ints, group: Ints, factor: float) -> Floats:
    """Developed data by section and group (18, 4), TB, that meet both published tables times `factor`."""
    weights = cell_sums(stored, section * 4 + group, 72).reshape(18, 4)
    by_group = weights.sum(0)
    rows = weights.sum(1) * np.array(T2_DEVELOPMENT) / 100
    columns = np.zeros(4)
    columns[HEAD] = T1_DEVELOPMENT[0] / 100 * by_group[HEAD]
    columns[CENTRAL] = T1_DEVELOPMENT[1] / 100 * by_group[CENTRAL]
    columns[DATA] = T1_DEVELOPMENT[2] / 100 * (by_group[DATA] + by_group[HEAD]) - columns[HEAD]
    columns[OTHER] = rows.sum() - columns[:OTHER].sum()
    seed = weights * np.array(T2_DEVELOPMENT)[:, None]
    return rake(seed, rows, columns) * factor
