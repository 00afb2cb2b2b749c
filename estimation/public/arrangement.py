"""Views of frozen content for public pages: selection and ordering, no computation. Pure."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from estimation.releases.content.content import CellStatus, Content, FrozenCell, FrozenRow, FrozenTable, Text
from estimation.releases.content.crossings import keys_of
from estimation.releases.content.freezing import as_printed

# The headline numbers with their labels.
HIGHLIGHTS = ("SUP-01", "SUP-07", "SUP-11", "CIR-05", "USE-01", "USE-03")
_ERRORS_ZH = ("标准误", "变异系数，%", "95%下限", "95%上限")
_ERRORS_EN = ("standard error", "CV, %", "lower bound, 95 %", "upper bound, 95 %")
_KINDS = {"region": re.compile(r"\d{6}"), "section": re.compile(r"[A-R]")}


@dataclass(frozen=True, slots=True)
class Highlight:
    """A headline number with its growth, which may be missing."""

    cell: FrozenCell
    growth: FrozenCell | None


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of a table with its cells."""

    row: FrozenRow
    cells: tuple[FrozenCell, ...]


@dataclass(frozen=True, slots=True)
class TableView:
    """A table ready to be laid out. ``sorted_by`` : number of the column, None in the order of the report."""

    table: FrozenTable
    rows: tuple[RowView, ...]
    sorted_by: int | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class DomainView:
    """All cells of a release for a region or an industry: per table, column and cell."""

    kind: str
    code: str
    label: Text
    tables: tuple[tuple[FrozenTable, tuple[tuple[Text, FrozenCell], ...]], ...]


def highlights(content: Content) -> list[Highlight]:
    """The headline numbers that this release shows."""
    highlights = []
    for code in HIGHLIGHTS:
        cell = content.cells.get(f"{code}.{content.year}")
        if cell is not None and cell.status is not CellStatus.ABSENT:
            growth = content.cells.get(f"{code}.{content.year}.growth")
            shown = growth is not None and growth.status is CellStatus.SHOWN
            highlights.append(Highlight(cell, growth if shown else None))
    return highlights


def find_table(content: Content, code: str) -> FrozenTable | None:
    """A table by its code, a crossing of regions and sections included."""
    return next((table for table in content.every_table if table.code == code), None)


def table_view(
    content: Content, table: FrozenTable, sort: int | None = None, *, descending: bool = False
) -> TableView:
    """The rows of a table; sorted by a column, totals remain at the end and cells without a number are last."""
    rows = [RowView(row, tuple(content.cells[key] for key in row.keys)) for row in table.rows]
    if sort is None or not 0 <= sort < len(table.columns):
        return TableView(table, tuple(rows))

    def rank(view: RowView) -> tuple[bool, float]:
        value = view.cells[sort].value if sort < len(view.cells) else None
        return (value is None, 0.0 if value is None else -value if descending else value)

    body = sorted((view for view in rows if not view.row.is_total), key=rank)
    totals = [view for view in rows if view.row.is_total]
    return TableView(table, (*body, *totals), sort, descending)


def as_csv(content: Content, table: FrozenTable, language: str) -> str:
    """A table as CSV with a byte order mark for spreadsheets: the printed numbers, then the errors of each column."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    columns = [column.get(language) for column in table.columns]
    heads = [
        f"{name} ({error})" for name in columns for error in (_ERRORS_EN if language == "en" else _ERRORS_ZH)
    ]
    writer.writerow(["code", table.stub.get(language), *columns, *heads])
    for view in table_view(content, table).rows:
        printed = [cell.printed.replace(",", "") for cell in view.cells]
        errors = [text for cell in view.cells for text in _errors(as_printed(cell))]
        writer.writerow([view.row.code, view.row.label.get(language), *printed, *errors])
    return "\ufeff" + out.getvalue()


def _errors(cell: FrozenCell) -> list[str]:
    percent = None if cell.cv is None else round(cell.cv * 100, 2)
    return ["" if value is None else f"{value:.15g}" for value in (cell.se, percent, cell.lower, cell.upper)]


def as_json(content: Content, table: FrozenTable) -> str:
    """A table as JSON: its words in both languages and every cell with its errors, as a release froze them."""
    document = {
        "code": table.code,
        "year": content.year,
        "synthetic": content.is_synthetic,
        "title": _both(table.title),
        "notes": [_both(note) for note in table.notes],
        "columns": [_both(column) for column in table.columns],
        "rows": [
            {
                "code": view.row.code,
                "label": _both(view.row.label),
                "cells": [_cell(as_printed(cell)) for cell in view.cells],
            }
            for view in table_view(content, table).rows
        ],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _cell(cell: FrozenCell) -> dict[str, object]:
    return {
        "key": cell.key,
        "printed": cell.printed,
        "status": str(cell.status),
        "unit": _both(cell.unit),
        "value": cell.value,
        "se": cell.se,
        "cv": cell.cv,
        "lower": cell.lower,
        "upper": cell.upper,
        "n": cell.n,
        "grade": cell.grade,
    }


def domains(content: Content) -> dict[str, list[tuple[str, Text]]]:
    """Regions and industries of which a table has a row, in the order of the tables."""
    labels_by_kind: dict[str, dict[str, Text]] = {kind: {} for kind in _KINDS}
    for table in content.tables:
        for row in table.rows:
            for kind, pattern in _KINDS.items():
                if pattern.fullmatch(row.code):
                    labels_by_kind[kind].setdefault(row.code, row.label)
    return {kind: sorted(labels.items()) for kind, labels in labels_by_kind.items()}


def domain_view(content: Content, kind: str, code: str) -> DomainView | None:
    """One region or industry through all tables; None when no table has it."""
    if kind not in _KINDS or not _KINDS[kind].fullmatch(code):
        return None
    label, tables = None, []
    for table in content.tables:
        for row in table.rows:
            if row.code == code:
                label = label or row.label
                cells = (content.cells[key] for key in row.keys)
                tables.append((table, tuple(zip(table.columns, cells, strict=True))))
    return DomainView(kind, code, label, tuple(tables)) if label is not None else None


def positions_of(content: Content, key: str) -> Iterator[tuple[FrozenTable, FrozenRow]]:
    """Tables and rows that contain a cell."""
    for table in content.every_table:
        for row in table.rows:
            if key in row.keys:
                yield table, row


def quality(content: Content, grade: str = "") -> tuple[dict[str, int], list[FrozenCell]]:
    """Cells with a sampling error by grade, and those of one grade (all without), least certain first.

    Of the report: regions by sections, some thousand numbers more, show their errors in their own tables.
    """
    crossed = keys_of(content.crossings)
    measured = [
        cell
        for key, cell in content.cells.items()
        if cell.grade and cell.cv is not None and key not in crossed
    ]
    counts = {letter: sum(cell.grade == letter for cell in measured) for letter in "ABCDE"}
    chosen = [cell for cell in measured if not grade or cell.grade == grade]
    return counts, sorted(chosen, key=lambda cell: (-(cell.cv or 0.0), cell.key))
