"""The page of the units behind a number."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from estimation.runs import selectors, services_units
from estimation.runs.contributions import GROWTHS, Cell
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission


@requires(Permission.VIEW_ESTIMATES, Permission.REVIEW)
@require_GET
def run_units(request: HttpRequest, pk: int) -> HttpResponse:
    """Weight, collected and used value, contribution and share of the units behind one estimate."""
    run = get_object_or_404(selectors.runs_with_inputs(), pk=pk)
    cell = _cell(request, run.round.year)
    found = services_units.view_units(run=run, cell=cell, by=request.user)
    if found is None:
        raise Http404
    names = selectors.variables_of(run)
    context: dict[str, Any] = {
        "run": run, "cell": cell, "found": found, "name": selectors.name_of(names, cell.variable),
        "is_percent": cell.statistic in selectors.PERCENTS, "is_growth": cell.statistic in GROWTHS,
        "is_quotient": cell.is_quotient, "is_yesno": cell.statistic == "proportion",
        "shown": len(found.rows),
    }  # fmt: skip
    return page(request, "estimation/runs/units.html", context)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def run_compare_cell(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Why one number differs between two runs: who entered, left, answered or was treated otherwise."""
    first, second = (get_object_or_404(selectors.runs_with_inputs(), pk=key) for key in (pk, other))
    cell = _cell(request, second.round.year)
    found = services_units.view_change(first=first, second=second, cell=cell, by=request.user)
    if found is None:
        raise Http404
    names = selectors.variables_of(second)
    context = {
        "first": first, "second": second, "cell": cell, "found": found,
        "name": selectors.name_of(names, cell.variable), "is_percent": cell.statistic in selectors.PERCENTS,
    }  # fmt: skip
    return page(request, "estimation/runs/compare_cell.html", context)


def _cell(request: HttpRequest, year: int) -> Cell:
    """The cell that the address names. 404 for a year that is no number."""
    asked = request.GET.get("year", str(year))
    if not asked.isdecimal():
        raise Http404
    return Cell(
        int(asked), request.GET.get("variable", ""), request.GET.get("statistic", "total"),
        request.GET.get("kind", "nation"), request.GET.get("code", "all"),
    )  # fmt: skip
