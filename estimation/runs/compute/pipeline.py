"""The stages of a run over arrays: treat, weight, estimate, assemble, check. Pure: no database, no clock.

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
from estimation.runs.compute.levels import Prepared, means, multiples, prepare, proportions, ratios, totals
from estimation.runs.compute.panel import panel_growth
from estimation.runs.compute.spec import FLOW_BASIS, RunSpec
from estimation.runs.compute.summary import IdentityCheck, RunSummary, YearSummary
from estimation.runs.compute.treat import treat
from estimation.runs.compute.weigh import weigh

STAGES = ("read", "weight", "treat", "estimate", "assemble", "check", "store")
# Where each stage begins on the way from 0 to 100 percent.
STARTS = {"read": 0, "weight": 15, "treat": 18, "estimate": 30, "assemble": 78, "check": 82, "store": 84}
type Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Result:
    """Everything that a run stores."""

    estimates: EstimateColumns
    years: tuple[Prepared, ...]
    summary: RunSummary
    content_hash: str


def compute(
    now: Year, before: Year | None, spec: RunSpec, progress: Progress = lambda stage, percent: None
) -> Result:
    """Estimates of a year, of the year before, and of the change between them.

    ``progress(stage, percent)`` is called between the steps and may raise what stops the computation.
    """
    collector = Collector(level=spec.level)
    prepared = prepare_years(now, before, spec, progress)
    levels = []
    for number, one in enumerate(prepared):
        progress("estimate", STARTS["estimate"] + 14 * number)
        of_totals = totals(one, collector, spec)
        progress("estimate", STARTS["estimate"] + 14 * number + 5)
        means(one, collector)
        progress("estimate", STARTS["estimate"] + 14 * number + 10)
        levels.append((of_totals, proportions(one, collector), ratios(one, collector)))
        multiples(one, collector, spec)
    if len(prepared) == 2:
        pair = pair_years(prepared[0], prepared[1])
        progress("estimate", 58)
        total_growth(pair, levels[0][0], levels[1][0], collector)
        progress("estimate", 64)
        share_growth(pair, levels[0][1], levels[1][1], collector)
        share_growth(pair, levels[0][2], levels[1][2], collector)
        progress("estimate", 70)
        panel_growth(pair, collector, spec)
    progress("assemble", STARTS["assemble"])
    columns = collector.columns()
    progress("check", STARTS["check"])
    checks = check(columns, prepared)
    return Result(columns, tuple(prepared), _summary(columns, prepared, checks), content_hash(columns))


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
    """The earlier year with the items of the later one, in its order; an item it did not ask is missing."""
    if [item.code for item in before.items] == [item.code for item in now.items]:
        return before
    places = {item.code: place for place, item in enumerate(before.items)}
    values = np.full((before.n, len(now.items)), np.nan)
    items = []
    for column, item in enumerate(now.items):
        place = places.get(item.code)
        if place is None:
            items.append(replace(item, asked=np.zeros_like(item.asked)))
        else:
            values[:, column] = before.values[:, place]
            items.append(before.items[place])
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
    """Identities that must hold whatever the data: weights sum to the population, domains to the whole."""
    found: list[IdentityCheck] = []
    for one in prepared:
        sample = one.weighted.sample
        gap = float(abs(sample.weight.sum() - sample.population.sum()))
        found.append(_verdict("weights", one.year.year, "", gap, float(sample.population.sum())))
    kinds = np.array(columns.kind)
    total = (np.array(columns.statistic) == "total") if len(columns) else np.zeros(0, bool)
    value, year = columns.numbers["value"], np.array(columns.year)
    variable, code = np.array(columns.variable), np.array(columns.code)
    for one in prepared:
        here = total & (year == one.year.year)
        for kind, whole in (("region", "all"), ("category", "all"), ("nation", "all")):
            gap, scale = _gap(here, kinds, code, variable, value, kind, whole)
            found.append(_verdict(f"{kind} adds up", one.year.year, whole, gap, scale))
    return tuple(found)


def _gap(
    here: "np.ndarray",
    kinds: "np.ndarray",
    code: "np.ndarray",
    variable: "np.ndarray",
    value: Floats,
    kind: str,
    whole: str,
) -> tuple[float, float]:
    """Largest relative gap between the parts of a classification and the whole, over all variables."""
    parts = here & (kinds == kind) & (code != whole)
    entire = here & (kinds == "nation") & (code == whole)
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
        years=tuple(_of_year(one) for one in prepared),
    )


def _of_year(one: Prepared) -> YearSummary:
    weighted, effect = one.weighted, one.treated.outliers.effect
    return YearSummary(
        year=one.year.year,
        units=one.year.n,
        population=float(weighted.sample.population.sum()),
        strata=one.year.strata.count,
        estimation_strata=weighted.sample.strata,
        response_classes=int(weighted.classes.parted.sum()),
        collapsed=sum(1 for step in weighted.step if step),
        alone=int(weighted.sample.alone.sum()),
        outside_design=weighted.outside,
        unrepresented=weighted.unrepresented,
        excess=weighted.excess,
        moved=int((effect != 0).sum()),
        left_alone=int((effect == 0).sum()),
        filled=int(one.treated.filled.sum()),
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
