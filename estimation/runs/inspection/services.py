"""Recorded reads of the units behind a number: individual data, so each read is an audit event."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from estimation.runs.compute.cells import Cell
from estimation.runs.inspection.comparison.selectors import CellChange, cell_change
from estimation.runs.inspection.units.selectors import UnitsBehind, own_units_behind, units_behind
from estimation.runs.models import EstimationRun
from survey import audit
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may


@transaction.atomic
def view_units(*, run: EstimationRun, cell: Cell, by: User) -> UnitsBehind | None:
    """The units behind a stored estimate; the user, the estimate and the number of units are recorded.

    Returns None where the run has no such estimate. Raises PermissionDenied.
    """
    if may(by, Permission.VIEW_ESTIMATES):
        units = units_behind(run, cell, by)
    elif may(by, Permission.REVIEW):  # the desk of a province: its own units without the estimate
        units = own_units_behind(run, cell, by)
    else:
        raise PermissionDenied
    if units is not None:
        audit.record(
            by=by,
            action="view_contributors",
            subject=run,
            variable=cell.variable,
            statistic=cell.statistic,
            domain=f"{cell.kind}/{cell.code}",
            year=cell.year,
            named=len(units.rows),
            units=units.units,
        )
    return units


@transaction.atomic
def view_change(*, first: EstimationRun, second: EstimationRun, cell: Cell, by: User) -> CellChange | None:
    """Why a cell of two runs differs, by unit; recorded like ``view_units``.

    Returns None where one of the runs has no such estimate. Raises PermissionDenied.
    """
    if not may(by, Permission.VIEW_ESTIMATES):
        raise PermissionDenied
    change = cell_change(first, second, cell, by)
    if change is not None:
        audit.record(
            by=by,
            action="view_contributors",
            subject=second,
            compared_with=first.pk,
            variable=cell.variable,
            statistic=cell.statistic,
            domain=f"{cell.kind}/{cell.code}",
            year=cell.year,
            named=len(change.rows),
            units=change.units,
        )
    return change
