"""Static checks of the registry, as of questionnaires: every name known, no circle, units that fit. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from estimation.releases.content.crossings import Crossing
from estimation.releases.content.estimates import estimate_unit
from estimation.releases.content.facts import Fact, ordered_facts
from estimation.releases.content.formulas import Formula, Reference
from estimation.releases.content.indicators import Indicator, Part
from estimation.releases.content.registry import Book
from estimation.units import Unit, unit_of

PLACES = ("foreword", "chapter1", "chapter2", "chapter3", "appendix", "annex", "footnote", "figure")
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
    """What a run can store: unit of every item, sums and ratios it makes, codes of every domain kind."""

    units: Mapping[str, str]
    sums: frozenset[str]
    ratios: frozenset[str]
    domains: Mapping[str, Sequence[str]]
    external: Mapping[str, str]  # unit of every external series that may be entered
    crossed: frozenset[str] = frozenset()  # variables that a run crosses by region and section


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault: what it is about, its kind and a sentence."""

    code: str
    kind: str
    sentence: str


def check_registry(book: Book, words: Vocabulary) -> list[Finding]:
    """Every fault of the registry; empty when it may be used."""
    found: list[Finding] = []
    for indicator in book.registry.indicators:
        found += _indicator(indicator, words)
    try:
        facts: Sequence[Fact] = ordered_facts(book.facts)
    except ValueError as error:
        return [*found, Finding("facts", "circle", str(error))]
    units = _printed_units(book)
    for fact in facts:
        found += _labels(fact.code, fact.label.zh, fact.label.en)
        found += _places(fact.code, fact.place)
        if fact.formula is not None:
            found += _formula(fact.code, fact.formula, fact.unit, units, words)
        if fact.error is not None:
            found += list(_estimate(fact.code, fact.error, words))
    for forecast in book.forecasts:
        found += _places(forecast.code, forecast.place)
        for formula in forecast.history:
            found += _formula(forecast.code, formula, "", units, words, compare=False)
    for ranking in book.rankings:
        found += _places(ranking.code, ranking.place)
        found += _domain(ranking.code, ranking.kind, "", words)
    for figure in book.figures:
        for line in figure.series:
            for formula in line.points:
                found += _formula(figure.code, formula, figure.unit, units, words)
    for crossing in book.crossings:
        found += _crossing(crossing, words)
    return found


def _crossing(one: Crossing, words: Vocabulary) -> list[Finding]:
    found = _labels(one.code, one.label.zh, one.label.en)
    if one.variable not in words.crossed:
        return [*found, Finding(one.code, "not_crossed", f"runs do not cross {one.variable}")]
    stored, printed = estimate_unit(one.variable, "total", words.units), unit_of(one.unit)
    if not stored.fits(printed):
        found.append(Finding(one.code, "unit_clash", f"{one.variable} is in {stored}, printed in {one.unit}"))
    return found


def _indicator(one: Indicator, words: Vocabulary) -> Iterator[Finding]:
    yield from _labels(one.code, one.label.zh, one.label.en)
    for part in (*one.parts, *((one.error,) if one.error else ())):
        yield from _part(one, part, words)
    for external in (*one.external, *((one.per,) if one.per else ())):
        if external.code not in words.external:
            yield Finding(one.code, "unknown_external", f"no external series {external.code}")


def _part(one: Indicator, part: Part, words: Vocabulary) -> Iterator[Finding]:
    reference = Reference("estimate", f"{part.variable}/{part.statistic}/{part.kind}/{part.code}")
    faults = list(_estimate(one.code, reference, words))
    yield from faults
    if faults:
        return
    stored, printed = estimate_unit(part.variable, part.statistic, words.units), unit_of(one.unit)
    if one.per is not None:
        outside = unit_of(words.external.get(one.per.code, ""))
        stored = stored.times(Unit(outside.dims, one.per.factor), -1)
    if not stored.fits(printed):
        yield Finding(one.code, "unit_clash", f"{part.variable} is in {stored}, printed in {one.unit}")
    elif one.per is None and not math.isclose(one.scale, stored.factor / printed.factor, rel_tol=1e-12):
        yield Finding(
            one.code, "unit_clash", f"scale {one.scale} is not the step from the item to {one.unit}"
        )


def _printed_units(book: Book) -> dict[str, str]:
    """Unit of every number that a formula may name."""
    units = {one.code: one.unit for one in book.registry.indicators}
    units |= {f"{one.code}.growth": "%" for one in book.registry.indicators if one.growth != "none"}
    units |= {fact.code: fact.unit for fact in book.facts}
    for table in book.registry.tables.values():
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
    found: list[Finding] = []
    for reference in formula.references:
        found += _reference(code, reference, units, words)
    if found:
        return found
    try:
        result = formula.evaluate(
            lambda reference: (1.5 + 0.1 * abs(reference.offset), _unit(reference, units, words))
        )
        wanted = unit_of(unit)
    except ZeroDivisionError:
        return found
    except ValueError as error:
        return [Finding(code, "unit_clash", str(error))]
    if compare and not result.unit.fits(wanted):
        found.append(Finding(code, "unit_clash", f"the formula gives {result.unit}, printed in {unit}"))
    return found


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
    variable, statistic, kind, place = reference.estimate
    if statistic not in STATISTICS:
        yield Finding(code, "unknown_statistic", f"no statistic {statistic}")
        return
    known: Callable[[str], bool] = words.units.__contains__
    if statistic == "count":
        known = {"valid", "filed"}.__contains__
    elif "/" in variable:
        known = words.ratios.__contains__
    elif "+" in variable:
        known = words.sums.__contains__
    if not known(variable):
        yield Finding(code, "unknown_item", f"no run stores {variable} as {statistic}")
    yield from _domain(code, kind, place, words)


def _domain(code: str, kind: str, place: str, words: Vocabulary) -> Iterator[Finding]:
    codes = words.domains.get(kind)
    if codes is None or (place and place not in codes):
        yield Finding(code, "unknown_domain", f"no domain {kind}/{place}")


def _labels(code: str, zh: str, en: str) -> list[Finding]:
    both = zh.strip() and en.strip() and en.isascii()
    return [] if both else [Finding(code, "missing_translation", "a label is missing in one language")]


def _places(code: str, places: Sequence[str]) -> list[Finding]:
    if not places:
        return [Finding(code, "missing_place", "it stands nowhere in the report")]
    return [
        Finding(code, "missing_place", f"no passage {place} in the report")
        for place in places
        if place.partition(".")[0] not in PLACES
    ]
