"""From stored estimates to the cells that pages and the interface show. Pure: no database, no language.

A published number is rounded once, half up. Growth between two published levels is the growth of the
printed levels, as in the report; its error comes from the unrounded estimates.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from estimation.releases.content.content import Text
from estimation.releases.content.indicators import External, Indicator, Line, Part, Table

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored estimate."""

    value: float | None
    se: float | None = None
    cv: float | None = None
    lower: float | None = None
    upper: float | None = None
    grade: str = ""
    n: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """The name of a stored estimate."""

    year: int
    variable: str
    statistic: str
    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class Source:
    """What cells are made of: stored estimates, and external values by (code, year)."""

    estimates: Mapping[Key, Stored]
    external: Mapping[tuple[str, int], float]


@dataclass(frozen=True, slots=True)
class Cell:
    """One number with its quality, or the reason why there is none.

    value, se, lower, upper : in the printed unit; text : rounded; reason : code of why the cell is empty:
    no_estimate, no_external, no_previous; note : why there is no error although there is a number:
    external, combined
    """

    text: str
    value: float | None = None
    se: float | None = None
    cv: float | None = None
    lower: float | None = None
    upper: float | None = None
    grade: str = ""
    n: int | None = None
    reason: str = ""
    note: str = ""
    key: Key | None = None  # the stored estimate that it is, where it is one


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """An indicator with its previous level, its level and its growth.

    is_part : it follows its whole, or another part of it, so that a page may hang it below
    """

    indicator: Indicator
    previous: Cell
    current: Cell
    growth: Cell
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table: label, an optional code, cells, and a unit where the columns have none."""

    label: Text
    code: str
    cells: tuple[Cell, ...]
    is_total: bool = False
    unit: str = ""


def rounded(value: float, decimals: int) -> Decimal:
    """Half up, as the report rounds: 53.125 gives 53.13."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def formatted(value: float, decimals: int) -> str:
    """Rounded, with thousands separators."""
    return f"{rounded(value, decimals):,}"


def empty(reason: str) -> Cell:
    """A cell without a number."""
    return Cell(text="—", reason=reason)


def indicator_rows(indicators: Iterable[Indicator], source: Source, year: int) -> list[IndicatorRow]:
    """Every indicator for a year and the year before."""
    rows: list[IndicatorRow] = []
    whole = ""
    for one in indicators:
        levels = level(one, source, year - 1), level(one, source, year), growth(one, source, year)
        rows.append(IndicatorRow(one, *levels, is_part=bool(one.parent) and one.parent == whole))
        whole = whole if rows[-1].is_part else one.code
    return rows


def level(indicator: Indicator, source: Source, year: int) -> Cell:
    """The level of an indicator in a year."""
    found = [source.estimates.get(_key(part, year)) for part in indicator.parts]
    if any(one is None or one.value is None for one in found):
        return empty("no_estimate")
    outside = _outside(indicator.external, source, year)
    divisor = 1.0 if indicator.per is None else source.external.get((indicator.per.code, year))
    if outside is None or divisor is None:
        return empty("no_external")
    stored = [one for one in found if one is not None]
    scale = indicator.scale / (divisor * (indicator.per.factor if indicator.per else 1.0))
    amount = sum(part.sign * (one.value or 0.0) for part, one in zip(indicator.parts, stored, strict=True))
    value = (amount + outside) * scale
    if not stored:
        return Cell(formatted(value, indicator.decimals), value, note="external")
    known = stored[0] if len(stored) == 1 else _error_of(indicator, source, year)
    if known is None or known.se is None:
        # Without their covariance the error of a sum of estimates is not known.
        return Cell(
            formatted(value, indicator.decimals), value, n=min(one.n for one in stored), note="combined"
        )
    se = known.se * abs(scale)
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
    for one in external:
        value = source.external.get((one.code, year))
        if value is None:
            return None
        total += one.sign * one.factor * value
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

    The stored growth of the sampled part tells the covariance of the two levels; constants that are added
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


def grade_of(cv: float | None, se: float | None) -> str:
    """A below 5 %, B below 10 %, C below 20 %, D below 35 %, else E; A without sampling error."""
    if se == 0:
        return "A"
    if cv is None:
        return "E"
    for letter, bound in zip("ABCD", (0.05, 0.10, 0.20, 0.35), strict=True):
        if cv < bound:
            return letter
    return "E"


def cell_of(stored: Stored | None, scale: float = 1.0, decimals: int = 2, key: Key | None = None) -> Cell:
    """A stored estimate in the printed unit."""
    if stored is None or stored.value is None:
        return empty("no_estimate")

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * scale

    return Cell(
        formatted(stored.value * scale, decimals),
        stored.value * scale,
        scaled(stored.se),
        stored.cv,
        scaled(stored.lower),
        scaled(stored.upper),
        stored.grade,
        stored.n,
        key=key,
    )


def wanted_keys(table: Table, year: int, codes: Sequence[str] = ()) -> list[Key]:
    """The stored estimates that a table needs. ``codes`` are those of its row domain."""
    keys = []
    for row in row_lines(table, codes, lambda code: Text(code, code)):
        keys += [cell_key(row, column, year) for column in table.columns]
    return keys


def row_lines(table: Table, codes: Sequence[str], name: Callable[[str], Text]) -> list[Line]:
    """The rows of a table: those of its layout, or the codes of its row domain with the totals below."""
    lines = list(table.rows)
    lines += [
        Line(name(code), code=code, kind=table.row_domain, place=code) for code in codes if table.row_domain
    ]
    return lines + list(table.totals)


def cell_key(row: Line, column: Line, year: int) -> Key:
    """The stored estimate behind a cell."""
    what, where = (row, column) if row.variable else (column, row)
    return Key(year, what.variable, what.statistic, where.kind, where.place)


def table_rows(
    table: Table, source: Source, year: int, codes: Sequence[str], name: Callable[[str], Text]
) -> list[TableRow]:
    """The cells of a table of estimates (1 and 2). ``name`` labels the codes of its row domain."""
    rows = []
    for line in row_lines(table, codes, name):
        cells = []
        for column in table.columns:
            what = line if line.variable else column
            key = cell_key(line, column, year)
            cells.append(cell_of(source.estimates.get(key), what.scale, what.decimals, key))
        rows.append(TableRow(line.label, line.code, tuple(cells), line in table.totals, line.unit))
    return rows


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """Filed and valid units of a category or region."""

    code: str
    label: Text
    filed: int
    valid: int
    is_total: bool = False

    @property
    def rate(self) -> float | None:
        """Valid over filed."""
        return self.valid / self.filed if self.filed else None


def coverage_rows(
    table: Table,
    counts: Iterable[tuple[str, str, bool, int, int]],
    codes: Sequence[str],
    name: Callable[[str], Text],
) -> list[CoverageRow]:
    """Tables 3 and 4: counts by category or region, with their sum.

    In table 3 the bureaus of planned cities stand on a line of their own under their category.
    """
    sums: dict[str, list[int]] = {code: [0, 0] for code in codes}
    for category, region, city, filed, valid in counts:
        code = region if table.coverage == "region" else f"{category}-city" if city else category
        held = sums.setdefault(code, [0, 0])
        held[0] += filed
        held[1] += valid
    order = {code: place for place, code in enumerate(codes)}
    listed = sorted(sums, key=lambda code: (order.get(code.removesuffix("-city"), len(order)), code))
    rows = [CoverageRow(code, name(code), sums[code][0], sums[code][1]) for code in listed]
    total = CoverageRow(
        "total", Text("合计", "Total"), sum(row.filed for row in rows), sum(row.valid for row in rows), True
    )
    return [*rows, total]
