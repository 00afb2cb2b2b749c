"""Coordinates of plots, which templates draw as SVG. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

BREAKS = (1.0, 1.0 + 1e-9, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 1e4, 1e5, 1e6, math.inf)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. ``label`` is below or beside it, ``value`` at its end; ``middle`` is the coordinate of both."""

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
    position: float


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
    """Horizontal bands, one per line."""

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
    return [step * position for position in range(math.ceil(highest / step - 1e-9) + 1)]


def vertical_bars(pairs: Sequence[tuple[str, float]], *, width: float = 720, height: float = 240) -> Bars:
    """Vertical bars, one per pair of label and value, with margins for labels: 40 below, 60 at the left."""
    left, bottom, top = 60.0, 40.0, 18.0
    ticks = nice_ticks(max((value for _, value in pairs), default=0.0))
    length, tall = width - left, height - bottom - top
    step = length / max(len(pairs), 1)
    bars = []
    for position, (label, value) in enumerate(pairs):
        high = tall * max(value, 0.0) / ticks[-1]
        x = left + step * (position + 0.15)
        bars.append(Bar(label, value, x, top + tall - high, step * 0.7, high, x + step * 0.35))
    lines = tuple(Tick(value, top + tall * (1 - value / ticks[-1])) for value in ticks)
    return Bars(width, height, tuple(bars), lines)


def horizontal_bars(
    rows: Sequence[tuple[str, float, bool]], *, width: float = 720, line: float = 22, left: float = 150
) -> Bars:
    """Horizontal bars, one per row of label, value and flag."""
    ticks = nice_ticks(max((value for _, value, _ in rows), default=0.0))
    length = width - left - 60.0
    bars = []
    for position, (label, value, marked) in enumerate(rows):
        long = length * max(value, 0.0) / ticks[-1]
        y = 8.0 + line * position
        bars.append(Bar(label, value, left, y, long, line * 0.66, y + line * 0.33, marked))
    lines = tuple(Tick(value, left + length * value / ticks[-1]) for value in ticks)
    return Bars(width, 8.0 + line * len(rows) + 24.0, tuple(bars), lines)


def bands(
    rows: Sequence[tuple[str, float, float, float, float, bool]],
    highest: float,
    *,
    width: float = 720,
    line: float = 22,
    left: float = 150,
) -> Bands:
    """Ranges on a scale from 1 to ``highest``: label, low, high, point, second point, flag."""
    length = width - left - 30.0
    span = max(highest - 1.0, 1.0)

    def position_of(value: float) -> float:
        return left + length * (value - 1.0) / span

    drawn = []
    for position, (label, low, high, point, second, marked) in enumerate(rows):
        y = 8.0 + line * position + line * 0.33
        wide = max(position_of(high) - position_of(low), 2.0)
        drawn.append(Band(label, position_of(low), wide, position_of(point), position_of(second), y, marked))
    step = max(1, round(span / 6))
    ticks = tuple(Tick(float(v), position_of(float(v))) for v in range(1, int(highest) + 1, step))
    return Bands(width, 8.0 + line * len(rows) + 24.0, tuple(drawn), ticks)


def weight_bins(weights: Sequence[tuple[float, int]]) -> list[tuple[str, int]]:
    """Units by size of their weight, in classes of 1, 2, 5, 10 ...; empty classes at both ends are omitted."""
    counts = [0] * (len(BREAKS) - 1)
    for weight, units in weights:
        position = next(i for i in range(len(counts)) if weight < BREAKS[i + 1] or i == len(counts) - 1)
        counts[position] += units
    occupied = [position for position, count in enumerate(counts) if count]
    if not occupied:
        return []
    return [(_class(position), counts[position]) for position in range(occupied[0], occupied[-1] + 1)]


def _class(position: int) -> str:
    low, high = BREAKS[position], BREAKS[position + 1]
    if position == 0:
        return "1"
    low = 1.0 if position == 1 else low
    return f"≥ {low:,.0f}" if math.isinf(high) else f"{low:,.0f} – {high:,.0f}"
