"""Static checks of the registry, as of questionnaires: all names exist, no cycles, compatible units. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from estimation.releases.content.crossings import Crossing
from estimation.releases.content.estimates import estimate_unit
from estimation.releases.content.facts import Fact, ordered_facts
from estimation.releases.content.formulas import Formula, FormulaError, Reference
from estimation.releases.content.indicators import Indicator, Part
from estimation.releases.content.registry import PublicationPlan
from estimation.units import Unit, unit_of
from survey.exceptions import DefinitionError

SECTION_ROOTS = ("foreword", "chapter1", "chapter2", "chapter3", "appendix", "annex", "footnote", "figure")
STATISTICS = frozenset(
    {
        "total",
        "mean",
        "ratio",
        "proportion",
        "panel_growth",
        "panel_simple",
        "level_growth",
        "multiple",
        "count",
    }
)
GROUPS = (
    "head_platform",
    "other_ent",
    "central_soe",
    "pilot_space",
    "data_ent",
    "sample_ent",
    "head_central",
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names that a run can store: unit of every item, its sums and ratios, codes of every domain kind."""

    units: Mapping[str, str]
    sums: frozenset[str]
    ratios: frozenset[str]
    domains: Mapping[str, Sequence[str]]
    external: Mapping[str, str]  # unit of every external series that may be entered
    crossed: frozenset[str] = frozenset()  # variables that a run crosses by region and section


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault: its subject, its kind and a message."""

    code: str
    kind: str
    sentence: str


def check_registry(plan: PublicationPlan, words: Vocabulary) -> list[Finding]:
    """Every fault of the registry; empty when it may be used."""
    findings: list[Finding] = []
    for indicator in plan.registry.indicators:
        findings += _indicator(indicator, words)
    try:
        facts: Sequence[Fact] = ordered_facts(plan.facts)
    except DefinitionError as error:
        return [*findings, Finding("facts", error.code, error.message)]
    units = _printed_units(plan)
    for fact in facts:
        findings += _labels(fact.code, fact.label.zh, fact.label.en)
        findings += _sections(fact.code, fact.place)
        if fact.formula is not None:
            findings += _formula(fact.code, fact.formula, fact.unit, units, words)
        if fact.error is not None:
            findings += list(_estimate(fact.code, fact.error, words))
    for forecast in plan.forecasts:
        findings += _sections(forecast.code, forecast.place)
        for formula in forecast.history:
            findings += _formula(forecast.code, formula, "", units, words, compare=False)
    for ranking in plan.rankings:
        findings += _sections(ranking.code, ranking.place)
        findings += _domain(ranking.code, ranking.kind, "", words)
    for figure in plan.figures:
        for line in figure.series:
            for formula in line.points:
                findings += _formula(figure.code, formula, figure.unit, units, words)
    for crossing in plan.crossings:
        findings += _crossing(crossing, words)
    return findings


def _crossing(crossing: Crossing, words: Vocabulary) -> list[Finding]:
    findings = _labels(crossing.code, crossing.label.zh, crossing.label.en)
    if crossing.variable not in words.crossed:
        return [*findings, Finding(crossing.code, "not_crossed", f"runs do not cross {crossing.variable}")]
    stored, printed = estimate_unit(crossing.variable, "total", words.units), unit_of(crossing.unit)
    if not stored.fits(printed):
        findings.append(
            Finding(
                crossing.code, "unit_clash", f"{crossing.variable} is in {stored}, printed in {crossing.unit}"
            )
        )
    return findings


def _indicator(indicator: Indicator, words: Vocabulary) -> Iterator[Finding]:
    yield from _labels(indicator.code, indicator.label.zh, indicator.label.en)
    for part in (*indicator.parts, *((indicator.error,) if indicator.error else ())):
        yield from _part(indicator, part, words)
    for external in (*indicator.external, *((indicator.per,) if indicator.per else ())):
        if external.code not in words.external:
            yield Finding(indicator.code, "unknown_external", f"no external series {external.code}")


def _part(indicator: Indicator, part: Part, words: Vocabulary) -> Iterator[Finding]:
    reference = Reference("estimate", f"{part.variable}/{part.statistic}/{part.kind}/{part.code}")
    faults = list(_estimate(indicator.code, reference, words))
    yield from faults
    if faults:
        return
    stored, printed = estimate_unit(part.variable, part.statistic, words.units), unit_of(indicator.unit)
    if indicator.per is not None:
        outside = unit_of(words.external.get(indicator.per.code, ""))
        stored = stored.times(Unit(outside.dims, indicator.per.factor), -1)
    if not stored.fits(printed):
        yield Finding(
            indicator.code, "unit_clash", f"{part.variable} is in {stored}, printed in {indicator.unit}"
        )
    elif indicator.per is None and not math.isclose(
        indicator.scale, stored.factor / printed.factor, rel_tol=1e-12
    ):
        yield Finding(
            indicator.code,
            "unit_clash",
            f"scale {indicator.scale} is not the step from the item to {indicator.unit}",
        )


def _printed_units(plan: PublicationPlan) -> dict[str, str]:
    """Unit of every number that a formula may name."""
    units = {indicator.code: indicator.unit for indicator in plan.registry.indicators}
    units |= {
        f"{indicator.code}.growth": "%"
        for indicator in plan.registry.indicators
        if indicator.growth != "none"
    }
    units |= {fact.code: fact.unit for fact in plan.facts}
    for table in plan.registry.tables.values():
        for column in table.columns:
            for row in (*table.rows, *table.totals):
                units[f"{table.code}.{row.code}.{column.code}"] = column.unit or row.unit
            if table.row_domain:
                units[f"{table.code}.*.{column.code}"] = column.unit
    return units


def _formula(
    code: str,
    formula: Formula,
    unit: str,
    units: Mapping[str, str],
    words: Vocabulary,
    *,
    compare: bool = True,
) -> list[Finding]:
    findings: list[Finding] = []
    for reference in formula.references:
        findings += _reference(code, reference, units, words)
    if findings:
        return findings
    try:
        result = formula.evaluate(
            lambda reference: (1.5 + 0.1 * abs(reference.offset), _unit(reference, units, words))
        )
        printed = unit_of(unit)
    except ZeroDivisionError:
        return findings
    except (FormulaError, ValueError) as error:  # an unknown unit is a ValueError
        return [Finding(code, "unit_clash", str(error))]
    if compare and not result.unit.fits(printed):
        findings.append(Finding(code, "unit_clash", f"the formula gives {result.unit}, printed in {unit}"))
    return findings


def _lookup(name: str, units: Mapping[str, str]) -> str | None:
    if name in units:
        return units[name]
    parts = name.split(".")
    return units.get(f"{parts[0]}.*.{parts[2]}") if len(parts) == 3 else None


def _unit(reference: Reference, units: Mapping[str, str], words: Vocabulary) -> Unit:
    if reference.kind == "number":
        return unit_of(_lookup(reference.name, units) or "")
    if reference.kind == "external":
        return unit_of(words.external[reference.name])
    variable, statistic, _kind, _code = reference.estimate
    return estimate_unit(variable, statistic, words.units)


def _reference(
    code: str, reference: Reference, units: Mapping[str, str], words: Vocabulary
) -> Iterator[Finding]:
    if reference.kind == "number" and _lookup(reference.name, units) is None:
        yield Finding(code, "unknown_number", f"no published number {reference.name}")
    elif reference.kind == "external" and reference.name not in words.external:
        yield Finding(code, "unknown_external", f"no external series {reference.name}")
    elif reference.kind == "estimate":
        yield from _estimate(code, reference, words)


def _estimate(code: str, reference: Reference, words: Vocabulary) -> Iterator[Finding]:
    variable, statistic, kind, domain_code = reference.estimate
    if statistic not in STATISTICS:
        yield Finding(code, "unknown_statistic", f"no statistic {statistic}")
        return
    exists: Callable[[str], bool] = words.units.__contains__
    if statistic == "count":
        exists = {"valid", "filed"}.__contains__
    elif "/" in variable:
        exists = words.ratios.__contains__
    elif "+" in variable:
        exists = words.sums.__contains__
    if not exists(variable):
        yield Finding(code, "unknown_item", f"no run stores {variable} as {statistic}")
    yield from _domain(code, kind, domain_code, words)


def _domain(code: str, kind: str, domain_code: str, words: Vocabulary) -> Iterator[Finding]:
    codes = words.domains.get(kind)
    if codes is None or (domain_code and domain_code not in codes):
        yield Finding(code, "unknown_domain", f"no domain {kind}/{domain_code}")


def _labels(code: str, zh: str, en: str) -> list[Finding]:
    both = zh.strip() and en.strip() and en.isascii()
    return [] if both else [Finding(code, "missing_translation", "a label is missing in one language")]


def _sections(code: str, section_codes: Sequence[str]) -> list[Finding]:
    if not section_codes:
        return [Finding(code, "missing_place", "it stands nowhere in the report")]
    return [
        Finding(code, "missing_place", f"no passage {section_code} in the report")
        for section_code in section_codes
        if section_code.partition(".")[0] not in SECTION_ROOTS
    ]
