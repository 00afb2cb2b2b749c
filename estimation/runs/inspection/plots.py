"""Where the marks of a plot stand. Pure: numbers in, coordinates out; the template draws them as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

BREAKS = (1.0, 1.0 + 1e-9, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 1e4, 1e5, 1e6, math.inf)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. ``label`` stands below or beside it, ``value`` at its end; ``middle`` is the place of both."""

    label: str
    value: float
    x: float
    y: float
    width: float
    height: float
    middle: float
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid."""

    value: float
    place: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars with the grid behind them, inside width x height."""

    width: float
    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A range with a point in it: low to high from ``x`` on, the point at ``point``."""

    label: str
    x: float
    width: float
    point: float
    second: float
    middle: float
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Bands:
    """Horizontal bands, one a line."""

    width: float
    height: float
    bands: tuple[Band, ...]
    ticks: tuple[Tick, ...]


def nice_ticks(highest: float, count: int = 4) -> list[float]:
    """Round numbers from 0 to at least ``highest``."""
    if not highest > 0:
        return [0.0, 1.0]
    raw = highest / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * (1 - 1e-9))
    return [step * place for place in range(math.ceil(highest / step - 1e-9) + 1)]


def columns(pairs: Sequence[tuple[str, float]], *, width: float = 720, height: float = 240) -> Bars:
    """Upright bars, one a pair of label and value. Room is left for labels: 40 below, 60 at the left."""
    left, bottom, top = 60.0, 40.0, 18.0
    ticks = nice_ticks(max((value for _, value in pairs), default=0.0))
    room, tall = width - left, height - bottom - top
    step = room / max(len(pairs), 1)
    bars = []
    for place, (label, value) in enumerate(pairs):
        high = tall * max(value, 0.0) / ticks[-1]
        x = left + step * (place + 0.15)
        bars.append(Bar(label, value, x, top + tall - high, step * 0.7, high, x + step * 0.35))
    lines = tuple(Tick(value, top + tall * (1 - value / ticks[-1])) for value in ticks)
    return Bars(width, height, tuple(bars), lines)


def lying(
    rows: Sequence[tuple[str, float, bool]], *, width: float = 720, line: float = 22, left: float = 150
) -> Bars:
    """Lying bars, one a row of label, value and mark."""
    ticks = nice_ticks(max((value for _, value, _ in rows), default=0.0))
    room = width - left - 60.0
    bars = []
    for place, (label, value, marked) in enumerate(rows):
        long = room * max(value, 0.0) / ticks[-1]
        y = 8.0 + line * place
        bars.append(Bar(label, value, left, y, long, line * 0.66, y + line * 0.33, marked))
    lines = tuple(Tick(value, left + room * value / ticks[-1]) for value in ticks)
    return Bars(width, 8.0 + line * len(rows) + 24.0, tuple(bars), lines)


def bands(
    rows: Sequence[tuple[str, float, float, float, float, bool]],
    highest: float,
    *,
    width: float = 720,
    line: float = 22,
    left: float = 150,
) -> Bands:
    """Ranges on a scale from 1 to ``highest``: label, low, high, point, second point, mark."""
    room = width - left - 30.0
    span = max(highest - 1.0, 1.0)

    def place_of(value: float) -> float:
        return left + room * (value - 1.0) / span

    found = []
    for place, (label, low, high, point, second, marked) in enumerate(rows):
        y = 8.0 + line * place + line * 0.33
        wide = max(place_of(high) - place_of(low), 2.0)
        found.append(Band(label, place_of(low), wide, place_of(point), place_of(second), y, marked))
    step = max(1, round(span / 6))
    ticks = tuple(Tick(float(v), place_of(float(v))) for v in range(1, int(highest) + 1, step))
    return Bands(width, 8.0 + line * len(rows) + 24.0, tuple(found), ticks)


def weight_bins(weights: Sequence[tuple[float, int]]) -> list[tuple[str, int]]:
    """Units by size of their weight, in classes of 1, 2, 5, 10 ...; classes beyond both ends are left out."""
    counts = [0] * (len(BREAKS) - 1)
    for weight, units in weights:
        place = next(i for i in range(len(counts)) if weight < BREAKS[i + 1] or i == len(counts) - 1)
        counts[place] += units
    held = [place for place, count in enumerate(counts) if count]
    if not held:
        return []
    return [(_class(place), counts[place]) for place in range(held[0], held[-1] + 1)]


def _class(place: int) -> str:
    low, high = BREAKS[place], BREAKS[place + 1]
    if place == 0:
        return "1"
    low = 1.0 if place == 1 else low
    return f"≥ {low:,.0f}" if math.isinf(high) else f"{low:,.0f} – {high:,.0f}"
