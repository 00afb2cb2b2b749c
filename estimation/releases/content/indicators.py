"""The registry of published indicators and table layouts: read from YAML once, checked, frozen. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from estimation.releases.content.content import Text

_FILE = Path(__file__).with_name("indicators.yaml")


@dataclass(frozen=True, slots=True)
class Part:
    """A stored estimate that an indicator adds."""

    variable: str
    statistic: str
    kind: str
    code: str
    sign: float = 1.0


@dataclass(frozen=True, slots=True)
class External:
    """A number from outside the survey."""

    code: str
    factor: float = 1.0
    sign: float = 1.0


@dataclass(frozen=True, slots=True)
class Indicator:
    """A published indicator: (sum of parts and externals) x scale / per."""

    code: str
    label: Text
    group: str
    unit: str
    column: Literal["new", "cumulative"]
    growth: Literal["level", "none"]
    scale: float = 1.0
    decimals: int = 2
    parent: str = ""
    qualifier: Literal["", "over"] = ""  # printed before the number: the series is a lower bound
    parts: tuple[Part, ...] = ()
    external: tuple[External, ...] = ()
    per: External | None = None
    error: Part | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A row or column of a table: what is estimated, or for which domain, or both."""

    label: Text
    code: str = ""
    unit: str = ""
    scale: float = 1.0
    decimals: int = 2
    variable: str = ""
    statistic: str = ""
    kind: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The layout of one table of the report."""

    number: int
    title: Text
    stub: Text
    code: str = ""  # T1 .. T4, E1
    columns: tuple[Line, ...] = ()
    rows: tuple[Line, ...] = ()
    row_domain: str = ""
    totals: tuple[Line, ...] = ()
    coverage: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """All indicators, their groups and the tables."""

    indicators: tuple[Indicator, ...]
    groups: tuple[tuple[str, Text], ...]
    tables: Mapping[int, Table]

    def indicator(self, code: str) -> Indicator:
        """One indicator. Raises KeyError."""
        for one in self.indicators:
            if one.code == code:
                return one
        raise KeyError(code)


def parse(document: Mapping[str, Any]) -> Registry:
    """The registry of a document. Raises ValueError for a double code, an unknown parent or field."""
    try:
        indicators = tuple(_indicator(entry) for entry in document["indicators"])
        groups = tuple((entry["code"], Text(**entry["label"])) for entry in document["groups"])
        tables = {entry["number"]: _table(entry) for entry in document["tables"]}
    except (KeyError, TypeError) as error:
        raise ValueError(f"the registry is malformed: {error}") from error
    codes = [one.code for one in indicators]
    known = {code for code, _ in groups}
    for one in indicators:
        if codes.count(one.code) > 1:
            raise ValueError(f"{one.code} stands twice in the registry")
        if one.parent and one.parent not in codes:
            raise ValueError(f"{one.code} has an unknown parent: {one.parent}")
        if one.group not in known:
            raise ValueError(f"{one.code} has an unknown group: {one.group}")
        if not one.parts and not one.external:
            raise ValueError(f"{one.code} is made of nothing")
    return Registry(indicators, groups, tables)


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry of this version of the program."""
    return parse(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def _indicator(entry: Mapping[str, Any]) -> Indicator:
    values = dict(entry)
    values["label"] = Text(**values["label"])
    values["parts"] = tuple(_part(part) for part in values.get("parts", ()))
    values["external"] = tuple(External(**one) for one in values.get("external", ()))
    if "error" in values:
        values["error"] = _part(values["error"])
    if "per" in values:
        values["per"] = External(**values["per"])
    return Indicator(**values)


def _part(entry: Mapping[str, Any]) -> Part:
    values = dict(entry)
    kind, _, code = values.pop("domain").partition("/")
    return Part(kind=kind, code=code, **values)


def _line(entry: Mapping[str, Any]) -> Line:
    values = dict(entry)
    kind, _, place = values.pop("domain", "").partition("/")
    return Line(**{**values, "label": Text(**values["label"]), "kind": kind, "place": place})


def _table(entry: Mapping[str, Any]) -> Table:
    values = dict(entry)
    for name in ("title", "stub"):
        values[name] = Text(**values[name])
    values.setdefault("code", f"T{values['number']}")
    for name in ("columns", "rows", "totals"):
        values[name] = tuple(_line(line) for line in values.get(name, ()))
    return Table(**values)
