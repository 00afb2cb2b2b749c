"""The publication plan, read once from YAML, and the assembly of a release from it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from estimation.releases.content.content import FrozenFigure, Text
from estimation.releases.content.crossings import Crossing, add_crossing, crossing_keys, parse_crossing
from estimation.releases.content.draft import Draft, Material
from estimation.releases.content.estimates import Key, key_of
from estimation.releases.content.evaluation import Evaluator
from estimation.releases.content.facts import Fact, add_facts, parse_fact
from estimation.releases.content.figures import Figure, frozen_figure, parse_figure
from estimation.releases.content.forecasts import Forecast, forecast_cell, parse_forecast
from estimation.releases.content.formulas import Formula, Reference
from estimation.releases.content.indicators import (
    Indicator,
    add_chapter_tables,
    add_indicators,
    indicator_keys,
    parse_indicator,
)
from estimation.releases.content.rankings import Ranking, add_ranking, parse_ranking, ranking_keys
from estimation.releases.content.reading import entry_errors, read_yaml
from estimation.releases.content.tables import Table, add_table, parse_table, table_keys
from survey.exceptions import DefinitionError


@dataclass(frozen=True, slots=True)
class Registry:
    """All indicators, their groups and the tables."""

    indicators: tuple[Indicator, ...]
    groups: tuple[tuple[str, Text], ...]
    tables: Mapping[int, Table]

    def indicator(self, code: str) -> Indicator:
        """One indicator. Raises KeyError."""
        for indicator in self.indicators:
            if indicator.code == code:
                return indicator
        raise KeyError(code)


def parse(document: Mapping[str, Any]) -> Registry:
    """The registry of a document. Raises DefinitionError for a double code, an unknown parent or field."""
    with entry_errors(None, "indicators.yaml"):
        indicators = tuple(_read(entry, parse_indicator) for entry in document["indicators"])
        groups = tuple((entry["code"], Text(**entry["label"])) for entry in document["groups"])
        tables = {entry["number"]: _read(entry, parse_table) for entry in document["tables"]}
    codes = [indicator.code for indicator in indicators]
    group_codes = {code for code, _ in groups}
    for indicator in indicators:
        if codes.count(indicator.code) > 1:
            raise DefinitionError("duplicate_code", indicator.code, "it stands twice in the registry")
        if indicator.parent and indicator.parent not in codes:
            raise DefinitionError("unknown_parent", indicator.code, f"no indicator {indicator.parent}")
        if indicator.group not in group_codes:
            raise DefinitionError("unknown_group", indicator.code, f"no group {indicator.group}")
        if not indicator.parts and not indicator.external:
            raise DefinitionError("without_parts", indicator.code, "it is made of nothing")
    return Registry(indicators, groups, tables)


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry of this version of the program."""
    return parse(read_yaml("indicators.yaml"))


@dataclass(frozen=True, slots=True)
class PublicationPlan:
    """The definitions of all published cells, tables and figures."""

    registry: Registry
    facts: tuple[Fact, ...]
    rankings: tuple[Ranking, ...]
    forecasts: tuple[Forecast, ...]
    figures: tuple[Figure, ...]
    crossings: tuple[Crossing, ...] = ()

    def formulas(self) -> Iterator[tuple[str, Formula]]:
        """Every formula with the code of its result."""
        yield from ((fact.code, fact.formula) for fact in self.facts if fact.formula)
        yield from ((forecast.code, formula) for forecast in self.forecasts for formula in forecast.history)
        for figure in self.figures:
            yield from ((figure.code, formula) for line in figure.series for formula in line.points)

    def references(self) -> Iterator[Reference]:
        """Every reference of every formula, and the estimates behind stated errors."""
        for _code, formula in self.formulas():
            yield from formula.references
        yield from (fact.error for fact in self.facts if fact.error)

    def evaluator(self, draft: Draft, material: Material) -> Evaluator:
        """Evaluates the formulas of this plan over a draft."""
        offsets = {fact.code: fact.year for fact in self.facts}
        return Evaluator(draft, material, offsets, {indicator.code for indicator in self.registry.indicators})


def parse_plan(
    registry: Registry,
    facts: Mapping[str, Any],
    figures: Mapping[str, Any],
    crossings: Mapping[str, Any] | None = None,
) -> PublicationPlan:
    """The plan of parsed YAML. Raises DefinitionError with the code of what is wrong."""
    _only(facts, "facts.yaml", {"facts", "rankings", "forecasts"})
    _only(figures, "figures.yaml", {"figures"})
    _only(crossings or {}, "crossings.yaml", {"crossings"})
    return PublicationPlan(
        registry,
        tuple(_read(entry, parse_fact) for entry in facts.get("facts", ())),
        tuple(_read(entry, parse_ranking) for entry in facts.get("rankings", ())),
        tuple(_read(entry, parse_forecast) for entry in facts.get("forecasts", ())),
        tuple(_read(entry, parse_figure) for entry in figures.get("figures", ())),
        tuple(_read(entry, parse_crossing) for entry in (crossings or {}).get("crossings", ())),
    )


@lru_cache(maxsize=1)
def publication_plan() -> PublicationPlan:
    """The plan of this version of the program."""
    return parse_plan(
        registry(), read_yaml("facts.yaml"), read_yaml("figures.yaml"), read_yaml("crossings.yaml")
    )


def _only(document: Mapping[str, Any], name: str, known: set[str]) -> None:
    """A misspelt part must not be read as a part that is not there."""
    for part in document.keys() - known:
        raise DefinitionError("unknown_part", name, f"no part is named {part}")


def _read(entry: Mapping[str, Any], make: Any) -> Any:
    with entry_errors(entry, "an entry without a code"):
        return make(dict(entry))


def required_keys(plan: PublicationPlan, year: int, codes: Mapping[str, Sequence[str]]) -> set[Key]:
    """Every stored estimate that a release reads. ``codes`` : codes of each domain kind."""
    keys = indicator_keys(plan.registry.indicators, year)
    for table in plan.registry.tables.values():
        keys |= set(table_keys(table, year, codes.get(table.row_domain, ())))
    named = {key_of(reference, year) for reference in plan.references() if reference.kind == "estimate"}
    # The growth of a total that a formula compares with the year before gives their covariance.
    keys |= named | {replace(key, statistic="level_growth") for key in named if key.statistic == "total"}
    for ranking in plan.rankings:
        keys |= set(ranking_keys(ranking, year, codes.get(ranking.kind, ())))
    for crossing in plan.crossings:
        keys |= crossing_keys(crossing, year, codes.get("region", ()), codes.get("section", ()))
    return keys


def assemble(
    plan: PublicationPlan, material: Material, codes: Mapping[str, Sequence[str]]
) -> tuple[Draft, tuple[FrozenFigure, ...]]:
    """Every cell, table and figure of a release. ``codes`` : codes of each domain kind, in printed order."""
    draft, registry = Draft(), plan.registry
    add_indicators(draft, registry.indicators, material)
    add_chapter_tables(draft, registry.indicators, registry.groups, material.year)
    for _number, table in sorted(registry.tables.items()):
        add_table(draft, table, codes.get(table.row_domain, ()), material)
    evaluator = plan.evaluator(draft, material)
    add_facts(evaluator, plan.facts)
    for ranking in plan.rankings:
        add_ranking(evaluator, ranking, codes.get(ranking.kind, ()))
    for forecast in plan.forecasts:
        draft.add(forecast_cell(evaluator, forecast))
    for crossing in plan.crossings:
        add_crossing(draft, crossing, material, codes.get("region", ()), codes.get("section", ()))
    return draft, tuple(frozen_figure(evaluator, figure) for figure in plan.figures)
