"""Headline indicators: their definition, levels, growth with errors, and the tables of chapter 1. Pure.

A published number is rounded once, half up. Growth between two published levels is the growth of the printed levels,
as in the report; its error comes from the unrounded estimates.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from estimation.releases.content.content import CellStatus, FrozenCell, FrozenRow, FrozenTable, Text
from estimation.releases.content.draft import Draft, Material, freeze_cell, unit_text
from estimation.releases.content.estimates import (
    Z95,
    Cell,
    Key,
    Source,
    Stored,
    empty,
    formatted,
    grade_of,
    lineage_of,
    rounded,
)
from estimation.units import english


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
    """An external value of an indicator."""

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


def parse_indicator(entry: Mapping[str, Any]) -> Indicator:
    values = dict(entry)
    values["label"] = Text(**values["label"])
    values["parts"] = tuple(_part(part) for part in values.get("parts", ()))
    values["external"] = tuple(External(**entry) for entry in values.get("external", ()))
    if "error" in values:
        values["error"] = _part(values["error"])
    if "per" in values:
        values["per"] = External(**values["per"])
    return Indicator(**values)


def _part(entry: Mapping[str, Any]) -> Part:
    values = dict(entry)
    kind, _, code = values.pop("domain").partition("/")
    return Part(kind=kind, code=code, **values)


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """An indicator with its previous level, its level and its growth.

    is_part : it follows its total, or another part of it, so that a page may indent it
    """

    indicator: Indicator
    previous: Cell
    current: Cell
    growth: Cell
    is_part: bool = False


def indicator_rows(indicators: Iterable[Indicator], source: Source, year: int) -> list[IndicatorRow]:
    """Every indicator for a year and the year before."""
    rows: list[IndicatorRow] = []
    parent_code = ""
    for indicator in indicators:
        levels = (
            level(indicator, source, year - 1),
            level(indicator, source, year),
            growth(indicator, source, year),
        )
        rows.append(
            IndicatorRow(
                indicator, *levels, is_part=bool(indicator.parent) and indicator.parent == parent_code
            )
        )
        parent_code = parent_code if rows[-1].is_part else indicator.code
    return rows


def level(indicator: Indicator, source: Source, year: int) -> Cell:
    """The level of an indicator in a year."""
    estimates = [source.estimates.get(_key(part, year)) for part in indicator.parts]
    if any(estimate is None or estimate.value is None for estimate in estimates):
        return empty("no_estimate")
    outside = _outside(indicator.external, source, year)
    divisor = 1.0 if indicator.per is None else source.external.get((indicator.per.code, year))
    if outside is None or divisor is None:
        return empty("no_external")
    stored = [estimate for estimate in estimates if estimate is not None]
    scale = indicator.scale / (divisor * (indicator.per.factor if indicator.per else 1.0))
    amount = sum(
        part.sign * (estimate.value or 0.0) for part, estimate in zip(indicator.parts, stored, strict=True)
    )
    value = (amount + outside) * scale
    if not stored:
        return Cell(formatted(value, indicator.decimals), value, note="external")
    with_error = stored[0] if len(stored) == 1 else _error_of(indicator, source, year)
    if with_error is None or with_error.se is None:
        # Without their covariance the error of a sum of estimates is unknown.
        return Cell(
            formatted(value, indicator.decimals),
            value,
            n=min(estimate.n for estimate in stored),
            note="combined",
        )
    se = with_error.se * abs(scale)
    cv = se / abs(value) if value else None
    return Cell(
        formatted(value, indicator.decimals),
        value,
        se,
        cv,
        value - Z95 * se,
        value + Z95 * se,
        grade_of(cv, se),
        stored[0].n,
    )


def _key(part: Part, year: int) -> Key:
    return Key(year, part.variable, part.statistic, part.kind, part.code)


def _error_of(indicator: Indicator, source: Source, year: int) -> Stored | None:
    return source.estimates.get(_key(indicator.error, year)) if indicator.error else None


def _outside(external: Sequence[External], source: Source, year: int) -> float | None:
    total = 0.0
    for series in external:
        value = source.external.get((series.code, year))
        if value is None:
            return None
        total += series.sign * series.factor * value
    return total


def growth(indicator: Indicator, source: Source, year: int) -> Cell:
    """Growth of the printed levels in percent; error from the stored growth of the sampled part."""
    if indicator.growth == "none":
        return empty("not_printed")
    now, before = level(indicator, source, year), level(indicator, source, year - 1)
    if now.value is None or before.value is None:
        return empty("no_previous" if now.value is not None else now.reason)
    base = rounded(before.value, indicator.decimals)
    if base == 0:
        return empty("no_previous")
    value = float((rounded(now.value, indicator.decimals) / base - 1) * 100)
    se = _growth_error(indicator, source, year, now, before)
    if se is None:
        return Cell(formatted(value, 2), value, n=now.n, note=now.note or "combined")
    cv = se / abs(value) if value else None
    return Cell(
        formatted(value, 2), value, se, cv, value - Z95 * se, value + Z95 * se, grade_of(cv, se), now.n
    )


def _growth_error(indicator: Indicator, source: Source, year: int, now: Cell, before: Cell) -> float | None:
    """Standard error in percentage points.

    The stored growth of the sampled part gives the covariance of the two levels; constants that are added
    (external series) change the level but not the variance.
    """
    part = indicator.parts[0] if len(indicator.parts) == 1 else indicator.error
    if part is None or now.se is None or before.se is None:
        return None
    rate = source.estimates.get(Key(year, part.variable, "level_growth", part.kind, part.code))
    top, bottom = source.estimates.get(_key(part, year)), source.estimates.get(_key(part, year - 1))
    if rate is None or top is None or bottom is None or not top.value or not bottom.value:
        return None
    if None in (rate.se, top.se, bottom.se):
        return None
    r = top.value / bottom.value
    both = top.se**2 + r**2 * bottom.se**2 - (rate.se * bottom.value) ** 2  # type: ignore[operator]  # checked above
    covariance = both / (2.0 * r)
    scale, old_scale = _scales(indicator, source, year)
    multiple = (now.value or 0.0) / (before.value or 1.0)
    variance = now.se**2 + multiple**2 * before.se**2 - 2.0 * multiple * covariance * scale * old_scale
    return 100.0 * math.sqrt(max(variance, 0.0)) / abs(before.value or 1.0)


def _scales(indicator: Indicator, source: Source, year: int) -> tuple[float, float]:
    if indicator.per is None:
        return indicator.scale, indicator.scale
    factor = indicator.per.factor
    now, before = (source.external[indicator.per.code, y] for y in (year, year - 1))
    return indicator.scale / (now * factor), indicator.scale / (before * factor)


BLANK = "BLANK"  # the key of every table cell that is blank by design


def add_indicators(draft: Draft, indicators: Iterable[Indicator], material: Material) -> None:
    """Both levels and the growth of every headline indicator."""
    year, source = material.year, material.source
    for indicator in indicators:
        label = indicator.label
        statistic = indicator.parts[0].statistic if indicator.parts else "external"
        for y in (year - 1, year):
            cell = level(indicator, source, y)
            if y < year and indicator.growth == "none" and indicator.parts:
                cell = empty("not_printed")
            frozen = freeze_cell(
                f"{indicator.code}.{y}",
                label,
                indicator.unit,
                cell,
                indicator.decimals,
                statistic,
                _lines(indicator, y),
            )
            draft.add(_qualified(frozen, indicator))
        both = (*_lines(indicator, year - 1), *_lines(indicator, year))
        rate = growth(indicator, source, year)
        draft.add(
            freeze_cell(
                f"{indicator.code}.{year}.growth", _of_growth(label), "%", rate, 2, "level_growth", both
            )
        )


def _of_growth(label: Text) -> Text:
    return Text(f"{label.zh}：增长率", f"{label.en}: growth")


def _qualified(cell: FrozenCell, indicator: Indicator) -> FrozenCell:
    if not indicator.qualifier or cell.value is None:
        return cell
    words = Text(f"超{cell.printed}", f"over {cell.printed}")
    return replace(cell, printed=f">{cell.printed}", words=words)


def _lines(indicator: Indicator, year: int) -> tuple[str, ...]:
    parts = [lineage_of(Key(year, p.variable, p.statistic, p.kind, p.code)) for p in indicator.parts]
    outside = [*indicator.external, *((indicator.per,) if indicator.per else ())]
    return (*parts, *(f"{external.code}/{year}" for external in outside))


def add_chapter_tables(
    draft: Draft, indicators: Sequence[Indicator], groups: Iterable[tuple[str, Text]], year: int
) -> None:
    """The tables of chapter 1, from the indicators' cells."""
    draft.add(FrozenCell(BLANK, Text("", ""), unit_text(""), "—", CellStatus.ABSENT, reason="not_printed"))
    for code, label in groups:
        members = [indicator for indicator in indicators if indicator.group == code]
        kinds = [
            "new",
            *(["cumulative"] if any(indicator.column == "cumulative" for indicator in members) else []),
        ]
        rows = []
        for indicator in members:
            keys: list[str] = []
            for kind in kinds:
                own_keys = (
                    f"{indicator.code}.{year - 1}",
                    f"{indicator.code}.{year}",
                    f"{indicator.code}.{year}.growth",
                )
                keys += own_keys if kind == indicator.column else (BLANK,) * 3
            name = Text(
                f"{indicator.label.zh}（{indicator.unit}）",
                f"{indicator.label.en} ({english(indicator.unit)})",
            )
            rows.append(FrozenRow(indicator.code, name, tuple(keys), level=1 if indicator.parent else 0))
        columns = tuple(column for kind in kinds for column in _columns(kind, year))
        draft.tables.append(
            FrozenTable(f"C1.{code}", label, Text("主要指标", "Indicator"), columns, tuple(rows))
        )


def _columns(kind: str, year: int) -> tuple[Text, Text, Text]:
    if kind == "new":
        years = tuple(Text(f"{y}年新增值", f"New in {y}") for y in (year - 1, year))
    else:
        years = tuple(Text(f"累计值（截至{y}年）", f"Cumulative, end of {y}") for y in (year - 1, year))
    return (*years, Text("增长率（%）", "Growth, %"))  # type: ignore[return-value]  # two years and a growth


def indicator_keys(indicators: Iterable[Indicator], year: int) -> set[Key]:
    """The stored estimates of indicators: both levels and the growth that gives their covariance."""
    keys: set[Key] = set()
    for indicator in indicators:
        for part in (*indicator.parts, *((indicator.error,) if indicator.error else ())):
            keys |= {_key(part, year - 1), _key(part, year)}
            keys.add(replace(_key(part, year), statistic="level_growth"))
    return keys
