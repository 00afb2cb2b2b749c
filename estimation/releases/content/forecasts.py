"""Next year's level of a short series: damped trend on logarithms, a range of scenarios, a backtest. Pure.

Two to five known years identify no model, so none is fitted. The central number continues the mean of the known
log growth rates, later years weighing more, damped by 0.9 because high growth has rarely lasted. The range is no
confidence interval: it reaches from the smallest known growth, damped by a half, to the largest, undamped, and is
widened by the largest error that the same rule made on the known years.

References: Gardner and McKenzie (1985), damped trends; Hyndman and Athanasopoulos (2021), section 8.2.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from estimation.releases.content.content import FrozenCell, Text
from estimation.releases.content.draft import absent, freeze_cell
from estimation.releases.content.estimates import Cell, formatted
from estimation.releases.content.evaluation import Evaluator, Missing, steady
from estimation.releases.content.formulas import Formula, parse_formula
from estimation.units import unit_of

DAMPING = 0.9
LOW_DAMPING = 0.5
MEMORY = 0.5  # weight of a rate against that of the year after


@dataclass(frozen=True, slots=True)
class Backtest:
    """One known year as the rule forecasts it from the years before. ``error`` : log of forecast over level."""

    position: int
    forecast: float
    level: float
    error: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """(low, central, high) of the next level and of its growth; known years; the error of the backtest."""

    level: tuple[float, float, float]
    growth: tuple[float, float, float]
    years: int
    backtest: tuple[Backtest, ...]

    def words(self) -> Text:
        """Explanation of the number for a reader."""
        if not self.backtest:
            return Text(
                f"据{self.years}个已知年份的阻尼趋势外推，区间为情景范围，不是置信区间；年份过少，无法回测。",
                f"Damped trend over {self.years} known years; the range is one of scenarios, no confidence interval."
                " Too few years for a backtest.",
            )
        worst = max(abs(math.expm1(test.error)) for test in self.backtest) * 100
        return Text(
            f"据{self.years}个已知年份的阻尼趋势外推，区间为情景范围，不是置信区间；"
            f"对{len(self.backtest)}个已知年份回测的最大误差为{worst:.1f}%。",
            f"Damped trend over {self.years} known years; the range is one of scenarios, no confidence interval."
            f" Largest error in a backtest of {len(self.backtest)} known years: {worst:.1f} %.",
        )


def damped_trend(levels: Sequence[float]) -> Outlook:
    """The outlook after known levels, oldest first. Raises ValueError for fewer than two or a level not above 0."""
    if len(levels) < 2 or min(levels) <= 0:
        raise ValueError("a trend needs at least two levels above zero")
    tested = tuple(_test(levels, position) for position in range(2, len(levels)))
    rates = _rates(levels)
    missed = max((abs(test.error) for test in tested), default=0.0)
    central = DAMPING * _trend(rates)
    low = min(LOW_DAMPING * min(rates), min(rates), central) - missed
    high = max(max(rates), central) + missed
    growth = (math.expm1(low), math.expm1(central), math.expm1(high))
    last = levels[-1]
    return Outlook(
        (last * (1 + growth[0]), last * (1 + growth[1]), last * (1 + growth[2])), growth, len(levels), tested
    )


def _rates(levels: Sequence[float]) -> list[float]:
    return [math.log(b / a) for a, b in pairwise(levels)]


def _trend(rates: Sequence[float]) -> float:
    weights = [MEMORY**age for age in range(len(rates) - 1, -1, -1)]
    return sum(w * rate for w, rate in zip(weights, rates, strict=True)) / sum(weights)


def _test(levels: Sequence[float], position: int) -> Backtest:
    before, level = levels[:position], levels[position]
    forecast = before[-1] * math.exp(DAMPING * _trend(_rates(before)))
    return Backtest(position, forecast, level, math.log(forecast / level))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Next year's level, or its growth, from the levels of the known years."""

    code: str
    label: Text
    unit: str
    shows: Literal["level", "growth"]
    history: tuple[Formula, ...]
    place: tuple[str, ...]
    decimals: int = 2


def parse_forecast(values: dict[str, Any]) -> Forecast:
    history = tuple(parse_formula(text) for text in values.pop("history"))
    shows = values.pop("as")
    named = {**values, "label": Text(**values["label"]), "place": tuple(values["place"])}
    return Forecast(**named, shows=shows, history=history)


def forecast_cell(evaluator: Evaluator, forecast: Forecast) -> FrozenCell:
    """Next year's number with its range of scenarios."""
    key, label = f"{forecast.code}.{evaluator.year + 1}", forecast.label
    levels: list[float] = []
    lineage: list[str] = []
    for formula in forecast.history:
        try:
            quantity, parts = evaluator.evaluate(formula)
        except Missing:
            levels.clear()  # levels before a gap are not consecutive with those after it
            lineage.clear()
            continue
        levels.append(quantity.value)
        lineage += [line for part in parts.values() for line in part.lineage]
    if len(levels) < 2 or min(levels) <= 0:
        return absent(key, label, forecast.unit, forecast.decimals, "no_previous")
    trend = damped_trend(levels)
    low, value, high = trend.growth if forecast.shows == "growth" else trend.level
    factor = unit_of(forecast.unit).factor
    cell = Cell(
        formatted(steady(value / factor), forecast.decimals),
        steady(value / factor),
        lower=low / factor,
        upper=high / factor,
        n=len(levels),
    )
    frozen = freeze_cell(
        key, label, forecast.unit, cell, forecast.decimals, "forecast", dict.fromkeys(lineage)
    )
    return replace(frozen, note=trend.words())
