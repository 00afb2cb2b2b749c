"""Items that only one or two categories are asked: government, operators, platforms, exchanges and others."""

import numpy as np

from estimation.methods.arrays import Bools, Floats
from estimation.rehearsal.population.calibrate import scale_to, whole_numbers
from estimation.rehearsal.population.items_public import PublicStage
from estimation.rehearsal.population.regions import REGION_INDEX, REGIONS
from estimation.rehearsal.population.targets import (
    AUTHORISED_PB,
    CROSS_PROVINCE_EB,
    INTELLIGENT_PFLOPS,
    LEVELS,
    MG15_EB,
    OPEN_DATA_PB,
    PUBLIC_FLOW_EB,
    PUBLIC_FLOW_GOVERNMENT_EB,
    TB_PER_EB,
    TB_PER_PB,
    TOKENS_TRILLION,
)
from estimation.rehearsal.population.units import HEAD
from estimation.rehearsal.population.world import Y24, Y25, World

_OPEN_PROVINCE_GROWTH, _AUTHORISED_PROVINCE_GROWTH, _FARM_GROWTH = 1.3974, 1.5417, 1.42
_REQUESTED_GROWTH = 1.296  # "nearly 30 %"
_AUTHORISED_PRODUCTS = (7_600, 10_200)
_PILOT_GROWTH, _PILOT_PRODUCTS = 2.182, (3_900, 7_000)
_SCIENCE_AI_SHARE = (13.43 / 1.5032, 13.43)
# Daily tokens by month relative to December; the path sums to the published year and ends at its last month.
MONTH_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MONTH_SHAPE = np.array([6, 13, 24, 37, 49, 58, 66, 74, 82, 88, 94, 99.0])


def month_shares() -> Floats:
    """Daily tokens of each month as a share of the yearly sum, (12,); weighted by days they add up to 1."""
    return _MONTH_SHAPE / float(_MONTH_SHAPE @ MONTH_DAYS)


def computing_sites() -> Floats:
    """Share of the nation's intelligent computing standing in each region, (32,)."""
    weight = np.array([0.25 + 0.06 * region.frame_share for region in REGIONS])
    named = {
        "520000": 23.5,
        "150000": 22.5,
        "130000": 16.5,
        "110000": 4.0,
        "310000": 3.6,
        "440000": 4.4,
        "620000": 3.2,
        "640000": 3.4,
        "500000": 2.2,
        "510000": 2.4,
    }
    rest = np.array([region.code not in named for region in REGIONS])
    share = np.where(rest, weight * (100 - sum(named.values())) / weight[rest].sum(), 0.0)
    for code, value in named.items():
        share[REGION_INDEX[code]] = value
    result: Floats = share / share.sum()
    return result


def _sums_to(values: Floats, where: Bools, total: float) -> Floats:
    """`values` where `where`, scaled to `total`; zero elsewhere."""
    chosen = np.where(where, values, 0.0)
    return chosen * (total / chosen.sum()) if chosen.sum() > 0 else chosen


def build_government(stage: PublicStage) -> None:
    """MG and MR: published levels of opened and authorised data, flows, regional registers."""
    bodies = stage.among(1, 2)
    province = stage.among(2)
    size = np.exp(stage.volume)
    weight = np.where(province, 1.0, 0.2)
    for code, level, growth, spread in (
        ("MG07", OPEN_DATA_PB, _OPEN_PROVINCE_GROWTH, 0.4),
        ("MG08", AUTHORISED_PB, _AUTHORISED_PROVINCE_GROWTH, 0.5),
    ):
        now = _sums_to(size * weight * np.exp(spread * stage.normal(code)), bodies, level[Y25] * TB_PER_PB)
        own = now * stage.uniform(code + "a", 0.4, 0.65)
        lower = now - own
        before_own = own * np.exp(0.08 * stage.normal(code + "a drift"))
        before_own = np.where(
            province,
            before_own * own[province].sum() / growth / before_own[province].sum(),
            before_own / growth,
        )
        before_lower = lower * np.exp(0.08 * stage.normal(code + "b drift"))
        before_lower *= (level[Y24] * TB_PER_PB - before_own.sum()) / before_lower.sum()
        stage.store(code, np.stack([before_own + before_lower, now]))
        stage.store(code + "a", np.stack([before_own, own]))
        stage.store(code + "b", np.stack([before_lower, lower]))
    farm = stage.of("MG07")[Y25] * stage.uniform("MG07c", 0.02, 0.08)
    before = np.minimum(farm * np.exp(0.1 * stage.normal("MG07c drift")), stage.of("MG07")[Y24])
    stage.store("MG07c", np.stack([before * farm.sum() / _FARM_GROWTH / before.sum(), farm]))
    flow = size * np.exp(0.3 * stage.normal("MG10"))
    flow = np.stack(
        [
            _sums_to(
                flow * np.exp(0.05 * (1 - y) * stage.normal("MG10 drift")),
                bodies,
                PUBLIC_FLOW_GOVERNMENT_EB[y] * TB_PER_EB,
            )
            for y in (Y24, Y25)
        ]
    )
    stage.store("MG10", flow)
    stage.store("MG04", flow * stage.uniform("MG04", 0.02, 0.05))
    pooled = stage.of("S02") * stage.uniform("MG02", 0.5, 0.9) * bodies
    stage.store("MG02", pooled)
    ai = pooled * stage.uniform("MG15", 0.2, 1.0)
    stage.store("MG15", np.stack([_sums_to(ai[y], bodies, MG15_EB[y] * TB_PER_EB) for y in (Y24, Y25)]))
    _government_counts(stage, bodies, size)
    _regional_registers(stage, province)


def _government_counts(stage: PublicStage, bodies: Bools, size: Floats) -> None:
    rng = stage.world.streams("public MG counts")
    counts = {"MG01": 24000.0, "MG03": 5200.0, "MG06": 6500.0, "MG12": 900.0, "MG13": 9.0}
    for code, middle in counts.items():
        now = np.floor(middle * size**0.5 * np.exp(0.3 * stage.normal(code)) + 1) * bodies
        factor = _REQUESTED_GROWTH if code == "MG03" else 1.18
        stage.store(code, np.stack([np.ceil(now / factor), now]))
    products = np.zeros((2, len(size)))
    for year in (Y24, Y25):
        expected = size[bodies] ** 0.5
        products[year, bodies] = whole_numbers(
            expected * _AUTHORISED_PRODUCTS[year] / expected.sum(),
            stage.world.streams("public MG09"),
            minimum=1,
        )
    stage.store("MG09", products)
    calls = np.round(52_000 * size**0.5 * np.exp(0.5 * rng.standard_normal(len(size))), 2) * bodies
    stage.store("MG05", np.stack([np.round(calls / 1.12, 2), calls]))


def _regional_registers(stage: PublicStage, province: Bools) -> None:
    units = stage.world.units
    region = units.region[stage.index]
    bureau = province & (units.city[stage.index] < 0)
    city = province & ~bureau
    rng = stage.world.streams("public MR")
    share = computing_sites()[region]
    # A planned city reports its own register; it is part of its province's and not added to it.
    located = np.where(bureau, share, np.where(city, 0.12 * share, 0.0))
    stage.store("MR02", located * np.array(INTELLIGENT_PFLOPS)[:, None])
    enterprises = np.array([r.frame_share for r in REGIONS])[region]
    datasets = np.array([LEVELS["A06"].enterprise[y] * 1e4 for y in (Y24, Y25)])[:, None]
    stage.store(
        "MR01", np.floor(datasets * enterprises / 108.4 * rng.uniform(0.8, 1.2, len(region))) * province
    )
    stage.store(
        "MR04", np.floor(np.array([[3900.0], [4300.0]]) * enterprises * rng.uniform(0.9, 1.1)) * province
    )


def build_science(stage: PublicStage) -> None:
    """MS and MU: scientific data and public-service data."""
    science = stage.among(4, 5)
    used = stage.of("A02") * science
    stored = stage.of("S02") * science
    goals = [used[y].sum() / (_SCIENCE_AI_SHARE[y] / 100) for y in (Y24, Y25)]
    retained = stage.part(
        np.maximum(stored - used, 0), "MS01", (goals[0] - used[0].sum(), goals[1] - used[1].sum()), 0.5
    )
    stage.store("MS01", used + retained)
    stage.store("MS04", used)
    stage.store("MS03", (used + retained) * stage.uniform("MS03", 0.05, 0.6))
    for code, middle in (("MS02", 120.0), ("MS07", 5.0)):
        now = np.floor(middle * np.exp(0.5 * stage.volume + 0.5 * stage.normal(code))) * science
        stage.store(code, np.stack([np.floor(now * 0.86), now]))
    institutions = stage.among(3)
    provided = stage.of("F02") * institutions
    goal = [(PUBLIC_FLOW_EB[y] - PUBLIC_FLOW_GOVERNMENT_EB[y]) * TB_PER_EB for y in (Y24, Y25)]
    stage.store("MU02", stage.part(provided, "MU02", (goal[Y24], goal[Y25])))
    stock = stage.of("S02") * institutions
    stage.store(
        "MU03", stock * 10.0 ** stage.uniform("MU03", -4, -2.2) * (stage.uniform("MU03 has", 0, 1) < 0.3)
    )
    stage.store(
        "MU04", stock * 10.0 ** stage.uniform("MU04", -4, -2) * (stage.uniform("MU04 has", 0, 1) < 0.45)
    )
    members = stage.among(14)
    for code, middle, growth in (("MA01", 420.0, 1.05), ("MA03", 60.0, 1.5), ("MA04", 12.0, 1.2)):
        now = np.floor(middle * np.exp(0.8 * stage.normal(code)) + 2) * members
        stage.store(code, np.stack([np.floor(now / growth), now]))
    estimate = np.round(300 * np.exp(stage.normal("MA02")), 2) * members
    stage.store("MA02", np.stack([np.round(estimate / 1.25, 2), estimate]))


def build_enterprise_modules(world: World) -> None:
    """MC, MO, MP, MX, MD, MT and MU03 of the special enterprises."""
    category = world.units.category[world.enterprise]
    rng = world.streams("modules")
    count = len(category)

    def uniform(low: float, high: float) -> Floats:
        return rng.uniform(low, high, count)

    def both(values: Floats, growth: float, where: Bools, *, integer: bool = False) -> Floats:
        pair = np.stack([values / (growth * np.exp(0.08 * world.normal("modules drift"))), values]) * where
        return np.floor(pair) if integer else pair

    central = np.isin(category, (6, 7))
    world.store(
        "MC01", both(np.floor(30 * np.exp(0.6 * world.normal("MC01")) + 3), 1.02, central, integer=True)
    )
    world.store("MC02", world.of("F01") * uniform(0.2, 0.9) * central)
    world.store("MC03", np.floor(np.minimum(world.of("A06"), 12) * uniform(0.2, 1.0) * central))
    world.store("MC04", np.floor(both(np.floor(9 * np.exp(0.5 * world.normal("MC04")) + 1), 1.3, central)))
    _operators(world, category == 6)
    _tokens(world, category)
    exchange = category == 9
    turnover = both(9.0e3 * np.exp(1.0 * world.normal("MX01")), 1.45, exchange)
    world.store("MX01", turnover)
    world.store("MX06", turnover * uniform(0.05, 0.3))
    world.store("MX08", turnover * uniform(0.1, 0.5))
    for code, middle, growth in (("MX02", 520.0, 1.4), ("MX07", 380.0, 1.25)):
        world.store(
            code,
            both(np.floor(middle * np.exp(0.8 * world.normal(code)) + 5), growth, exchange, integer=True),
        )
    world.store("MX09", both(4.0e3 * np.exp(world.normal("MX09")), 1.5, exchange))
    local = category == 10
    world.store("MD01", world.of("S02") * uniform(0.001, 0.03) * local)
    world.store("MD02", world.of("F04") * local)
    world.store("MD03", np.floor(world.of("T06") * uniform(0.3, 1.0) * local))
    world.store("MD04", world.of("B10") * uniform(0.02, 0.3) * local)
    world.store("MD05", both(np.floor(60 * np.exp(0.8 * world.normal("MD05")) + 1), 1.3, local, integer=True))
    world.store("MU03", world.of("S02") * 10.0 ** uniform(-3.5, -1.5) * local)
    _spaces(world, category == 11)


def _operators(world: World, operators: Bools) -> None:
    weight = np.exp(0.35 * world.normal("MO")) * operators
    weight = weight / max(weight.sum(), 1e-9)
    pairs: dict[str, tuple[float | None, float | None]] = {
        "MO01": (3600.0, 4300.0),
        "MO02": CROSS_PROVINCE_EB,
        "MO04": LEVELS["F06"].published,
        "MO06": (8.2 * 1024, 8.9 * 1024),
        "MO09": (310.0 * TB_PER_PB, 420.0 * TB_PER_PB),
    }
    for code, pair in pairs.items():
        world.store(code, np.round(weight * np.array(pair, float)[:, None], 4))
    # Rounded parts must still add up to the published flow: the largest operator takes what rounding left.
    largest = int(np.argmax(weight))
    for code in ("MO02", "MO04"):
        column = world.values[code]
        for year in (Y24, Y25):
            gap = float(pairs[code][year] or 0.0) - column[year].sum()
            column[year, world.enterprise[largest]] += gap if operators.any() else 0.0
    for code, (before, now) in {"MO05": (265_000.0, 310_000.0), "MO07": (1.6e6, 1.9e6)}.items():
        world.store(code, np.floor(weight * np.array([[before], [now]])))
    world.store("MO08", world.of("K03") * 0.45 * operators)


def _tokens(world: World, category: np.ndarray) -> None:
    """MP: tokens served by heads, operators and some of the other platforms; platform activity."""
    rng = world.streams("MP")
    platform = category == 8
    serves = (world.group == HEAD) | (category == 6) | (platform & (rng.random(len(platform)) < 0.3))
    kind = np.where(world.group == HEAD, 0, np.where(category == 6, 1, 2))
    raw = np.exp(0.8 * world.normal("MP01")) * serves * world.exists
    tokens = np.stack(
        [scale_to(raw[y], kind, np.array([0.83, 0.13, 0.04]) * TOKENS_TRILLION[y]) for y in (Y24, Y25)]
    )
    tokens = np.stack([tokens[y] * (TOKENS_TRILLION[y] / tokens[y].sum()) for y in (Y24, Y25)])
    world.store("MP01", tokens)
    models = np.floor(1 + rng.exponential(4, len(platform))) * serves * platform
    world.store("MP03", np.stack([np.ceil(models * 0.6), models]))
    world.store("MP04", world.of("P01") * rng.uniform(0.3, 0.9, len(platform)) * platform)
    world.store(
        "MP07", world.of("S02") * rng.uniform(0.1, 1.5, len(platform)) * platform * (world.group == HEAD)
    )
    world.store("MP08", world.of("A07") * rng.uniform(0.0, 0.5, len(platform)) * platform)


def _spaces(world: World, spaces: Bools) -> None:
    """MT: data spaces; the pilots' opened volume and products have published figures."""
    pilot = world.units.pilot[world.enterprise]
    rng = world.streams("MT")
    opened = world.of("S02") * 10.0 ** rng.uniform(-3, -1.2, len(spaces)) * spaces
    panel = pilot & world.panel
    if panel.any():
        opened[Y24, pilot] *= opened[Y25][pilot].sum() / _PILOT_GROWTH / max(opened[Y24][pilot].sum(), 1e-9)
    world.store("MT03", opened)
    products = np.floor(5 * np.exp(0.8 * world.normal("MT05"))) * spaces * world.exists
    for year in (Y24, Y25):
        selected = pilot & world.exists[year]
        if selected.any():
            expected = np.exp(0.7 * world.normal("MT05")[selected])
            products[year, selected] = whole_numbers(
                expected * _PILOT_PRODUCTS[year] / expected.sum(), rng, minimum=1
            )
    world.store("MT05", products)
    for code, middle in (("MT04", 45.0), ("MT07", 1.5)):
        now = np.floor(middle * np.exp(0.8 * world.normal(code))) * spaces
        world.store(code, np.stack([np.floor(now * 0.7), now]))
    world.store("MT06", world.of("F01") * rng.uniform(0.02, 0.4, len(spaces)) * spaces)
