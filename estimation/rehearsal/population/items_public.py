"""Values of government bodies, institutions, research bodies and associations (categories 1 to 5 and 14)."""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.rehearsal.population.calibrate import (
    cell_sums,
    fit_share,
    pick_exact,
    scale_to,
    whole_numbers,
)
from estimation.rehearsal.population.items_ai import COMPUTING_SHARES
from estimation.rehearsal.population.targets import (
    INTELLIGENT_PFLOPS,
    LEVELS,
    TB_PER_EB,
    TB_PER_PB,
    TB_PER_ZB,
)
from estimation.rehearsal.population.units import PUBLIC
from estimation.rehearsal.population.world import Y24, Y25, World

# Shares of the public level by category; category 14 stands outside the levels of categories 1 to 13.
_PRODUCTION = {1: 0.10, 2: 0.22, 3: 0.46, 4: 0.17, 5: 0.04, 14: 0.01}
_STORAGE = {1: 0.11, 2: 0.25, 3: 0.40, 4: 0.18, 5: 0.06}
_FLOW_EB = {3: (225.0, 290.0), 4: (21.0, 26.0), 5: (5.2, 6.6), 14: (0.8, 1.0)}
_AI_EB = {1: (0.35, 0.50), 2: (1.15, 1.60), 3: (4.44, 4.20)}
_SCIENCE_AI_EB = (2.86, 5.00)  # categories 4 and 5 together: item A02 equals MS04 there
_SPREAD = {1: 0.7, 2: 0.8, 3: 0.85, 4: 0.85, 5: 0.5, 14: 0.7}


@dataclass(slots=True)
class PublicStage:
    """Public units (index arrays of length U) and their latent volume."""

    world: World
    index: Ints
    category: Ints
    exists: Bools
    volume: Floats
    growth: Floats

    def normal(self, name: str) -> Floats:
        return self.world.streams("public " + name).standard_normal(len(self.index))

    def uniform(self, name: str, low: float, high: float) -> Floats:
        return self.world.streams("public " + name).uniform(low, high, len(self.index))

    def of(self, code: str) -> Floats:
        return self.world.values[code][:, self.index]

    def among(self, *categories: int) -> Bools:
        return np.isin(self.category, categories)

    def store(self, code: str, values: Floats) -> None:
        column = self.world.values.setdefault(code, np.zeros((2, self.world.units.count)))
        column[:, self.index] = np.where(self.exists, values, 0.0)

    def raw(self, name: str, spread: float = 0.3) -> Floats:
        now = np.exp(self.volume + spread * self.normal(name))
        return np.stack([now * np.exp(-self.growth - 0.1 * self.normal(name + " drift")), now]) * self.exists

    def part(self, base: Floats, name: str, goals: tuple[float, float], spread: float = 0.7) -> Floats:
        """Part of `base` (2, U) with national sums `goals` in the two years."""
        nation = np.zeros(len(self.index), np.int64)
        logit = spread * self.normal(name)
        return np.stack([fit_share(base[y], logit, nation, np.array([goals[y]])) for y in (Y24, Y25)])


def build_public(world: World) -> PublicStage:
    """All common items of the public categories; returns the stage for the module items."""
    index = np.flatnonzero(world.units.group == PUBLIC)
    category = world.units.category[index]
    rng = world.streams("public traits")
    spread = np.array([_SPREAD.get(c, 0.8) for c in range(15)])[category]
    stage = PublicStage(
        world,
        index,
        category,
        world.units.exists[:, index],
        spread * rng.standard_normal(len(index)),
        0.1 * rng.standard_normal(len(index)),
    )
    _staff(stage)
    _production(stage)
    _storage(stage)
    _flows(stage)
    _intelligence(stage)
    _spending(stage)
    return stage


def _staff(stage: PublicStage) -> None:
    middle = np.array([0, 220, 90, 160, 240, 60, 0, 0, 0, 0, 0, 0, 0, 0, 35.0])[stage.category]
    people = np.floor(middle * np.exp(0.7 * stage.volume + 0.3 * stage.normal("B09"))) + 3
    stage.store("B09", np.stack([np.floor(people * stage.uniform("B09 drift", 0.93, 1.04)) + 1, people]))
    share = np.where(stage.among(2, 5), 0.4, 0.06) * stage.uniform("B17", 0.5, 1.5)
    stage.store("B17", np.minimum(np.floor(stage.of("B09") * share), stage.of("B09")))


def _pair(level: tuple[float, float], unit: float) -> tuple[float, float]:
    return level[Y24] * unit, level[Y25] * unit


def _levels(shares: dict[int, float], totals: tuple[float, float], year: int) -> Floats:
    goals = np.zeros(15)
    for category, share in shares.items():
        goals[category] = share * totals[year]
    return goals


def _production(stage: PublicStage) -> None:
    level = _pair(LEVELS["P01"].public, TB_PER_ZB)
    raw = stage.raw("P01")
    total = np.stack([scale_to(raw[y], stage.category, _levels(_PRODUCTION, level, y)) for y in (Y24, Y25)])
    total = np.stack([total[y] * (level[y] / total[y].sum()) for y in (Y24, Y25)])
    sensed = stage.part(total, "P02", _pair(LEVELS["P02"].public, TB_PER_ZB))
    rest = total - sensed
    generated = stage.part(rest, "P04", (0.05 * rest[0].sum(), 0.09 * rest[1].sum()))
    for code, values in (("P01", total), ("P02", sensed), ("P04", generated), ("P03", rest - generated)):
        stage.store(code, values)


def _storage(stage: PublicStage) -> None:
    raw = stage.raw("S02")
    level = _pair(LEVELS["S02"].public, TB_PER_ZB)
    total = np.stack([scale_to(raw[y], stage.category, _levels(_STORAGE, level, y)) for y in (Y24, Y25)])
    total = np.stack([total[y] * (level[y] / total[y].sum()) for y in (Y24, Y25)])
    spare = total * np.exp(0.5 * stage.normal("S01"))
    for y in (Y24, Y25):
        spare[y] *= (LEVELS["S01"].public[y] * TB_PER_ZB - level[y]) / spare[y].sum()
    cloud = stage.part(total, "S03", _pair(LEVELS["S03"].public, TB_PER_ZB))
    stage.store("S02", total)
    stage.store("S01", total + spare)
    stage.store("S03", cloud)
    stage.store("S04", total - cloud)
    for code in ("S05", "S06"):
        stage.store(code, stage.part(total, code, _pair(LEVELS[code].public, TB_PER_ZB)))
    churn = stage.uniform("S07", 0.02, 0.07)
    panel = stage.exists.all(0)
    change = np.where(panel, total[Y25] - total[Y24], 0.12 * total[Y25])
    stage.store("S07", np.stack([(0.13 + churn) * total[Y24], np.maximum(change, 0) + churn * total[Y25]]))
    stage.store("S08", np.stack([churn * total[Y24], np.maximum(-change, 0) + churn * total[Y25]]))
    stage.store("G05", total * stage.uniform("G05", 0.1, 0.5))
    associations = stage.among(14)
    small = (
        stage.raw("S02 associations") * associations * 900.0
    )  # outside the published level of categories 1-13
    stage.world.values["S02"][:, stage.index] += np.where(stage.exists, small, 0.0)
    used = stage.part(
        stage.of("S02") * stage.among(3, 4, 5),
        "D01",
        (
            0.19 * stage.of("S02")[0][stage.among(3, 4, 5)].sum(),
            0.21 * stage.of("S02")[1][stage.among(3, 4, 5)].sum(),
        ),
    )
    stage.store("D01", used)


def _flows(stage: PublicStage) -> None:
    raw = stage.raw("F01")
    total = np.zeros_like(raw)
    for year in (Y24, Y25):
        goals = np.zeros(15)
        for category, levels in _FLOW_EB.items():
            goals[category] = levels[year] * TB_PER_EB
        total[year] = scale_to(raw[year], stage.category, goals)
    provided = total / (1 + np.exp(-0.25 - 0.5 * stage.normal("F02")))
    stage.store("F01", total)
    stage.store("F02", provided)
    stage.store("F03", total - provided)
    exchanging = total * stage.among(3, 4, 5)
    level = LEVELS["F06"].public
    abroad = stage.part(exchanging * np.where(stage.among(3), 0.2, 1.0), "F06", _pair(level, TB_PER_EB))
    out = stage.part(abroad, "F07", (0.4 * abroad[0].sum(), 0.4 * abroad[1].sum()))
    inside = exchanging - abroad
    stage.store("F06", abroad)
    stage.store("F07", out)
    stage.store("F08", abroad - out)
    stage.store("F05", stage.part(inside, "F05", (0.3 * inside[0].sum(), 0.31 * inside[1].sum())))
    public = exchanging * stage.among(3, 4)
    stage.store("F04", stage.part(public, "F04", (0.62 * public[0].sum(), 0.64 * public[1].sum())))
    rng = stage.world.streams("public T01")
    score = rng.gumbel(size=len(stage.index)) + 0.5 * stage.volume
    kind = np.where(stage.among(3), 0, np.where(stage.among(4), 1, 2))
    bought = np.zeros_like(total, bool)
    for year, shares in ((Y25, (0.062, 0.148)), (Y24, (0.056, 0.131))):
        alive = np.bincount(kind[stage.exists[year]], minlength=3)
        counts = np.array([round(alive[0] * shares[0]), round(alive[1] * shares[1]), 0])
        flags = pick_exact(np.where(stage.exists[year], score, -np.inf), kind, counts)
        bought[year] = flags & stage.exists[year]
    stage.store("T01", bought.astype(float))
    stage.store(
        "T02", bought * np.exp(3.0 + 0.5 * stage.volume + 0.6 * stage.normal("T02")) * [[0.82], [1.0]]
    )
    base = stage.of("F03") * bought
    stage.store("T03", stage.part(base, "T03", (0.03 * base[0].sum(), 0.035 * base[1].sum())))
    _products(stage)


def _products(stage: PublicStage) -> None:
    rng = stage.world.streams("public T06")
    has = (
        (rng.random(len(stage.index)) < np.where(stage.among(5), 1.0, 0.12))
        & stage.among(3, 4, 5)
        & stage.exists
    )
    counts = np.zeros_like(stage.of("F01"))
    for year in (Y24, Y25):
        expected = (5.0, 6.1)[year] * np.exp(0.7 * stage.normal("T06"))
        counts[year, has[year]] = whole_numbers(expected[has[year]], rng, minimum=1)
    stage.store("T06", counts)
    sells = has & (rng.random(len(stage.index)) < 0.4)
    stage.store("T07", sells * np.exp(4.0 + 0.8 * stage.normal("T07")) * [[0.75], [1.0]])


def _intelligence(stage: PublicStage) -> None:
    rng = stage.world.streams("public A01")
    draw = rng.random(len(stage.index))
    chance = np.array([0, 0.85, 0.9, 0.22, 0.55, 1.0, 0, 0, 0, 0, 0, 0, 0, 0, 0])[stage.category]
    uses = np.stack([draw < 0.85 * chance, draw < chance]) & stage.exists
    stage.store("A01", uses.astype(float))
    stored = stage.of("S02")
    kind = np.where(stage.among(4, 5), 4, stage.category)
    logit = 0.7 * stage.normal("A02")
    total = np.zeros_like(stored)
    for year in (Y24, Y25):
        goals = np.zeros(15)
        for category, levels in _AI_EB.items():
            goals[category] = levels[year] * TB_PER_EB
        goals[4] = _SCIENCE_AI_EB[year] * TB_PER_EB
        total[year] = fit_share(stored[year] * uses[year], logit, kind, goals)
        total[year] *= LEVELS["A02"].public[year] * TB_PER_EB / total[year].sum()
    infer = stage.part(total, "A04", _pair(LEVELS["A04"].public, TB_PER_EB))
    stage.store("A02", total)
    stage.store("A04", infer)
    stage.store("A03", total - infer)
    learned = (total - infer) * stage.among(4)
    stage.store("A05", stage.part(learned, "A05", (0.3 * learned[0].sum(), 0.33 * learned[1].sum())))
    has = np.stack([draw < 0.45 * chance, draw < 0.6 * chance]) & stage.exists
    counts, raw = np.zeros_like(stored), np.exp(0.4 * stage.volume + 0.5 * stage.normal("A06"))
    for year in (Y24, Y25):
        expected = raw * has[year]
        expected *= LEVELS["A06"].public[year] * 1e4 / expected.sum()
        counts[year, has[year]] = whole_numbers(expected[has[year]], rng, minimum=1)
    cap = np.exp(0.5 * stage.volume) * has
    goal = np.array(LEVELS["A07"].public)[:, None] * TB_PER_PB
    cap = np.minimum(cap * (4 * goal / cap.sum(1, keepdims=True)), stored * stage.among(1, 2, 3, 4, 5))
    volume = stage.part(cap, "A07", _pair(LEVELS["A07"].public, TB_PER_PB))
    members = stage.among(14) & (draw < 0.5)  # associations: outside the level
    stage.store("A06", np.where(members, 4 + np.floor(20 * draw), counts))
    stage.store("A07", np.where(members, np.round(20 + 400 * draw, 2), volume))


def _spending(stage: PublicStage) -> None:
    middle = np.array([0, 9000, 12000, 260, 520, 3500, 0, 0, 0, 0, 0, 0, 0, 0, 0.0])[stage.category]
    spent = middle * np.exp(0.8 * stage.volume + 0.4 * stage.normal("V01"))
    spent = np.stack([spent / 1.13 * np.exp(-0.1 * stage.normal("V01 drift")), spent])
    mix = stage.world.streams("public V02").gamma(
        np.array([3.0, 2.0, 2.0])[:, None], size=(3, len(stage.index))
    )
    mix /= mix.sum(0)
    stage.store("V01", spent)
    stage.store("V02", spent * mix[0])
    stage.store("V03", spent * mix[1])
    stage.store("V04", spent - spent * mix[0] - spent * mix[1])
    stage.store("G03", spent * stage.uniform("G03", 0.05, 0.2))
    owns = stage.among(2, 5) | (stage.among(4) & (stage.uniform("K01", 0, 1) < 0.25))
    stage.store("K01", np.broadcast_to(owns, stage.exists.shape).astype(float))
    raw = np.exp(0.8 * stage.volume + 0.4 * stage.normal("K03")) * owns
    shares = np.zeros(15)
    shares[[2, 4, 5]] = 3 / 7, 3 / 7, 1 / 7
    capacity = np.zeros_like(spent)
    for year in (Y24, Y25):
        goals = shares * COMPUTING_SHARES["public"] * INTELLIGENT_PFLOPS[year]
        sums = cell_sums(raw * stage.exists[year], stage.category, 15)
        goals *= (sums > 0).astype(float)
        goals *= COMPUTING_SHARES["public"] * INTELLIGENT_PFLOPS[year] / goals.sum()
        capacity[year] = scale_to(raw * stage.exists[year], stage.category, goals)
    stage.store("K03", capacity)
    stage.store("K02", capacity / 8 + raw * 0.5)
    for code, share in (("B15", 0.45), ("B16", 0.3), ("G01", 0.6), ("G04", 0.004)):
        draw = stage.uniform(code, 0, 1)
        chance = np.where(stage.among(1, 2, 5) & (code != "G04"), 0.95, share)
        stage.store(code, np.stack([draw < 0.9 * chance, draw < chance]).astype(float))
