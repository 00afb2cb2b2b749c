"""The timed tasks and the measurement of their time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from estimation.benchmark.country import Country
from estimation.methods import bootstrap, crosstotals, growth, ratio, total

TASKS = {
    "a": "national totals",
    "b": "totals by region, industry, size, category",
    "c": "totals by region x industry",
    "d": "ratios, national and by region",
    "e": "growth on the panel, national and by industry",
    "f": "500 bootstrap replicates of the totals",
}
REPLICATES = 500


@dataclass(frozen=True)
class Timing:
    """Seconds of one task: smallest and median of the repeats, and processor seconds of the smallest."""

    smallest: float
    median: float
    processor: float


def core_tasks(country: Country) -> dict[str, Callable[[], object]]:
    """The tasks a to f with this library, each from arrays to value, se, cv, interval and design effect."""
    sample, domains = country.sample, country.domains

    def by_domain() -> object:
        return crosstotals(sample, country.y, domains=domains)

    def crossed() -> object:
        pair = {name: domains[name] for name in ("region", "industry")}
        return crosstotals(sample, country.y, domains=pair, cross=[("region", "industry")])

    def ratios() -> object:
        region = domains["region"]
        return [ratio(sample, country.y, country.x, domain=d) for d in (None, region)]

    def growths() -> object:
        industry = domains["industry"]
        return [
            growth(sample, country.y, country.previous, panel=country.panel, domain=d)
            for d in (None, industry)
        ]

    return {
        "a": lambda: total(sample, country.y),
        "b": by_domain,
        "c": crossed,
        "d": ratios,
        "e": growths,
        "f": lambda: bootstrap(sample, country.y, replicates=REPLICATES, seed=1),
    }


def together(country: Country) -> Callable[[], object]:
    """Tasks a to e as a run does them: the design is checked once and all totals come from one pass."""

    def work() -> object:
        sample, domains, y = country.sample, country.domains, country.y
        tables = crosstotals(sample, y, domains=domains, cross=[("region", "industry")])
        ratios = [ratio(sample, y, country.x, domain=d) for d in (None, domains["region"])]
        rates = [
            growth(sample, y, country.previous, panel=country.panel, domain=d)
            for d in (None, domains["industry"])
        ]
        return tables, ratios, rates

    return work


def measure(work: Callable[[], object], repeats: int, *, warm: bool = True) -> Timing:
    """Time `repeats` runs, after an unmeasured warm-up run if `warm`."""
    if warm:
        work()
    seconds, processor = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return Timing(min(seconds), statistics.median(seconds), min(processor))


def growth_exponent(units: list[int], seconds: list[float]) -> float:
    """Slope of log time over log units: 1 is linear."""
    return float(np.polyfit(np.log(units), np.log(seconds), 1)[0])
