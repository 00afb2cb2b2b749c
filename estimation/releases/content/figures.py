"""Figures of a release: the cells of their points. Pure."""

from dataclasses import dataclass
from typing import Any

from estimation.releases.content.content import FrozenFigure, Point, Text
from estimation.releases.content.draft import absent, freeze_cell, unit_text
from estimation.releases.content.estimates import Cell, formatted
from estimation.releases.content.evaluation import Evaluator, Missing
from estimation.releases.content.formulas import Formula, Reference, parse_formula


@dataclass(frozen=True, slots=True)
class Series:
    """A series of a figure."""

    name: Text
    points: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """Definition of a figure: series of references, indicators as categories, columns of a table, or errors."""

    code: str
    title: Text
    unit: str
    alternative: Text
    series: tuple[Series, ...] = ()
    labels: tuple[str, ...] = ()
    categories: tuple[tuple[str, Text], ...] = ()
    table: str = ""
    columns: tuple[str, ...] = ()
    quality: bool = False


def parse_figure(values: dict[str, Any]) -> Figure:
    table = values.pop("table", None) or {}
    lines = tuple(
        Series(Text(**entry["name"]), tuple(parse_formula(point) for point in entry["points"]))
        for entry in values.pop("series", ())
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


def frozen_figure(evaluator: Evaluator, figure: Figure) -> FrozenFigure:
    """The points of a figure, as keys of cells."""
    points: list[Point] = []
    for line in figure.series:
        for index, formula in enumerate(line.points):
            reference = formula.references[0]
            label = _label(evaluator, figure, index) or str(evaluator.year + reference.offset)
            points.append(Point(line.name, label, _point(evaluator, reference)))
    for code, name in figure.categories:
        points += [Point(name, str(y), f"{code}.{y}") for y in (evaluator.year - 1, evaluator.year)]
    if figure.table:
        points += _columns(evaluator, figure)
    if figure.quality:
        points += [
            Point(evaluator.draft.cells[f"{code}.{evaluator.year}"].label, code, f"{code}.{evaluator.year}")
            for code in sorted(evaluator.headline)
            if evaluator.draft.cells[f"{code}.{evaluator.year}"].cv is not None
        ]
    return FrozenFigure(
        figure.code,
        figure.title,
        unit_text(figure.unit),
        tuple(points),
        figure.alternative,
    )


def _label(evaluator: Evaluator, figure: Figure, index: int) -> str:
    if index >= len(figure.labels):
        return ""
    return figure.labels[index].format(year=evaluator.year, previous=evaluator.year - 1)


def _point(evaluator: Evaluator, reference: Reference) -> str:
    if reference.kind == "number":
        return evaluator.key(reference)
    year = evaluator.year + reference.offset
    key = f"{reference.name}.{year}"
    label = evaluator.material.external_labels.get(reference.name)
    text = label if label else Text(reference.name, reference.name)
    unit = evaluator.material.external_units.get(reference.name, "")
    try:
        value = evaluator.component(reference).value
    except Missing as missing:
        return evaluator.draft.add(absent(key, text, unit, 2, missing.reason))
    cell = Cell(formatted(value, 2), value, note="external")
    lineage = (f"{reference.name}/{year}",)
    return evaluator.draft.add(freeze_cell(key, text, unit, cell, 2, "external", lineage))


def _columns(evaluator: Evaluator, figure: Figure) -> list[Point]:
    table = next(candidate for candidate in evaluator.draft.tables if candidate.code == figure.table)
    return [
        Point(_series(evaluator, key), row.code, key)
        for column in figure.columns
        for row in table.rows
        if not row.is_total and (key := f"{table.code}.{row.code}.{column}") in evaluator.draft.cells
    ]


def _series(evaluator: Evaluator, key: str) -> Text:
    label = evaluator.draft.cells[key].label
    return Text(label.zh.split("：", 1)[-1], label.en.rsplit(": ", 1)[-1])
