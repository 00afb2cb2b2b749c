"""Reads that explain the difference of two runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from estimation.runs.compute.contributions import Cell
from estimation.runs.inspection.explanation import REASONS, explain
from estimation.runs.inspection.units.selectors import FEWEST, read_behind, stored
from estimation.runs.models import Estimate, EstimationRun
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.frame.models import ReportingUnit
from survey.microdata.selectors import changed_members

REASON_LABELS = {
    "entered": _("Entered"),
    "left": _("Left"),
    "answer": _("Answered otherwise"),
    "treatment": _("Treated otherwise"),
    "weight": _("Weighted otherwise"),
    "same": _("Unchanged unit"),
}
LISTED = 20


@dataclass(frozen=True, slots=True)
class YearChange:
    """What differs between the frozen sheets of two runs in one year, and how many values were treated otherwise."""

    year: int
    entered: int
    left: int
    changed: int
    treated: int


def year_changes(first: EstimationRun, second: EstimationRun) -> list[YearChange]:
    """Units that entered, left and answered otherwise, and values treated otherwise, year by year."""
    pairs = [(first.microdata, second.microdata), (first.previous_microdata, second.previous_microdata)]
    found = []
    for one, other in pairs:
        if one is not None and other is not None and one.round_id == other.round_id:
            year = one.round.year
            found.append(
                YearChange(year, *changed_members(one, other), _treated_otherwise(first, second, year))
            )
    return found


def _treated_otherwise(first: EstimationRun, second: EstimationRun, year: int) -> int:
    """Values that were moved to another number although the answer is the same, in either direction."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM
              (SELECT * FROM estimation_treatedunit WHERE run_id = %(first)s AND year = %(year)s) a
              FULL JOIN
              (SELECT * FROM estimation_treatedunit WHERE run_id = %(second)s AND year = %(year)s) b
              ON a.unit_id = b.unit_id AND a.variable = b.variable
            WHERE coalesce(a.collected, b.collected) = coalesce(b.collected, a.collected)
              AND coalesce(a.treated, b.collected) <> coalesce(b.treated, a.collected)
            """,
            {"first": first.pk, "second": second.pk, "year": year},
        )
        return int(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class CellChange:
    """Why one cell of two runs differs.

    reasons : (label, units, sum of their changes or None where too few to tell); rows : (unit, change, reason) of
    the units that the reader may see
    """

    first: Estimate | None
    second: Estimate | None
    reasons: Sequence[tuple[Any, int, float | None]]
    rows: Sequence[tuple[ReportingUnit, float, Any]]
    units: int
    exact: bool
    few: bool
    may_name: bool


def cell_change(first: EstimationRun, second: EstimationRun, cell: Cell, user: User) -> CellChange | None:
    """The explanation of one cell as far as this user may see it; None where a run does not have it."""
    known = [stored(run, cell) for run in (first, second)]
    sides = [read_behind(run, cell) for run in (first, second)] if all(known) else [None]
    if sides[0] is None or sides[-1] is None:
        return None
    found = explain(sides[0], sides[-1], cell)
    may_name = may(user, Permission.VIEW_SHEETS)
    few = not may_name and min(one.n for one in sides if one is not None) < FEWEST
    reasons = [
        (REASON_LABELS[name], count, change if may_name or count >= FEWEST else None)
        for name, count, change in found.by_reason()
    ]
    rows = []
    if may_name:
        listed = [
            (int(unit), float(change), REASON_LABELS[REASONS[int(reason)]])
            for unit, change, reason in zip(
                found.unit[:LISTED], found.change[:LISTED], found.reason[:LISTED], strict=True
            )
            if change != 0
        ]
        visible = ReportingUnit.objects.visible_to(user, Permission.VIEW_SHEETS).in_bulk(
            [one[0] for one in listed]
        )
        rows = [(visible[unit], change, reason) for unit, change, reason in listed if unit in visible]
    return CellChange(
        known[0], known[1], [] if few else reasons, rows, len(found.unit), found.exact, few, may_name
    )
