"""The stages of a run over arrays: treat, weight, estimate, assemble, check. Pure: no database, no time of day.

``compute`` is called with the years that ``extraction`` read; reading and storing are the caller's stages.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from estimation.methods.arrays import Floats
from estimation.runs.compute.arrays import Year
from estimation.runs.compute.blocks import Collector, EstimateColumns
from estimation.runs.compute.changes import pair_years, share_growth, total_growth
from estimation.runs.compute.contributors import ContributorColumns, contributors_of
from estimation.runs.compute.levels import Prepared, means, multiples, prepare, proportions, ratios, totals
from estimation.runs.compute.panel import panel_growth
from estimation.runs.compute.spec import FLOW_BASIS, RunSpec
from estimation.runs.compute.summary import IdentityCheck, RunSummary, YearSummary
from estimation.runs.compute.treat import treat
from estimation.runs.compute.weigh import weigh

STAGES = ("read", "weight", "treat", "estimate", "assemble", "check", "store")
# Percentage of progress at which each stage of ``compute`` begins. The caller reads before and stores after.
STARTS = {"weight": 15, "treat": 18, "estimate": 30, "assemble": 78, "check": 82}
type Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Result:
    """The result that a run stores."""

    estimates: EstimateColumns
    contributors: ContributorColumns  # of the totals of the run's own year
    years: tuple[Prepared, ...]
    summary: RunSummary
    content_hash: str


def compute(
    now: Year, before: Year | None, spec: RunSpec, progress: Progress = lambda stage, percent: None
) -> Result:
    """Estimates of a year, of the year before, and of the change between them.

    ``progress(stage, percent)`` is called between the steps and may raise an exception to stop the computation.
    """
    collector = Collector(level=spec.level)
    prepared = prepare_years(now, before, spec, progress)
    levels = []
    for number, year in enumerate(prepared):
        progress("estimate", STARTS["estimate"] + 14 * number)
        of_totals = totals(year, collector, spec)
        progress("estimate", STARTS["estimate"] + 14 * number + 5)
        means(year, collector)
        progress("estimate", STARTS["estimate"] + 14 * number + 10)
        levels.append((of_totals, proportions(year, collector), ratios(year, collector)))
        multiples(year, collector, spec)
    if len(prepared) == 2:
        pair = pair_years(prepared[0], prepared[1])
        progress("estimate", 58)
        total_growth(pair, levels[0][0], levels[1][0], collector)
        progress("estimate", 64)
        share_growth(pair, levels[0][1], levels[1][1], collector)
        share_growth(pair, levels[0][2], levels[1][2], collector)
        progress("estimate", 70)
        panel_growth(pair, collector, spec)
    progress("estimate", 76)
    contributors = contributors_of(prepared[0], spec)
    progress("assemble", STARTS["assemble"])
    columns = collector.columns()
    progress("check", STARTS["check"])
    checks = check(columns, prepared)
    summary = _summary(columns, prepared, checks)
    return Result(columns, contributors, tuple(prepared), summary, content_hash(columns))


def prepare_years(
    now: Year, before: Year | None, spec: RunSpec, progress: Progress = lambda stage, percent: None
) -> list[Prepared]:
    """One or two years weighted and treated, the earlier one with the items of the later one."""
    prepared: list[Prepared] = []
    years = [now] if before is None else [now, _aligned(before, now)]
    for number, year in enumerate(years):
        year = with_flow_basis(year, spec)
        progress("weight", STARTS["weight"] + number)
        weighted = weigh(year, spec)
        progress("treat", STARTS["treat"] + 6 * number)
        prepared.append(prepare(year, weighted, treat(year, weighted, spec), spec))
    return prepared


def _aligned(before: Year, now: Year) -> Year:
    """The earlier year with the items of the later one, in its order; an item that it did not ask is missing."""
    if [item.code for item in before.items] == [item.code for item in now.items]:
        return before
    column_of = {item.code: old_column for old_column, item in enumerate(before.items)}
    values = np.full((before.n, len(now.items)), np.nan)
    items = []
    for column, item in enumerate(now.items):
        old_column = column_of.get(item.code)
        if old_column is None:
            items.append(replace(item, asked=np.zeros_like(item.asked)))
        else:
            values[:, column] = before.values[:, old_column]
            items.append(before.items[old_column])
    return replace(before, items=tuple(items), values=values)


def with_flow_basis(year: Year, spec: RunSpec) -> Year:
    """F01 counts a flow between two sampled units twice; the spec may count providers or receivers only."""
    codes = [item.code for item in year.items]
    source = FLOW_BASIS[spec.flow_basis]
    if source == "F01" or source not in codes or "F01" not in codes:
        return year
    values = year.values.copy()
    values[:, codes.index("F01")] = values[:, codes.index(source)]
    return replace(year, values=values)


def check(columns: EstimateColumns, prepared: list[Prepared]) -> tuple[IdentityCheck, ...]:
    """Identities that hold for any data: weights sum to the population, domains to the total."""
    checks: list[IdentityCheck] = []
    for part in prepared:
        sample = part.weighted.sample
        gap = float(abs(sample.weight.sum() - sample.population.sum()))
        checks.append(_verdict("weights", part.year.year, "", gap, float(sample.population.sum())))
    kinds = np.array(columns.kind)
    total = (np.array(columns.statistic) == "total") if len(columns) else np.zeros(0, bool)
    value, year = columns.numbers["value"], np.array(columns.year)
    variable, code = np.array(columns.variable), np.array(columns.code)
    for part in prepared:
        selected = total & (year == part.year.year)
        for kind, total_code in (("region", "all"), ("category", "all"), ("nation", "all")):
            gap, scale = _gap(selected, kinds, code, variable, value, kind, total_code)
            checks.append(_verdict(f"{kind} adds up", part.year.year, total_code, gap, scale))
    return tuple(checks)


def _gap(
    selected: "np.ndarray",
    kinds: "np.ndarray",
    code: "np.ndarray",
    variable: "np.ndarray",
    value: Floats,
    kind: str,
    total_code: str,
) -> tuple[float, float]:
    """Largest relative gap between the sum of a classification and the total, over all variables."""
    parts = selected & (kinds == kind) & (code != total_code)
    entire = selected & (kinds == "nation") & (code == total_code)
    sums: dict[str, float] = {}
    for name, number in zip(variable[parts], value[parts], strict=True):
        sums[str(name)] = sums.get(str(name), 0.0) + float(number)
    worst = 0.0
    for name, number in zip(variable[entire], value[entire], strict=True):
        if number:
            worst = max(worst, abs(sums.get(str(name), 0.0) - float(number)) / abs(float(number)))
    return worst, 1.0


def _verdict(name: str, year: int, detail: str, gap: float, scale: float) -> IdentityCheck:
    relative = gap / scale if scale else gap
    return IdentityCheck(name, year, detail, relative, holds=relative < 1e-9)


def _summary(
    columns: EstimateColumns, prepared: list[Prepared], checks: tuple[IdentityCheck, ...]
) -> RunSummary:
    return RunSummary(
        estimates=len(columns),
        variables=len(prepared[0].year.items),
        grades={letter: columns.grade.count(letter) for letter in "ABCDE"},
        checks=checks,
        years=tuple(_of_year(part) for part in prepared),
    )


def _of_year(prepared: Prepared) -> YearSummary:
    weighted, effect = prepared.weighted, prepared.treated.outliers.effect
    return YearSummary(
        year=prepared.year.year,
        units=prepared.year.n,
        population=float(weighted.sample.population.sum()),
        strata=prepared.year.strata.count,
        estimation_strata=weighted.sample.strata,
        response_classes=int(weighted.classes.is_split.sum()),
        collapsed=sum(1 for step in weighted.step if step),
        alone=int(weighted.sample.alone.sum()),
        outside_design=weighted.outside,
        unrepresented=weighted.unrepresented,
        excess=weighted.excess,
        moved=int((effect != 0).sum()),
        left_alone=int((effect == 0).sum()),
        filled=int(prepared.treated.filled.sum()),
    )


def content_hash(columns: EstimateColumns) -> str:
    """SHA-256 of the estimates: names and the IEEE bytes of the numbers."""
    result = hashlib.sha256()
    for names in (columns.variable, columns.statistic, columns.kind, columns.code):
        result.update("\x1f".join(names).encode())
    result.update(np.array(columns.year, dtype=">i4").tobytes())
    for name in sorted(columns.numbers):
        result.update(np.ascontiguousarray(columns.numbers[name], dtype=">f8").tobytes())
    return result.hexdigest()
