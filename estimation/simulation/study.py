"""The simulation: samples, estimates of every variant, and their comparison with the true values. Pure."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from estimation.methods.arrays import Floats
from estimation.rehearsal.country import Country
from estimation.rehearsal.population.truth import TrueItem, true_rows
from estimation.runs.compute.arrays import Year
from estimation.runs.compute.blocks import Collector, EstimateColumns
from estimation.runs.compute.changes import pair_years, total_growth
from estimation.runs.compute.levels import Prepared, prepare, proportions, ratios, totals
from estimation.runs.compute.panel import panel_growth
from estimation.runs.compute.spec import RATIOS, RunSpec
from estimation.runs.compute.treat import treat
from estimation.runs.compute.weigh import Weighted, weigh
from estimation.simulation.draws import Draws
from estimation.simulation.variants import RAW, Variant
from survey.microdata.variables import Variable

# Quantities, money and a share of units: produced, stored, developed, used for AI, circulated, public part of
# circulation, cost of purchases, value created; bought data or not.
ITEMS = ("P01", "S02", "D01", "A02", "F01", "F04", "T02", "V01", "T01")
STATISTICS = ("total", "proportion", "ratio", "level_growth", "panel_growth")
YEAR = 2025

type Key = tuple[str, str, str, str]  # variable, statistic, kind of domain, domain


@dataclass(frozen=True)
class Outcome:
    """Estimates of one variant: K keys in S samples; `value` and `se` are (S, K), NaN where missing."""

    name: str
    value: Floats
    se: Floats


@dataclass(frozen=True)
class Study:
    """Result of a study: K keys with their true values (K,), and the outcome of each variant."""

    keys: tuple[Key, ...]
    truth: Floats
    outcomes: tuple[Outcome, ...]
    level: float
    samples: int
    units: int
    population: int


def run_study(
    country: Country,
    variables: Sequence[Variable],
    variants: Sequence[Variant],
    *,
    samples: int,
    seed: int,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> Study:
    """Draw `samples` samples and estimate each in every variant, in as many processes as there are `workers`.

    Sample i depends on `(seed, i)` alone, so more samples extend a study without changing it, and the result does not
    depend on the number of workers. Raises ValueError for fewer than 2 samples or a country without one of the items.
    """
    if samples < 2:
        raise ValueError(f"samples must be at least 2, not {samples}")
    chosen = [variable for variable in variables if variable.code in ITEMS]
    missing = set(ITEMS) - {variable.code for variable in chosen}
    if missing:
        raise ValueError(f"the questionnaires do not ask {min(missing)}")
    truth = _truth(country, chosen)
    # Every process gets a copy, so only the parts of the country that a sample needs are passed.
    small = replace(country, values={item: country.values[item] for item in ITEMS}, unknown_answers={})
    compute_sample = _SampleComputation(Draws(small, chosen), tuple(variants), tuple(truth), seed)
    shape = (len(variants), samples, len(truth))
    value, se = np.full(shape, np.nan), np.full(shape, np.nan)
    units = 0
    for number, result in enumerate(_all_samples(compute_sample, samples, workers)):
        units, value[:, number], se[:, number] = result
        progress(number + 1)
    outcomes = tuple(Outcome(v.name, value[i], se[i]) for i, v in enumerate(variants))
    alive = int(country.units.exists[1].sum())
    return Study(
        tuple(truth), np.array(list(truth.values())), outcomes, RAW.spec.level, samples, units, alive
    )


@dataclass(frozen=True)
class _SampleComputation:
    """Computes one sample in all variants: size, values (V, K) and standard errors (V, K)."""

    draws: Draws
    variants: tuple[Variant, ...]
    keys: tuple[Key, ...]
    seed: int

    def __call__(self, number: int) -> tuple[int, Floats, Floats]:
        column_of = {key: column for column, key in enumerate(self.keys)}
        years = self.draws.sample(self.seed, number)
        weights = _Weights(years)
        value, se = (np.full((len(self.variants), len(self.keys)), np.nan) for _ in range(2))
        for which, variant in enumerate(self.variants):
            columns = estimate(*years, variant, weights)
            where = [
                column_of.get((v, s, k, c), -1) if y == YEAR else -1
                for y, v, s, k, c in zip(
                    columns.year, columns.variable, columns.statistic, columns.kind, columns.code, strict=True
                )
            ]
            positions = np.array(where)
            inside = positions >= 0
            value[which, positions[inside]] = columns.numbers["value"][inside]
            se[which, positions[inside]] = columns.numbers["se"][inside]
        return years[0].n, value, se


def _all_samples(
    compute_sample: _SampleComputation, samples: int, workers: int
) -> Iterator[tuple[int, Floats, Floats]]:
    """The samples in their order, computed here or by a pool of processes."""
    if workers == 1:
        yield from map(compute_sample, range(samples))
        return
    # A new process inherits neither threads nor connections of this one.
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (compute_sample,)) as pool:
        yield from pool.map(_compute, range(samples))


def _begin(compute_sample: _SampleComputation) -> None:
    """Initialise a process of the pool with its computation."""
    global _compute_sample  # the initialiser of a pool cannot pass a value to its tasks otherwise
    _compute_sample = compute_sample


def _compute(number: int) -> tuple[int, Floats, Floats]:
    return _compute_sample(number)


_compute_sample: _SampleComputation


class _Weights:
    """Weights of two years, computed once for all variants with the same weighting."""

    def __init__(self, years: tuple[Year, Year]) -> None:
        self.years = years
        self.known: dict[tuple[str | int, ...], tuple[Weighted, Weighted]] = {}

    def of(self, spec: RunSpec) -> tuple[Weighted, Weighted]:
        key = (spec.lonely, spec.minimum_respondents, spec.response_classes)
        if key not in self.known:
            now, before = self.years
            self.known[key] = weigh(now, spec), weigh(before, spec)
        return self.known[key]


def estimate(now: Year, before: Year, variant: Variant, weights: _Weights | None = None) -> EstimateColumns:
    """The estimates of two years that a run with the variant's parameters would store, by the run's own stages."""
    spec = variant.spec
    collector = Collector(level=spec.level)
    weighted = (weights or _Weights((now, before))).of(spec)
    prepared: list[Prepared] = [
        prepare(year, own, treat(year, own, spec), spec)
        for year, own in zip((now, before), weighted, strict=True)
    ]
    levels = [totals(year, collector, spec) for year in prepared]
    proportions(prepared[0], collector)
    ratios(prepared[0], collector)
    pair = pair_years(*prepared)
    total_growth(pair, levels[0], levels[1], collector)
    panel_growth(pair, collector, spec)
    return collector.columns()


def _truth(country: Country, variables: Sequence[Variable]) -> dict[Key, float]:
    items = [TrueItem(v.code, v.kind, tuple(int(code[3:]) for code in v.categories)) for v in variables]
    kinds, amounts = ("nation", "region", "section"), {v.code for v in variables if v.is_amount}
    return {
        (name, statistic, kind, code): value
        for year, name, statistic, kind, code, value in true_rows(country, items, RATIOS, ())
        if year == YEAR
        and statistic in STATISTICS
        and kind in kinds
        # Growth is simulated for amounts only, not for shares.
        and not (statistic == "level_growth" and name not in amounts)
    }
