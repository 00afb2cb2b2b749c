"""From stored estimates and external values to every cell of a release, in the order of dependence. Pure.

A cell that cannot be computed stays, with the reason. Every cell carries its lineage: the stored estimates and
external values that it was made of, also through other published numbers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from estimation.releases.content import tables
from estimation.releases.content.content import CellStatus, FrozenCell, FrozenRow, FrozenTable, Text
from estimation.releases.content.facts import Book
from estimation.releases.content.formulas import Reference
from estimation.releases.content.indicators import Indicator, Line, Table
from estimation.releases.content.tables import Cell, CoverageRow, Key, Source
from estimation.releases.content.units import Unit, english, unit_of

ALL = "total"  # the last row and the last column of a crossing
CROSSED = "region_section"
BLANK = "BLANK"  # the key of every place of a table where nothing is printed by design
NOTES = {
    "external": Text("外部序列，无抽样误差", "external series, no sampling error"),
    "combined": Text(
        "由多项估计合成，联合误差未知", "made of several estimates, their joint error is not known"
    ),
    "bounded": Text(
        "误差为上界：各组成部分的协方差未存储",
        "the error is an upper bound: covariances of the components are not stored",
    ),
}
Names = Callable[[str, str], Text]  # domain kind, code -> name


@dataclass(frozen=True)
class Material:
    """What a release is made of.

    source : estimates and external values; units : unit of every item; external_units, external_labels : by code;
    coverage : rows of tables 3 and 4 by table code; name : label of a domain
    """

    year: int
    source: Source
    units: Mapping[str, str]
    external_units: Mapping[str, str]
    external_labels: Mapping[str, Text]
    coverage: Mapping[str, Sequence[CoverageRow]]
    name: Names


@dataclass
class Draft:
    """Cells and tables as they grow."""

    cells: dict[str, FrozenCell] = field(default_factory=dict)
    tables: list[FrozenTable] = field(default_factory=list)
    crossings: list[FrozenTable] = field(default_factory=list)

    def add(self, cell: FrozenCell) -> str:
        """Put a cell in; returns its key."""
        self.cells[cell.key] = cell
        return cell.key


def unit_text(unit: str) -> Text:
    """A printed unit in both languages."""
    return Text(unit, english(unit))


def estimate_unit(variable: str, statistic: str, units: Mapping[str, str]) -> Unit:
    """The unit in which an estimate is stored. Raises KeyError for an unknown item, ValueError for its unit."""
    if statistic == "count":
        return unit_of("家")
    if statistic == "ratio":
        top, _, bottom = variable.partition("/")
        return unit_of(units[top]).times(unit_of(units[bottom]), -1)
    if statistic in ("total", "mean"):
        return unit_of(units[variable.partition("+")[0]])
    return unit_of("")


def lineage_of(key: Key) -> str:
    """``P01/total/nation/all/2025``."""
    return f"{key.variable}/{key.statistic}/{key.kind}/{key.code}/{key.year}"


def key_of(reference: Reference, year: int) -> Key:
    """The stored estimate that a reference names in a release of a year."""
    variable, statistic, kind, code = reference.estimate
    return Key(year + reference.offset, variable, statistic, kind, code)


def wanted(book: Book, year: int, codes: Mapping[str, Sequence[str]]) -> set[Key]:
    """Every stored estimate that a release reads. ``codes`` : codes of each domain kind."""
    keys: set[Key] = set()
    for one in book.registry.indicators:
        for part in (*one.parts, *((one.error,) if one.error else ())):
            keys |= {Key(y, part.variable, part.statistic, part.kind, part.code) for y in (year - 1, year)}
            keys.add(Key(year, part.variable, "level_growth", part.kind, part.code))
    for table in book.registry.tables.values():
        keys |= set(tables.wanted_keys(table, year, codes.get(table.row_domain, ())))
    named = {key_of(one, year) for one in book.references() if one.kind == "estimate"}
    # The growth of a total that a formula compares with the year before tells their covariance.
    keys |= named | {replace(key, statistic="level_growth") for key in named if key.statistic == "total"}
    for ranking in book.rankings:
        keys |= {
            Key(year, ranking.variable, ranking.statistic, ranking.kind, code)
            for code in codes.get(ranking.kind, ())
        }
    for crossing in book.crossings:
        keys |= {
            crossed_key(crossing.variable, year, region, section)
            for region in (*codes.get("region", ()), ALL)
            for section in (*codes.get("section", ()), ALL)
        }
    return keys


def crossed_key(variable: str, year: int, region: str, section: str) -> Key:
    """The stored total of a region and a section, of a whole region, of a whole section, or of all enterprises."""
    if region == ALL:
        kind, code = ("nation", "enterprise") if section == ALL else ("section", section)
    else:
        kind, code = ("region_enterprise", region) if section == ALL else (CROSSED, f"{region}.{section}")
    return Key(year, variable, "total", kind, code)


def frozen(
    key: str,
    label: Text,
    unit: str,
    cell: Cell,
    decimals: int,
    estimator: str,
    lineage: Iterable[str],
    note: str = "",
) -> FrozenCell:
    """A computed cell in its frozen form."""
    if cell.value is None:
        return FrozenCell(
            key,
            label,
            unit_text(unit),
            "—",
            CellStatus.ABSENT,
            decimals=decimals,
            reason=cell.reason,
            estimator=estimator,
            lineage=tuple(lineage),
        )
    status = CellStatus.NIL if cell.value == 0 else CellStatus.SHOWN
    return FrozenCell(
        key,
        label,
        unit_text(unit),
        "0" if status is CellStatus.NIL else cell.text,
        status,
        cell.value,
        decimals,
        cell.se,
        cell.cv,
        cell.lower,
        cell.upper,
        cell.n,
        cell.grade,
        note=NOTES.get(note or cell.note),
        estimator=estimator,
        lineage=tuple(lineage),
    )


def add_indicators(draft: Draft, indicators: Iterable[Indicator], material: Material) -> None:
    """Both levels and the growth of every headline indicator."""
    year, source = material.year, material.source
    for one in indicators:
        label = one.label
        statistic = one.parts[0].statistic if one.parts else "external"
        for y in (year - 1, year):
            cell = tables.level(one, source, y)
            if y < year and one.growth == "none" and one.parts:
                cell = tables.empty("not_printed")
            made = frozen(f"{one.code}.{y}", label, one.unit, cell, one.decimals, statistic, _lines(one, y))
            draft.add(_qualified(made, one))
        both = (*_lines(one, year - 1), *_lines(one, year))
        growth = tables.growth(one, source, year)
        draft.add(
            frozen(f"{one.code}.{year}.growth", _of_growth(label), "%", growth, 2, "level_growth", both)
        )


def _of_growth(label: Text) -> Text:
    return Text(f"{label.zh}：增长率", f"{label.en}: growth")


def _qualified(cell: FrozenCell, one: Indicator) -> FrozenCell:
    if not one.qualifier or cell.value is None:
        return cell
    words = Text(f"超{cell.printed}", f"over {cell.printed}")
    return replace(cell, printed=f">{cell.printed}", words=words)


def _lines(one: Indicator, year: int) -> tuple[str, ...]:
    parts = [lineage_of(Key(year, p.variable, p.statistic, p.kind, p.code)) for p in one.parts]
    outside = [*one.external, *((one.per,) if one.per else ())]
    return (*parts, *(f"{external.code}/{year}" for external in outside))


def add_chapter_tables(draft: Draft, book: Book, year: int) -> None:
    """The tables of chapter 1, made of the indicators' cells."""
    draft.add(FrozenCell(BLANK, Text("", ""), unit_text(""), "—", CellStatus.ABSENT, reason="not_printed"))
    for code, label in book.registry.groups:
        members = [one for one in book.registry.indicators if one.group == code]
        kinds = ["new", *(["cumulative"] if any(one.column == "cumulative" for one in members) else [])]
        rows = []
        for one in members:
            keys: list[str] = []
            for kind in kinds:
                mine = (f"{one.code}.{year - 1}", f"{one.code}.{year}", f"{one.code}.{year}.growth")
                keys += mine if kind == one.column else (BLANK,) * 3
            name = Text(f"{one.label.zh}（{one.unit}）", f"{one.label.en} ({english(one.unit)})")
            rows.append(FrozenRow(one.code, name, tuple(keys), level=1 if one.parent else 0))
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


def add_table(draft: Draft, table: Table, codes: Sequence[str], material: Material) -> None:
    """A table of estimates: T1, T2, E1."""

    def name(code: str) -> Text:
        return material.name(table.row_domain, code)

    year = material.year
    rows: list[FrozenRow] = []
    for line in tables.row_lines(table, codes, name):
        keys: list[str] = []
        for column in table.columns:
            what = line if line.variable else column
            stored = tables.cell_key(line, column, year)
            cell = tables.cell_of(material.source.estimates.get(stored), what.scale, what.decimals)
            label = Text(f"{line.label.zh}：{column.label.zh}", f"{line.label.en}: {column.label.en}")
            unit = what.unit
            keys.append(
                draft.add(
                    frozen(
                        f"{table.code}.{line.code}.{column.code}",
                        label,
                        unit,
                        cell,
                        what.decimals,
                        what.statistic,
                        (lineage_of(stored),),
                    )
                )
            )
        is_total = line in table.totals
        rows.append(FrozenRow(line.code, _row_name(line), tuple(keys), is_total=is_total))
    columns = tuple(_column_name(column) for column in table.columns)
    draft.tables.append(FrozenTable(table.code, table.title, table.stub, columns, tuple(rows)))


def _row_name(line: Line) -> Text:
    if line.variable and line.unit:
        return Text(f"{line.label.zh}（{line.unit}）", f"{line.label.en} ({english(line.unit)})")
    return line.label


def _column_name(column: Line) -> Text:
    if not column.unit:
        return column.label
    return Text(f"{column.label.zh}（{column.unit}）", f"{column.label.en} ({english(column.unit)})")


def add_coverage(draft: Draft, table: Table, material: Material) -> None:
    """Table 3 or 4: filed and valid units, counted and therefore without sampling error."""
    rows = []
    for row in material.coverage[table.code]:
        keys: list[str] = []
        for column, count in (("filed", row.filed), ("valid", row.valid)):
            kind = "nation" if row.is_total else table.coverage
            code = "all" if row.is_total else row.code
            label = Text(f"{row.label.zh}：{COUNTS[column].zh}", f"{row.label.en}: {COUNTS[column].en}")
            lineage = (lineage_of(Key(material.year, column, "count", kind, code)),)
            cell = Cell(tables.formatted(count, 0), float(count), n=count)
            keys.append(
                draft.add(frozen(f"{table.code}.{row.code}.{column}", label, "家", cell, 0, "count", lineage))
            )
        rows.append(FrozenRow(row.code, row.label, tuple(keys), is_total=row.is_total))
    columns = (COUNTS["filed"], COUNTS["valid"])
    draft.tables.append(FrozenTable(table.code, table.title, table.stub, columns, tuple(rows)))


COUNTS = {"filed": Text("填报完成（家）", "Filed"), "valid": Text("有效样本（家）", "Valid")}
