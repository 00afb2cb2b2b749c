"""The registry of what is published beside indicators and tables: facts of the text, rankings, forecasts, figures.

Read from YAML once, checked, frozen. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from estimation.releases.content.content import Text
from estimation.releases.content.formulas import Formula, Reference, parse_formula, parse_reference
from estimation.releases.content.indicators import Registry, registry

_FOLDER = Path(__file__).with_name("registry")


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the text. ``formula`` None: the survey cannot give it, ``absent`` says why."""

    code: str
    label: Text
    unit: str
    place: tuple[str, ...]
    formula: Formula | None = None
    decimals: int = 2
    year: int = 0
    step: float = 0.0
    error: Reference | None = None
    absent: Text | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The domains of a kind with the largest values, as an enumeration of their names."""

    code: str
    label: Text
    unit: str
    variable: str
    statistic: str
    kind: str
    place: tuple[str, ...]
    top: int = 5
    decimals: int = 2


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


@dataclass(frozen=True, slots=True)
class Line:
    """A series of a figure."""

    name: Text
    points: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """What a figure shows: series of references, indicators as categories, columns of a table, or errors."""

    code: str
    title: Text
    unit: str
    alternative: Text
    series: tuple[Line, ...] = ()
    labels: tuple[str, ...] = ()
    categories: tuple[tuple[str, Text], ...] = ()
    table: str = ""
    columns: tuple[str, ...] = ()
    quality: bool = False


@dataclass(frozen=True, slots=True)
class Crossing:
    """A variable that is published by region and section: its printed unit and the code of its table."""

    code: str
    variable: str
    unit: str
    label: Text
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that a release publishes, as data."""

    registry: Registry
    facts: tuple[Fact, ...]
    rankings: tuple[Ranking, ...]
    forecasts: tuple[Forecast, ...]
    figures: tuple[Figure, ...]
    crossings: tuple[Crossing, ...] = ()

    def formulas(self) -> Iterator[tuple[str, Formula]]:
        """Every formula with the code of what it makes."""
        yield from ((fact.code, fact.formula) for fact in self.facts if fact.formula)
        yield from ((one.code, formula) for one in self.forecasts for formula in one.history)
        for figure in self.figures:
            yield from ((figure.code, formula) for line in figure.series for formula in line.points)

    def references(self) -> Iterator[Reference]:
        """Every reference of every formula, and the estimates behind stated errors."""
        for _code, formula in self.formulas():
            yield from formula.references
        yield from (fact.error for fact in self.facts if fact.error)

    def ordered_facts(self) -> tuple[Fact, ...]:
        """Facts after the facts that they refer to. Raises ValueError for a circle, naming it."""
        by_code = {fact.code: fact for fact in self.facts}
        done: dict[str, Fact] = {}

        def visit(code: str, path: tuple[str, ...]) -> None:
            if code in path:
                raise ValueError(f"a circle: {' > '.join((*path[path.index(code) :], code))}")
            fact = by_code.get(code)
            if fact is None or code in done:
                return
            for reference in fact.formula.references if fact.formula else ():
                if reference.kind == "number":
                    visit(reference.name.removesuffix(".growth"), (*path, code))
            done[code] = fact

        for code in by_code:
            visit(code, ())
        return tuple(done.values())


def parse_book(
    registry: Registry,
    facts: Mapping[str, Any],
    figures: Mapping[str, Any],
    crossings: Mapping[str, Any] | None = None,
) -> Book:
    """The book of parsed YAML. Raises ValueError with the code of what is wrong."""
    return Book(
        registry,
        tuple(_read(entry, _fact) for entry in facts.get("facts", ())),
        tuple(_read(entry, _ranking) for entry in facts.get("rankings", ())),
        tuple(_read(entry, _forecast) for entry in facts.get("forecasts", ())),
        tuple(_read(entry, _figure) for entry in figures.get("figures", ())),
        tuple(_read(entry, _crossing) for entry in (crossings or {}).get("crossings", ())),
    )


@lru_cache(maxsize=1)
def book() -> Book:
    """The book of this version of the program."""
    return parse_book(
        registry(), read_yaml("facts.yaml"), read_yaml("figures.yaml"), read_yaml("crossings.yaml")
    )


def read_yaml(name: str) -> dict[str, Any]:
    """A file of the registry folder."""
    document: dict[str, Any] = yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))
    return document


def _read(entry: Mapping[str, Any], make: Any) -> Any:
    try:
        return make(dict(entry))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{entry.get('code', '?')}: {error}") from error


def _fact(values: dict[str, Any]) -> Fact:
    formula, error, absent = (values.pop(name, None) for name in ("formula", "error", "absent"))
    if (formula is None) == (absent is None):
        raise ValueError("a fact has either a formula or a reason why it has none")
    return Fact(
        **{**values, "label": Text(**values["label"]), "place": tuple(values["place"])},
        formula=parse_formula(formula) if formula else None,
        error=parse_reference(error) if error else None,
        absent=Text(**absent) if absent else None,
    )


def _ranking(values: dict[str, Any]) -> Ranking:
    return Ranking(**{**values, "label": Text(**values["label"]), "place": tuple(values["place"])})


def _forecast(values: dict[str, Any]) -> Forecast:
    history = tuple(parse_formula(one) for one in values.pop("history"))
    shows = values.pop("as")
    named = {**values, "label": Text(**values["label"]), "place": tuple(values["place"])}
    return Forecast(**named, shows=shows, history=history)


def _crossing(values: dict[str, Any]) -> Crossing:
    return Crossing(**{**values, "label": Text(**values["label"])})


def _figure(values: dict[str, Any]) -> Figure:
    table = values.pop("table", None) or {}
    lines = tuple(
        Line(Text(**one["name"]), tuple(parse_formula(point) for point in one["points"]))
        for one in values.pop("series", ())
    )
    categories = tuple((code, Text(**label)) for code, label in values.pop("categories", {}).items())
    return Figure(
        **{
            **values,
            "title": Text(**values["title"]),
            "alternative": Text(**values["alternative"]),
            "labels": tuple(values.get("labels", ())),
        },
        series=lines,
        categories=categories,
        table=table.get("code", ""),
        columns=tuple(table.get("columns", ())),
    )
