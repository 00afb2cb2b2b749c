"""Facts of the text, rankings, forecasts and points of figures: formulas over what is already assembled. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from estimation.releases.content import forecasts, tables
from estimation.releases.content.assembly import (
    BLANK,
    NOTES,
    Draft,
    Material,
    add_chapter_tables,
    add_coverage,
    add_indicators,
    add_table,
    estimate_unit,
    frozen,
    key_of,
    lineage_of,
    unit_text,
)
from estimation.releases.content.content import CellStatus, FrozenCell, FrozenFigure, Point, Text
from estimation.releases.content.crossings import add_crossing
from estimation.releases.content.facts import Book, Fact, Figure, Forecast, Ranking
from estimation.releases.content.formulas import Formula, Quantity, Reference
from estimation.releases.content.tables import Cell, Key
from estimation.releases.content.units import Unit, unit_of


class Missing(Exception):
    """A component is not there; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Component:
    """A value that a formula reads. ``se`` None: it has an error that is not known."""

    value: float
    unit: Unit
    se: float | None
    n: int | None
    lineage: tuple[str, ...]
    estimator: str


def assemble(
    book: Book, material: Material, codes: dict[str, Sequence[str]]
) -> tuple[Draft, tuple[FrozenFigure, ...]]:
    """Every cell, table and figure of a release. ``codes`` : codes of each domain kind, in printed order."""
    draft = Draft()
    add_indicators(draft, book.registry.indicators, material)
    add_chapter_tables(draft, book, material.year)
    for _number, table in sorted(book.registry.tables.items()):
        if table.coverage:
            add_coverage(draft, table, material)
        else:
            add_table(draft, table, codes.get(table.row_domain, ()), material)
    reader = Reader(book, draft, material)
    for fact in book.ordered_facts():
        draft.add(reader.fact(fact))
    for ranking in book.rankings:
        reader.ranking(ranking, codes.get(ranking.kind, ()))
    for forecast in book.forecasts:
        draft.add(reader.forecast(forecast))
    for crossing in book.crossings:
        add_crossing(draft, crossing, material, codes.get("region", ()), codes.get("section", ()))
    return draft, tuple(reader.figure(figure) for figure in book.figures)


class Reader:
    """Evaluates formulas over a draft."""

    def __init__(self, book: Book, draft: Draft, material: Material) -> None:
        self.draft, self.material, self.year = draft, material, material.year
        self.offsets = {fact.code: fact.year for fact in book.facts}
        self.headline = {one.code for one in book.registry.indicators}

    def key(self, reference: Reference) -> str:
        """The key of the cell that a reference to a published number names."""
        name, year = reference.name, self.year + reference.offset
        if name.endswith(".growth"):
            return f"{name.removesuffix('.growth')}.{year}.growth"
        if name in self.offsets:
            return f"{name}.{year + self.offsets[name]}"
        return f"{name}.{year}" if name in self.headline else name

    def component(self, reference: Reference) -> Component:
        """A value with its unit, error and lineage. Raises Missing."""
        if reference.kind == "number":
            return self._published(self.draft.cells.get(self.key(reference)))
        if reference.kind == "external":
            year = self.year + reference.offset
            value = self.material.source.external.get((reference.name, year))
            if value is None:
                raise Missing("no_external")
            unit = unit_of(self.material.external_units[reference.name])
            return Component(value, unit, 0.0, None, (f"{reference.name}/{year}",), "external")
        key = key_of(reference, self.year)
        stored = self.material.source.estimates.get(key)
        if stored is None or stored.value is None:
            raise Missing("no_estimate")
        unit = estimate_unit(key.variable, key.statistic, self.material.units)
        se = 0.0 if key.statistic == "count" else stored.se
        return Component(stored.value, unit, se, stored.n, (lineage_of(key),), key.statistic)

    def _published(self, cell: FrozenCell | None) -> Component:
        if cell is None or cell.value is None:
            raise Missing(cell.reason if cell else "no_estimate")
        value = float(tables.rounded(cell.value, cell.decimals))
        se = 0.0 if cell.note == NOTES["external"] or cell.estimator == "count" else cell.se
        return Component(value, unit_of(cell.unit.zh), se, cell.n, cell.lineage, "derived")

    def evaluate(self, formula: Formula) -> tuple[Quantity, dict[Reference, Component]]:
        """The value in base units with the components it was made of. Raises Missing."""
        parts = {reference: self.component(reference) for reference in formula.references}
        try:
            found = formula.evaluate(lambda reference: (parts[reference].value, parts[reference].unit))
        except ZeroDivisionError:
            raise Missing("no_previous") from None
        return found, parts

    def fact(self, fact: Fact) -> FrozenCell:
        """A number of the text, or the reason why there is none."""
        key, label = f"{fact.code}.{self.year + fact.year}", fact.label
        if fact.formula is None:
            why = fact.absent if fact.absent else None
            return replace(_empty(key, label, fact.unit, fact.decimals, "not_collected"), note=why)
        try:
            found, parts = self.evaluate(fact.formula)
        except Missing as missing:
            return _empty(key, label, fact.unit, fact.decimals, missing.reason)
        factor = unit_of(fact.unit).factor
        value = steady(found.value / factor)
        se, note = self._error(fact, found, parts, factor)
        cell = _with_error(value, fact.decimals, se, _least(parts.values()))
        lineage = dict.fromkeys(line for part in parts.values() for line in part.lineage)
        made = frozen(key, label, fact.unit, cell, fact.decimals, _estimator(parts), lineage, note)
        return replace(made, words=about(value, fact.step)) if fact.step else made

    def _error(
        self, fact: Fact, found: Quantity, parts: dict[Reference, Component], factor: float
    ) -> tuple[float | None, str]:
        """Standard error in the printed unit, and the note that tells what kind of error it is."""
        if fact.error is not None:
            stored = self.material.source.estimates.get(key_of(fact.error, self.year))
            if stored is not None and stored.se is not None:
                return stored.se / factor, ""
        if all(part.estimator == "external" for part in parts.values()):
            return None, "external"
        if any(part.se is None for part in parts.values()):
            return None, "combined"
        paired = self._of_two_years(found, parts)
        if paired is not None:
            return paired / factor, ""
        shares = [abs(found.slopes[ref]) * (part.se or 0.0) / factor for ref, part in parts.items()]
        sampled = sum(1 for share in shares if share > 0)
        return sum(shares), "bounded" if sampled > 1 else ""

    def _of_two_years(self, found: Quantity, parts: dict[Reference, Component]) -> float | None:
        """Standard error in base units where one total of two years is all that is sampled.

        The stored growth of that total tells the covariance: V(R) X0^2 = V1 + R^2 V0 - 2 R C.
        """
        pair = sorted((ref for ref, part in parts.items() if part.se), key=lambda ref: -ref.offset)
        if len(pair) != 2 or pair[0].kind != "estimate" or pair[0].name != pair[1].name:
            return None
        if [ref.offset for ref in pair] != [0, -1] or pair[0].estimate[1] != "total":
            return None
        now, before = parts[pair[0]], parts[pair[1]]
        rate = self.material.source.estimates.get(
            replace(key_of(pair[0], self.year), statistic="level_growth")
        )
        if rate is None or rate.se is None or not before.value or not now.value:
            return None
        first, second, ratio = now.se or 0.0, before.se or 0.0, now.value / before.value
        common = (first**2 + ratio**2 * second**2 - (rate.se * before.value) ** 2) / (2.0 * ratio)
        common = max(-first * second, min(common, first * second))
        a, b = (found.slopes[ref] for ref in pair)
        return math.sqrt(max(a**2 * first**2 + b**2 * second**2 + 2.0 * a * b * common, 0.0))

    def ranking(self, ranking: Ranking, codes: Iterable[str]) -> None:
        """A cell for every place, and one whose words are the names in order."""
        estimates, label = self.material.source.estimates, ranking.label
        keys = [Key(self.year, ranking.variable, ranking.statistic, ranking.kind, code) for code in codes]
        held = [(key, estimates[key]) for key in keys if key in estimates and estimates[key].value]
        held.sort(key=lambda pair: (-(pair[1].value or 0.0), pair[0].code))
        names, lineage = [], []
        scale = estimate_unit(ranking.variable, ranking.statistic, self.material.units).factor
        scale /= unit_of(ranking.unit).factor
        for place, (key, stored) in enumerate(held[: ranking.top], start=1):
            name = self.material.name(ranking.kind, key.code)
            names.append(name)
            lineage.append(lineage_of(key))
            words = Text(f"{label.zh}：{name.zh}", f"{label.en}: {name.en}")
            cell = tables.cell_of(stored, scale, ranking.decimals)
            self.draft.add(
                frozen(
                    f"{ranking.code}.{self.year}.{place}",
                    words,
                    ranking.unit,
                    cell,
                    ranking.decimals,
                    ranking.statistic,
                    (lineage[-1],),
                )
            )
        key_all = f"{ranking.code}.{self.year}"
        if not names:
            self.draft.add(_empty(key_all, label, ranking.unit, 0, "no_estimate"))
            return
        order = Text("、".join(name.zh for name in names), ", ".join(name.en for name in names))
        self.draft.add(
            FrozenCell(
                key_all,
                label,
                unit_text(""),
                order.zh,
                estimator="ranking",
                decimals=0,
                lineage=tuple(lineage),
                words=order,
            )
        )

    def forecast(self, forecast: Forecast) -> FrozenCell:
        """Next year's number with its range of scenarios."""
        key, label = f"{forecast.code}.{self.year + 1}", forecast.label
        levels: list[float] = []
        lineage: list[str] = []
        for formula in forecast.history:
            try:
                found, parts = self.evaluate(formula)
            except Missing:
                levels.clear()  # what lies before a gap is no neighbour of what follows
                lineage.clear()
                continue
            levels.append(found.value)
            lineage += [line for part in parts.values() for line in part.lineage]
        if len(levels) < 2 or min(levels) <= 0:
            return _empty(key, label, forecast.unit, forecast.decimals, "no_previous")
        made = forecasts.damped_trend(levels)
        low, value, high = made.growth if forecast.shows == "growth" else made.level
        factor = unit_of(forecast.unit).factor
        cell = Cell(
            tables.formatted(steady(value / factor), forecast.decimals),
            steady(value / factor),
            lower=low / factor,
            upper=high / factor,
            n=len(levels),
        )
        whole = frozen(key, label, forecast.unit, cell, forecast.decimals, "forecast", dict.fromkeys(lineage))
        return replace(whole, note=made.words())

    def figure(self, figure: Figure) -> FrozenFigure:
        """The points of a figure, as keys of cells."""
        points: list[Point] = []
        for line in figure.series:
            for place, formula in enumerate(line.points):
                reference = formula.references[0]
                label = self._label(figure, place) or str(self.year + reference.offset)
                points.append(Point(line.name, label, self._point(reference)))
        for code, name in figure.categories:
            points += [Point(name, str(y), f"{code}.{y}") for y in (self.year - 1, self.year)]
        if figure.table:
            points += self._columns(figure)
        if figure.quality:
            points += [
                Point(self.draft.cells[f"{code}.{self.year}"].label, code, f"{code}.{self.year}")
                for code in sorted(self.headline)
                if self.draft.cells[f"{code}.{self.year}"].cv is not None
            ]
        return FrozenFigure(
            figure.code,
            figure.title,
            unit_text(figure.unit),
            tuple(points),
            figure.alternative,
        )

    def _label(self, figure: Figure, place: int) -> str:
        if place >= len(figure.labels):
            return ""
        return figure.labels[place].format(year=self.year, previous=self.year - 1)

    def _point(self, reference: Reference) -> str:
        if reference.kind == "number":
            return self.key(reference)
        year = self.year + reference.offset
        key = f"{reference.name}.{year}"
        label = self.material.external_labels.get(reference.name)
        text = label if label else Text(reference.name, reference.name)
        unit = self.material.external_units.get(reference.name, "")
        try:
            value = self.component(reference).value
        except Missing as missing:
            return self.draft.add(_empty(key, text, unit, 2, missing.reason))
        cell = Cell(tables.formatted(value, 2), value, note="external")
        lineage = (f"{reference.name}/{year}",)
        return self.draft.add(frozen(key, text, unit, cell, 2, "external", lineage))

    def _columns(self, figure: Figure) -> list[Point]:
        table = next(one for one in self.draft.tables if one.code == figure.table)
        return [
            Point(self._series(key), row.code, key)
            for column in figure.columns
            for row in table.rows
            if not row.is_total and (key := f"{table.code}.{row.code}.{column}") in self.draft.cells
        ]

    def _series(self, key: str) -> Text:
        label = self.draft.cells[key].label
        return Text(label.zh.split("：", 1)[-1], label.en.rsplit(": ", 1)[-1])


def steady(value: float) -> float:
    """The value without the dust of binary fractions: 53.12499999999999 is 53.125 and rounds up."""
    return float(f"{value:.12g}")


def about(value: float, step: float) -> Text | None:
    """The number to a multiple of a step with the word that is true: 79.6 is 近80, 143 is 超140."""
    whole = float(tables.rounded(value / step, 0)) * step
    if whole == 0:
        return None
    printed = tables.formatted(whole, 0)
    if abs(value - whole) < 1e-9:
        return Text(printed, printed)
    return (
        Text(f"近{printed}", f"nearly {printed}")
        if value < whole
        else Text(f"超{printed}", f"over {printed}")
    )


def _empty(key: str, label: Text, unit: str, decimals: int, reason: str) -> FrozenCell:
    return FrozenCell(key, label, unit_text(unit), "—", CellStatus.ABSENT, decimals=decimals, reason=reason)


def _with_error(value: float, decimals: int, se: float | None, n: int | None) -> Cell:
    text = tables.formatted(value, decimals)
    if se is None or se == 0.0:
        return Cell(text, value, n=n)
    cv = se / abs(value) if value else None
    reach = tables.Z95 * se
    return Cell(text, value, se, cv, value - reach, value + reach, tables.grade_of(cv, se), n)


def _least(parts: Iterable[Component]) -> int | None:
    counts = [part.n for part in parts if part.n is not None]
    return min(counts) if counts else None


def _estimator(parts: dict[Reference, Component]) -> str:
    kinds = {part.estimator for part in parts.values()}
    return kinds.pop() if len(parts) == 1 else "external" if kinds == {"external"} else "derived"


__all__ = ["BLANK", "Missing", "Reader", "about", "assemble", "steady"]
