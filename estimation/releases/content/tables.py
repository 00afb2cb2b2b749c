"""Tables of the report: their layout, the estimates that they need, and their cells. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from estimation.releases.content.content import FrozenRow, FrozenTable, Text
from estimation.releases.content.draft import Draft, Material, freeze_cell
from estimation.releases.content.estimates import (
    Cell,
    CoverageRow,
    Key,
    Source,
    cell_of,
    formatted,
    lineage_of,
)
from estimation.units import english

COUNTS = {"filed": Text("填报完成（家）", "Filed"), "valid": Text("有效样本（家）", "Valid")}


@dataclass(frozen=True, slots=True)
class Line:
    """A row or column of a table: its estimate, its domain, or both."""

    label: Text
    code: str = ""
    unit: str = ""
    scale: float = 1.0
    decimals: int = 2
    variable: str = ""
    statistic: str = ""
    kind: str = ""
    domain_code: str = ""


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
class TableRow:
    """A row of a table: label, an optional code, cells, and a unit where the columns have none."""

    label: Text
    code: str
    cells: tuple[Cell, ...]
    is_total: bool = False
    unit: str = ""


def parse_table(entry: Mapping[str, Any]) -> Table:
    values = dict(entry)
    for name in ("title", "stub"):
        values[name] = Text(**values[name])
    values.setdefault("code", f"T{values['number']}")
    for name in ("columns", "rows", "totals"):
        values[name] = tuple(_line(line) for line in values.get(name, ()))
    return Table(**values)


def _line(entry: Mapping[str, Any]) -> Line:
    values = dict(entry)
    kind, _, domain_code = values.pop("domain", "").partition("/")
    return Line(**{**values, "label": Text(**values["label"]), "kind": kind, "domain_code": domain_code})


def table_keys(table: Table, year: int, codes: Sequence[str] = ()) -> list[Key]:
    """The stored estimates that a table needs. ``codes`` are those of its row domain."""
    keys = []
    for row in row_lines(table, codes, lambda code: Text(code, code)):
        keys += [cell_key(row, column, year) for column in table.columns]
    return keys


def row_lines(table: Table, codes: Sequence[str], name: Callable[[str], Text]) -> list[Line]:
    """The rows of a table: those of its layout, or the codes of its row domain with the totals below."""
    lines = list(table.rows)
    lines += [
        Line(name(code), code=code, kind=table.row_domain, domain_code=code)
        for code in codes
        if table.row_domain
    ]
    return lines + list(table.totals)


def cell_key(row: Line, column: Line, year: int) -> Key:
    """The stored estimate behind a cell."""
    measure, where = (row, column) if row.variable else (column, row)
    return Key(year, measure.variable, measure.statistic, where.kind, where.domain_code)


def table_rows(
    table: Table, source: Source, year: int, codes: Sequence[str], name: Callable[[str], Text]
) -> list[TableRow]:
    """The cells of a table of estimates (1 and 2). ``name`` labels the codes of its row domain."""
    rows = []
    for line in row_lines(table, codes, name):
        cells = []
        for column in table.columns:
            measure = line if line.variable else column
            key = cell_key(line, column, year)
            cells.append(cell_of(source.estimates.get(key), measure.scale, measure.decimals, key))
        rows.append(TableRow(line.label, line.code, tuple(cells), line in table.totals, line.unit))
    return rows


def count_rows(
    table: Table,
    counts: Iterable[tuple[str, str, bool, int, int]],
    codes: Sequence[str],
    name: Callable[[str], Text],
) -> list[CoverageRow]:
    """Tables 3 and 4: counts by category or region, with their sum.

    In table 3 the bureaus of planned cities have a line of their own under their category.
    """
    sums: dict[str, list[int]] = {code: [0, 0] for code in codes}
    for category, region, city, filed, valid in counts:
        code = region if table.coverage == "region" else f"{category}-city" if city else category
        filed_valid = sums.setdefault(code, [0, 0])
        filed_valid[0] += filed
        filed_valid[1] += valid
    order = {code: position for position, code in enumerate(codes)}
    listed = sorted(sums, key=lambda code: (order.get(code.removesuffix("-city"), len(order)), code))
    rows = [CoverageRow(code, name(code), sums[code][0], sums[code][1]) for code in listed]
    total = CoverageRow(
        "total", Text("合计", "Total"), sum(row.filed for row in rows), sum(row.valid for row in rows), True
    )
    return [*rows, total]


def add_table(draft: Draft, table: Table, codes: Sequence[str], material: Material) -> None:
    """A table of estimates (T1, T2, E1), or of counts of filed and valid units (T3, T4)."""
    if table.coverage:
        _add_coverage(draft, table, material)
        return

    def name(code: str) -> Text:
        return material.name(table.row_domain, code)

    year = material.year
    rows: list[FrozenRow] = []
    for line in row_lines(table, codes, name):
        keys: list[str] = []
        for column in table.columns:
            measure = line if line.variable else column
            stored = cell_key(line, column, year)
            cell = cell_of(material.source.estimates.get(stored), measure.scale, measure.decimals)
            label = Text(f"{line.label.zh}：{column.label.zh}", f"{line.label.en}: {column.label.en}")
            unit = measure.unit
            keys.append(
                draft.add(
                    freeze_cell(
                        f"{table.code}.{line.code}.{column.code}",
                        label,
                        unit,
                        cell,
                        measure.decimals,
                        measure.statistic,
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


def _add_coverage(draft: Draft, table: Table, material: Material) -> None:
    """Table 3 or 4: filed and valid units, counted and therefore without sampling error."""
    rows = []
    for row in material.coverage[table.code]:
        keys: list[str] = []
        for column, count in (("filed", row.filed), ("valid", row.valid)):
            kind = "nation" if row.is_total else table.coverage
            code = "all" if row.is_total else row.code
            label = Text(f"{row.label.zh}：{COUNTS[column].zh}", f"{row.label.en}: {COUNTS[column].en}")
            lineage = (lineage_of(Key(material.year, column, "count", kind, code)),)
            cell = Cell(formatted(count, 0), float(count), n=count)
            keys.append(
                draft.add(
                    freeze_cell(f"{table.code}.{row.code}.{column}", label, "家", cell, 0, "count", lineage)
                )
            )
        rows.append(FrozenRow(row.code, row.label, tuple(keys), is_total=row.is_total))
    columns = (COUNTS["filed"], COUNTS["valid"])
    draft.tables.append(FrozenTable(table.code, table.title, table.stub, columns, tuple(rows)))
