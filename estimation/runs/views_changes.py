"""The page of macro review: where totals moved since last year, leading to the units behind."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from estimation.runs import selectors
from estimation.runs.compute.spec import CROSSED
from estimation.runs.inspection import changes as selectors_changes
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission


@requires(Permission.VIEW_ESTIMATES, Permission.REVIEW)
@require_GET
def run_changes(request: HttpRequest) -> HttpResponse:
    """Region by industry of the newest finished run: both years, change, and how unusual it is.

    Who may not see estimates, the desk of a province, gets the same of its own units.
    """
    user: Any = request.user
    own = not user.has(Permission.VIEW_ESTIMATES)
    run = selectors.runs_with_inputs().first()
    variable = request.GET.get("variable", CROSSED[0])
    if variable not in CROSSED:
        raise Http404
    context: dict[str, Any] = {"run": run, "variable": variable, "own": own}
    if run is not None:
        names = selectors.variables_of(run)
        if own:
            sections, rows = selectors_changes.desk_change_table(run, variable, user)
        else:
            sections, rows = selectors_changes.change_table(run, variable)
        context |= {
            "cells": [cell for row in rows for cell in row.cells if cell is not None],
            "sections": sections,
            "rows": rows,
            "unusual": selectors_changes.most_unusual(rows),
            "name": selectors.name_of(names, variable),
            "names": [selectors.name_of(names, code) for code in CROSSED],
            "year": run.round.year,
        }
    return page(request, "estimation/runs/changes.html", context)
