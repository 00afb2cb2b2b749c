"""The stage on which values are made: units, latent traits and the growing table of true values."""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.rehearsal.population.calibrate import cell_sums, grouped, scale_to
from estimation.rehearsal.population.sizes import draw_firms
from estimation.rehearsal.population.streams import Streams
from estimation.rehearsal.population.units import CENTRAL, HEAD, OTHER, PUBLIC, Units

Y24, Y25 = 0, 1

# Data volume relative to an ordinary small enterprise, by legal size and by special category.
_SIZE_FACTOR = np.array([20.0, 5.0, 1.0, 0.4])
_CATEGORY_FACTOR = {6: 2000.0, 7: 150.0, 8: 14.0, 9: 4.0, 10: 7.0, 11: 6.0}
_HEAD_FACTOR, _TAKE_ALL_FACTOR = 420.0, 2.0


@dataclass(slots=True)
class World:
    """Enterprises (index arrays of length E), their traits, and true values of all units.

    `values[code]` is (2, M): 2024 and 2025, zero where a unit did not exist or is not asked.
    """

    units: Units
    streams: Streams
    enterprise: Ints
    section: Ints
    group: Ints
    cell: Ints  # section x group
    exists: Bools  # (2, E)
    panel: Bools
    relative_size: Floats  # standard normal: position of a firm in its size class
    intensity: Floats  # standard normal: how much data it works with
    volume: Floats  # log of the expected data volume
    growth: Floats  # log growth of the unit from 2024 to 2025
    jump: Bools  # units with a real, very large change
    active: Bools  # units with any data at all
    values: dict[str, Floats] = field(default_factory=dict)

    def store(self, code: str, enterprise: Floats) -> None:
        """Keep values (2, E) of the enterprises under `code`; zero where a unit did not exist."""
        column = self.values.setdefault(code, np.zeros((2, self.units.count)))
        column[:, self.enterprise] = np.where(self.exists, enterprise, 0.0)

    def of(self, code: str) -> Floats:
        """Values (2, E) of the enterprises."""
        return self.values[code][:, self.enterprise]

    def normal(self, name: str) -> Floats:
        return self.streams(name).standard_normal(len(self.enterprise))

    def raw(self, name: str, *, spread: float = 0.5, drift: float = 0.16, power: float = 1.0) -> Floats:
        """Uncalibrated values (2, E) that follow the data volume, with their own spread and drift."""
        now = np.exp(power * self.volume + spread * self.normal(name))
        before = now * np.exp(-self.growth - drift * self.normal(name + " drift"))
        # Units that came in 2025 start small.
        now = np.where(self.exists[Y25] & ~self.panel, 0.55 * now, now)
        return np.stack([before, now]) * self.exists * self.active

    @property
    def growth_class(self) -> Ints:
        """Section x central, data or other enterprise: inside these classes panel growth is estimated, (E,)."""
        kind = np.where(self.group == CENTRAL, 0, np.where(self.group == OTHER, 2, 1))
        return self.section * 3 + kind

    def keep_growth(self, values: Floats, cell: Ints, panel_goals: Floats) -> Floats:
        """`values` (2, E) with 2024 rescaled: panel units of cell c sum to `panel_goals[c]`.

        Units that left are rescaled so that they are to the panel of 2024, class by class, what the units that
        came are to the panel of 2025: then level growth and panel growth agree.
        """
        panel = scale_to(values[Y24] * self.panel, cell, panel_goals)
        now_panel = float(values[Y25][self.panel].sum())
        came = float(values[Y25].sum()) - now_panel
        if now_panel <= 0:
            return np.stack([panel, values[Y25]])
        left = self.spread_left(values[Y24], panel, panel.sum() * came / now_panel)
        return np.stack([panel + left, values[Y25]])

    def spread_left(self, values: Floats, panel: Floats, total: float) -> Floats:
        """2024 values (E,) of the units that left: `total` in all, to each class in proportion to its panel."""
        left = values * ~self.panel * self.exists[Y24]
        sums = cell_sums(left, self.growth_class, 54)
        goals = np.where(sums > 0, cell_sums(panel, self.growth_class, 54), 0.0)
        if goals.sum() <= 0 or total <= 0:
            return np.zeros_like(left)
        return scale_to(left, self.growth_class, goals * (total / goals.sum()))

    def panel_sums(self, values: Floats, cell: Ints, cells: int) -> Floats:
        return cell_sums(values * self.panel, cell, cells)


def build_world(units: Units, streams: Streams) -> World:
    """Latent traits of the enterprises and the figures of the firms (B09, B10, B11)."""
    enterprise = np.flatnonzero(units.group != PUBLIC)
    count = len(enterprise)
    section, group = units.section[enterprise], units.group[enterprise]
    cell, _ = grouped((section, 18), (group, 4))
    rng = streams("traits")
    relative_size, intensity = rng.standard_normal(count), rng.standard_normal(count)
    volume = 0.3 * relative_size + 0.55 * intensity + np.log(_volume_factor(units)[enterprise])
    tail = rng.random(count) < 0.004
    volume = np.where(tail, volume + np.log1p(rng.pareto(2.6, count)), volume)
    jump = rng.random(count) < 0.006
    growth = 0.10 * rng.standard_normal(count)
    growth = np.where(jump, np.sign(growth + 0.07) * np.log(rng.uniform(5.5, 9.0, count)), growth)
    central_or_head = group <= HEAD + 1
    jump &= ~central_or_head
    growth = np.where(central_or_head, 0.4 * growth, growth)
    inactive = (units.size[enterprise] >= 2) & (enterprise >= units.special) & (rng.random(count) < 0.02)
    exists = units.exists[:, enterprise]
    world = World(
        units=units,
        streams=streams,
        enterprise=enterprise,
        section=section,
        group=group,
        cell=cell,
        exists=exists,
        panel=exists.all(0),
        relative_size=relative_size,
        intensity=intensity,
        volume=volume,
        growth=growth,
        jump=jump,
        active=~inactive,
    )
    _firms(world)
    return world


def _volume_factor(units: Units) -> Floats:
    factor = _SIZE_FACTOR[np.clip(units.size, 0, 3)]
    factor = np.where(units.take_all & (units.category >= 12), factor * _TAKE_ALL_FACTOR, factor)
    for category, value in _CATEGORY_FACTOR.items():
        factor = np.where(units.category == category, value, factor)
    return np.where(units.group == HEAD, _HEAD_FACTOR, factor)


def _firms(world: World) -> None:
    """Employees, turnover and assets of both years, inside the size class of the unit."""
    units, index = world.units, world.enterprise
    rng = world.streams("firms")
    own = rng.standard_normal((3, len(index)))
    drift = 0.12 * rng.standard_normal(len(index)) - 0.06
    size_factor = np.where(units.take_all[index], 4.0, 1.0)
    size_factor = np.where(np.isin(units.category[index], (6, 7)) | (world.group == HEAD), 60.0, size_factor)
    figures = []
    for year in (Y24, Y25):
        level = world.relative_size + (drift if year == Y24 else 0.0)
        position = tuple(np.clip(ndtr(0.85 * level + 0.53 * own[k]), 0.002, 0.998) for k in range(3))
        figures.append(draw_firms(units.industry[index], units.size[index], size_factor, position))
    people, turnover = (np.stack([getattr(f, name) for f in figures]) for name in ("employees", "turnover"))
    # Whole persons jump in tiny firms: no change there beyond what the yearly edits find usual.
    unusual = (people[Y25] < 0.5 * people[Y24]) | (people[Y25] > 1.5 * people[Y24])
    people[Y24] = np.where(unusual, people[Y25], people[Y24])
    turnover[Y24] = np.maximum(turnover[Y24], np.round(turnover[Y25] / 1.9, 2))
    world.store("B09", people)
    world.store("B10", turnover)
    world.store("B11", np.stack([f.assets for f in figures]))
    share = 1 / (1 + np.exp(-(-3.0 + 0.5 * world.intensity + 0.9 * (world.section == 8))))
    staff = world.of("B09") * share
    world.store("B17", np.floor(staff + rng.random(len(index))))
    column = world.values["B17"]
    np.minimum(column, world.values["B09"], out=column)
