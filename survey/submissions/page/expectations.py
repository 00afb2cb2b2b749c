"""What stands beside an item before anything is typed: its parts or its total, the usual range, earlier years."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from django.utils.translation import gettext as _

from survey.questionnaires.answering import units
from survey.questionnaires.answering.answers import format_cell, number_of
from survey.questionnaires.definition import Item, Questionnaire
from survey.submissions.page.totals import Total, can_be_added_up, totals_of

_RANGE = re.compile(
    r'between\((?P<item>\w+), (?P<low>[0-9.]+) \* previous\("(?P=item)"\), (?P<high>[0-9.]+) \* previous\("(?P=item)"\)\)'
)
WIDTH, HEIGHT, MARGIN = 80, 22, 3  # of the trend line


class Sheet(Protocol):
    """What is read of a sheet."""

    definition: Questionnaire

    @property
    def relevant(self) -> Collection[str]:
        """Codes of the items that apply."""

    @property
    def previous(self) -> dict[str, Any] | None:
        """Last year's answers."""

    def item(self, code: str) -> Item:
        """The item of the form."""

    def cell(self, code: str) -> Any:
        """The cell that counts for an item."""


@dataclass(frozen=True, slots=True)
class SumLine:
    """The parts of a total in words; ``on_page`` when the page can add them up."""

    total: Total
    sentence: str
    on_page: bool

    @property
    def parts(self) -> str:
        """Codes of the parts."""
        return " ".join(self.total.parts)

    @property
    def columns(self) -> str:
        """Codes of the columns that are added up."""
        return " ".join(self.total.columns)


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through the figures of some years: points of an SVG polyline, and the figures in words."""

    points: str
    last: tuple[str, str]
    words: str


@dataclass(frozen=True, slots=True)
class Expectations:
    """What stands beside one item."""

    sums: list[SumLine] = field(default_factory=list)
    part_of: list[str] = field(default_factory=list)
    expected: str = ""
    trend: Trend | None = None


def expectations_of(
    sheet: Sheet, item: Item, language: str, year: int, history: Sequence[tuple[int, Mapping[str, Any]]]
) -> Expectations:
    """What is expected of an item in a year; ``history`` holds the answers of earlier years, oldest first."""
    totals = totals_of(sheet.definition)
    sums = [_sum_line(sheet, total, language) for total in totals if total.item == item.code]
    part_of = [
        _("All rows together must equal %(total)s.") % {"total": _name(sheet, total.item, language)}
        for total in totals
        if item.code == total.table and total.item in sheet.relevant
    ]
    last = number_of(item, (sheet.previous or {}).get(item.code)) if item.is_numeric else None
    return Expectations(
        sums=sums,
        part_of=part_of,
        expected=_expected(sheet, item, last, language),
        trend=_trend(sheet, item, language, year, history) if last is not None else None,
    )


def _name(sheet: Sheet, code: str, language: str) -> str:
    label = sheet.item(code).label.get(language)
    return f"{code} {re.sub(r'^(其中：|of which )', '', label)}"


def _sum_line(sheet: Sheet, total: Total, language: str) -> SumLine:
    comma = ", " if language.startswith("en") else "、"
    if total.table:
        names = {column.code: column.label.get(language) for column in sheet.item(total.table).columns}
        values = {
            "table": _name(sheet, total.table, language),
            "columns": comma.join(names[column] for column in total.columns),
        }
        sentence = _("Must equal the sum of %(columns)s in all rows of %(table)s.") % values
    else:
        parts = comma.join(_name(sheet, code, language) for code in total.parts if code in sheet.relevant)
        sentence = _("Must equal the sum of: %(parts)s.") % {"parts": parts}
    return SumLine(total, sentence, can_be_added_up(total, sheet.definition, sheet.relevant))


def _expected(sheet: Sheet, item: Item, last: Decimal | None, language: str) -> str:
    if not last or last < 0:
        return ""
    for edit in sheet.definition.edits:
        match = _RANGE.fullmatch(edit.expression.strip())
        if match and match["item"] == item.code:
            low, high = (_amount(item, last * Decimal(match[name]), language) for name in ("low", "high"))
            return _("Usually %(low)s to %(high)s; outside of it a reason is asked for.") % {
                "low": low,
                "high": high,
            }
    return ""


def _amount(item: Item, value: Decimal, language: str) -> str:
    unit = units.best_unit(value, item.unit) if len(item.units) > 1 else item.unit
    shown = units.convert(value, item.unit, unit) if unit != item.unit else value
    decimals = 0 if item.type == "count" else 2
    return units.with_label(units.format_number(shown, decimals), units.unit_label(unit, language))


def _trend(
    sheet: Sheet, item: Item, language: str, year: int, history: Sequence[tuple[int, Mapping[str, Any]]]
) -> Trend | None:
    years = [*history, (year - 1, sheet.previous or {}), (year, {item.code: sheet.cell(item.code)})]
    cells = [(at, answers.get(item.code)) for at, answers in years]
    figures = [(at, number, cell) for at, cell in cells if (number := number_of(item, cell)) is not None]
    if len(figures) < 2 or any(number < 0 for _at, number, _cell in figures):
        return None
    highest = max(number for _at, number, _cell in figures) or Decimal(1)
    first, span = figures[0][0], figures[-1][0] - figures[0][0]
    places = [
        (
            f"{MARGIN + (WIDTH - 2 * MARGIN) * (at - first) / span:.1f}",
            f"{HEIGHT - MARGIN - float((HEIGHT - 2 * MARGIN) * number / highest):.1f}",
        )
        for at, number, _cell in figures
    ]
    words = "; ".join(f"{at}: {format_cell(item, cell, language)}" for at, _number, cell in figures)
    return Trend(" ".join(",".join(place) for place in places), places[-1], words)
