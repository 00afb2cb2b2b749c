"""Reads that explain the difference of two runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from estimation.runs.compute.cells import Cell
from estimation.runs.inspection.explanation import REASONS, explain
from estimation.runs.inspection.units.selectors import FEWEST, read_contributions, stored
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
    """What differs between the frozen sheets of two runs in one year, and the number of values treated differently."""

    year: int
    entered: int
    left: int
    changed: int
    treated: int


def year_changes(first: EstimationRun, second: EstimationRun) -> list[YearChange]:
    """Units that entered, left or changed their answers, and values treated differently, by year."""
    pairs = [(first.microdata, second.microdata), (first.previous_microdata, second.previous_microdata)]
    changes = []
    for version, other in pairs:
        if version is not None and other is not None and version.round_id == other.round_id:
            year = version.round.year
            changes.append(
                YearChange(year, *changed_members(version, other), _treated_otherwise(first, second, year))
            )
    return changes


def _treated_otherwise(first: EstimationRun, second: EstimationRun, year: int) -> int:
    """Number of values whose answer is the same and whose treated value differs."""
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

    reasons : (label, units, sum of their changes or None where too few to disclose); rows : (unit, change, reason) of
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
    estimates = [stored(run, cell) for run in (first, second)]
    sides = [read_contributions(run, cell) for run in (first, second)] if all(estimates) else [None]
    if sides[0] is None or sides[-1] is None:
        return None
    explanation = explain(sides[0], sides[-1], cell)
    may_name = may(user, Permission.VIEW_SHEETS)
    few = not may_name and min(entry.n for entry in sides if entry is not None) < FEWEST
    reasons = [
        (REASON_LABELS[name], count, change if may_name or count >= FEWEST else None)
        for name, count, change in explanation.by_reason()
    ]
    rows = []
    if may_name:
        listed = [
            (int(unit), float(change), REASON_LABELS[REASONS[int(reason)]])
            for unit, change, reason in zip(
                explanation.unit[:LISTED],
                explanation.change[:LISTED],
                explanation.reason[:LISTED],
                strict=True,
            )
            if change != 0
        ]
        visible = ReportingUnit.objects.visible_to(user, Permission.VIEW_SHEETS).in_bulk(
            [entry[0] for entry in listed]
        )
        rows = [(visible[unit], change, reason) for unit, change, reason in listed if unit in visible]
    return CellChange(
        estimates[0],
        estimates[1],
        [] if few else reasons,
        rows,
        len(explanation.unit),
        explanation.exact,
        few,
        may_name,
    )
