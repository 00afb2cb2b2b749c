"""Artificial intelligence and computing capacity of the enterprises (items A and K)."""

import numpy as np

from estimation.methods.arrays import Bools
from estimation.rehearsal.population.calibrate import cell_sums, fit_share
from estimation.rehearsal.population.items_flow import growing_levels, whole_numbers_where
from estimation.rehearsal.population.targets import (
    EXTERNAL_TRAINING_HEADS,
    INTELLIGENT_PFLOPS,
    LEVELS,
    T2_AI_GROWTH,
    T2_AI_SHARE,
    TB_PER_EB,
    TB_PER_PB,
)
from estimation.rehearsal.population.units import CENTRAL, DATA, HEAD
from estimation.rehearsal.population.world import Y24, Y25, World

_CENTRAL_COMPUTING_GROWTH = 1.6599
# Who owns the intelligent computing of 2025: operators, other central, heads, other enterprises (rest: public).
COMPUTING_SHARES = {"operators": 0.27, "central": 0.16, "heads": 0.31, "other": 0.19, "public": 0.07}


def build_ai(world: World) -> None:
    """A01 to A09: shares of stored data per section (Table 2), training and inference, datasets."""
    stored = world.of("S02")
    uses = _users(world)
    world.store("A01", uses.astype(float))
    weights = cell_sums(stored[Y25], world.section, 18)
    goals = weights * np.array(T2_AI_SHARE) / 100
    level = LEVELS["A02"].enterprise
    goals *= level[Y25] * TB_PER_EB / goals.sum()
    logit = 0.8 * world.normal("A02") + 0.3 * world.intensity
    now = fit_share(stored[Y25] * uses[Y25], logit, world.section, goals)
    before = now * np.exp(-world.growth - 0.2 * world.normal("A02 drift")) * uses[Y24]
    before = np.where(world.panel, before, 0.12 * stored[Y24] * uses[Y24] * np.exp(0.5 * logit))
    growth = np.array(T2_AI_GROWTH)
    total = growing_levels(world, now, before, growth, level[Y24] * TB_PER_EB)
    for _ in range(4):  # a part of the stored data cannot exceed them; what is cut is added to the others
        total[Y24] = np.minimum(total[Y24], 0.97 * stored[Y24])
        total = growing_levels(world, now, total[Y24], growth, level[Y24] * TB_PER_EB)
    total[Y24] = np.minimum(total[Y24], stored[Y24])
    # What the caps still cut off is added to the units that left and are below their cap.
    capacity = np.maximum(0.97 * stored[Y24] - total[Y24], 0.0) * uses[Y24] * ~world.panel
    missing = level[Y24] * TB_PER_EB - total[Y24].sum()
    total[Y24] += capacity * min(1.0, max(missing, 0.0) / max(capacity.sum(), 1e-9))
    world.store("A02", total)
    nation = np.zeros(len(world.section), np.int64)
    infer = 0.8 * world.normal("A04")
    inference = np.stack(
        [
            fit_share(total[y], infer, nation, np.array([LEVELS["A04"].enterprise[y] * TB_PER_EB]))
            for y in (Y24, Y25)
        ]
    )
    training = total - inference
    world.store("A03", training)
    world.store("A04", inference)
    kind = np.where(world.group == HEAD, 0, 1)
    outside = 0.8 * world.normal("A05")
    external = [
        fit_share(
            training[y],
            outside,
            kind,
            np.array([EXTERNAL_TRAINING_HEADS[y] / 100, (0.29, 0.34)[y]]) * cell_sums(training[y], kind, 2),
        )
        for y in (Y24, Y25)
    ]
    world.store("A05", np.stack(external))
    _datasets(world, uses, stored)
    rng = world.streams("A09")
    tokens = np.exp(0.6 * (world.volume - 2) + 1.2 * world.normal("A09")) * 3.0
    world.store("A09", np.stack([tokens * 0.16, tokens]) * uses * (rng.random(len(nation)) < 0.8))


def _users(world: World) -> Bools:
    """Who uses artificial intelligence: more in sections with a high published share, persistent over the years."""
    share = np.array(T2_AI_SHARE)
    base = np.log((0.10 + 0.024 * share) / (0.90 - 0.024 * share))[world.section]
    logit = (
        base
        + 0.5 * world.relative_size
        + 0.4 * world.intensity
        + 0.9 * (world.units.size[world.enterprise] <= 1)
    )
    logit = np.where(world.group <= CENTRAL, 8.0, logit)
    draw = world.streams("A01").random(len(logit))
    chance = 1 / (1 + np.exp(-logit))
    return np.stack([draw < 0.86 * chance, draw < chance]) & world.exists & world.active | (
        (world.group <= CENTRAL) & world.exists
    )


def _datasets(world: World, uses: Bools, stored: np.ndarray) -> None:
    """A06, A07, A08: high-quality datasets; a dataset always has a volume and the other way round."""
    rng = world.streams("A06")
    chance = np.where(world.group == DATA, 0.3, np.where(world.group <= CENTRAL, 0.9, 0.16))
    draw = rng.random(len(chance))
    has = np.stack([draw < 0.72 * chance, draw < chance]) & uses
    raw = np.exp(0.4 * (world.volume - 1) + 0.6 * world.normal("A06"))
    nation = np.zeros(len(chance), np.int64)
    counts, volumes = [], []
    logit = 0.9 * world.normal("A07")
    for year in (Y24, Y25):
        goal = LEVELS["A06"].enterprise[year] * 1e4
        expected = raw * has[year]
        counts.append(whole_numbers_where(expected * goal / expected.sum(), has[year], rng))
        target = LEVELS["A07"].enterprise[year] * TB_PER_PB
        # Datasets grow slower than the stock they come from; together the caps stay above the level.
        cap = np.exp(0.5 * world.volume) * has[year]
        cap = np.minimum(cap * (4 * target / cap.sum()), stored[year])
        volumes.append(fit_share(cap, logit, nation, np.array([target])))
    world.store("A06", np.stack(counts))
    world.store("A07", np.stack(volumes))
    traded = rng.binomial(np.stack(counts).astype(np.int64), 0.12)
    world.store("A08", traded.astype(float))


def build_computing(world: World) -> None:
    """K01 to K06: who has a computing centre, its capacity, what is rented and spent."""
    rng = world.streams("K")
    count = len(world.section)
    category = world.units.category[world.enterprise]
    large = world.units.size[world.enterprise] == 0
    chance = np.where(
        world.group <= CENTRAL, 1.0, np.where(large, 0.22, np.where(world.group == DATA, 0.10, 0.03))
    )
    draw = rng.random(count)
    own = np.stack([draw < np.where(chance < 1, 0.9 * chance, 1.0), draw < chance]) & world.exists
    world.store("K01", own.astype(float))
    intelligent = own & ((rng.random(count) < 0.55) | (world.group <= CENTRAL))
    raw = np.exp(0.7 * world.volume + 0.6 * world.normal("K03"))
    kind = np.where(category == 6, 0, np.where(category == 7, 1, np.where(world.group == HEAD, 2, 3)))
    now = np.array([COMPUTING_SHARES[name] for name in ("operators", "central", "heads", "other")])
    now = now * INTELLIGENT_PFLOPS[Y25]
    public = COMPUTING_SHARES["public"] * INTELLIGENT_PFLOPS[Y24]
    before = now.copy()
    before[:2] /= _CENTRAL_COMPUTING_GROWTH
    before[2:] *= (INTELLIGENT_PFLOPS[Y24] - public - before[:2].sum()) / before[2:].sum()
    capacity = np.stack(
        [
            _scaled(raw * np.exp(-0.1 * (1 - y) * world.normal("K03 drift")) * intelligent[y], kind, goals)
            for y, goals in ((Y24, before), (Y25, now))
        ]
    )
    world.store("K03", capacity)
    # FP32 capacity of everything: the intelligent part counts one eighth of its FP16 figure.
    plain = own * np.exp(0.5 * world.volume + 0.5 * world.normal("K02")) * 0.02
    world.store("K02", capacity / 8 + plain)
    share = np.where(world.group == CENTRAL, 79.6, np.where(world.group == HEAD, 88.0, 55.0))
    share = np.clip(share + np.where(world.group <= CENTRAL, 5.0, 18.0) * world.normal("K04"), 2.0, 99.0)
    world.store("K04", np.where(intelligent, np.stack([share * 0.94, share]), 0.0))
    rented = (rng.random(count) < np.where(world.group == DATA, 0.12, 0.03)) | (world.group <= CENTRAL)
    world.store(
        "K05", np.exp(0.5 * world.volume + 0.7 * world.normal("K05")) * rented * np.array([[0.04], [0.07]])
    )
    spend = capacity * (8.0 * np.exp(0.4 * world.normal("K06")))
    heads = world.group == HEAD
    for year, goal in ((Y24, 7.9e6), (Y25, 1.052e7)):  # more than 100 billion yuan in 2025
        spend[year] = np.where(
            heads, spend[year] * goal / max(spend[year][heads].sum(), 1e-9), spend[year] * 0.4
        )
    world.store("K06", spend)


def _scaled(raw: np.ndarray, kind: np.ndarray, goals: np.ndarray) -> np.ndarray:
    sums = cell_sums(raw, kind, len(goals))
    result: np.ndarray = raw * np.divide(goals, sums, out=np.zeros(len(goals)), where=sums > 0)[kind]
    return result
