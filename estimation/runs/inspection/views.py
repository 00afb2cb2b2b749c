"""Pages that explain a run: changes on last year, methods, the units behind one number."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from estimation.runs import selectors
from estimation.runs.compute.cells import GROWTHS, Cell
from estimation.runs.compute.spec import CROSSED
from estimation.runs.inspection import plots
from estimation.runs.inspection import services as services_units
from estimation.runs.inspection.changes import selectors as selectors_changes
from estimation.runs.inspection.comparison.selectors import CellChange
from estimation.runs.inspection.methods import selectors as selectors_methods
from estimation.runs.inspection.units.selectors import UnitsBehind
from estimation.runs.models import EstimationRun
from estimation.runs.readable import readable_unit
from estimation.runs.selectors import VariableName
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.request_values import whole_number


@requires(Permission.VIEW_ESTIMATES, Permission.REVIEW)
@require_GET
def run_units(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Weight, collected and used value, contribution and share of the units behind one estimate."""
    run = get_object_or_404(selectors.runs_with_inputs(), pk=pk)
    cell = _cell(request, run.round.year)
    units = services_units.view_units(run=run, cell=cell, by=request.user)
    if units is None:
        raise Http404
    names = selectors.variables_of(run)
    context: dict[str, Any] = {
        "run": run,
        "cell": cell,
        "result": units,
        "name": selectors.name_of(names, cell.variable),
        "is_percent": cell.statistic in selectors.PERCENTS,
        "is_growth": cell.statistic in GROWTHS,
        "is_quotient": cell.is_quotient,
        "is_yesno": cell.statistic == "proportion",
        "shown": len(units.rows),
        **readable_units(names, cell, units),
    }
    return page(request, "estimation/runs/inspection/units.html", context)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def run_compare_cell(request: AuthenticatedRequest, pk: int, other: int) -> HttpResponse:
    """Why one number differs between two runs: units that entered, left, or were answered or treated differently."""
    first, second = (get_object_or_404(selectors.runs_with_inputs(), pk=key) for key in (pk, other))
    cell = _cell(request, second.round.year)
    change = services_units.view_change(first=first, second=second, cell=cell, by=request.user)
    if change is None:
        raise Http404
    names = selectors.variables_of(second)
    context = {
        "first": first,
        "second": second,
        "cell": cell,
        "result": change,
        "name": selectors.name_of(names, cell.variable),
        "is_percent": cell.statistic in selectors.PERCENTS,
        **_change_units(names, cell, change),
    }
    return page(request, "estimation/runs/inspection/compare_cell.html", context)


def readable_units(names: Mapping[str, VariableName], cell: Cell, units: UnitsBehind) -> dict[str, Any]:
    """Units and factors of the estimate and of the units' values: national and respondent values need different ones."""
    top, _sign, bottom = cell.variable.partition("/")
    stored = selectors.name_of(names, top).unit
    is_amount = cell.statistic in ("total", "mean")
    number = abs((units.estimate.value if units.estimate else units.value) or 0.0)
    unit, factor = readable_unit(stored, number) if is_amount else ("", 1.0)
    values = [abs(value) for row in units.rows for value in (row.collected, row.used, row.old_used) if value]
    effects = [abs(row.effect) for row in units.rows] if cell.statistic == "total" else []
    value_unit, value_factor = readable_unit(stored, max((*values, *effects), default=0.0))
    bases = [abs(row.base) for row in units.rows if row.base]
    # The denominator of a mean or a proportion counts units.
    stored_base = selectors.name_of(names, bottom).unit if bottom else ""
    base_unit, base_factor = readable_unit(stored_base, max(bases, default=0.0))
    return {
        "unit": unit,
        "factor": factor,
        "value_unit": value_unit,
        "value_factor": value_factor,
        "base_unit": base_unit,
        "base_factor": base_factor,
        "effect_unit": value_unit if cell.statistic == "total" else unit,
        "effect_factor": value_factor if cell.statistic == "total" else factor,
    }


def _change_units(names: Mapping[str, VariableName], cell: Cell, explained: CellChange) -> dict[str, Any]:
    """Units and factors of the two estimates and of the changes between them."""
    if cell.statistic not in ("total", "mean"):
        return {"unit": "", "factor": 1.0, "change_unit": "", "change_factor": 1.0}
    stored = selectors.name_of(names, cell.variable.partition("/")[0]).unit
    levels = [
        abs(estimate.value or 0.0) for estimate in (explained.first, explained.second) if estimate is not None
    ]
    unit, factor = readable_unit(stored, max(levels, default=0.0))
    changes = [abs(change) for _label, _count, change in explained.reasons if change is not None]
    change_unit, change_factor = readable_unit(stored, max(changes, default=0.0))
    return {"unit": unit, "factor": factor, "change_unit": change_unit, "change_factor": change_factor}


def _cell(request: HttpRequest, year: int) -> Cell:
    """The cell of the query parameters. 404 for a year that is not a number."""
    chosen = whole_number(request.GET.get("year", str(year)))
    if chosen is None:
        raise Http404
    return Cell(
        chosen,
        request.GET.get("variable", ""),
        request.GET.get("statistic", "total"),
        request.GET.get("kind", "nation"),
        request.GET.get("code", "all"),
    )


@requires(Permission.VIEW_ESTIMATES, Permission.REVIEW)
@require_GET
def run_changes(request: AuthenticatedRequest) -> HttpResponse:
    """Region by industry of the newest finished run: both years, change, and its score.

    A provincial desk, which may not see estimates, gets the same of its own units.
    """
    user = request.user
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
    return page(request, "estimation/runs/inspection/changes.html", context)


LISTED = 300  # collapsed strata on the page; the page of the weights lists all


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def run_methods(request: HttpRequest, pk: int) -> HttpResponse:
    """Formulas, parameters, and the treatment, weighting and response of the run."""
    run = get_object_or_404(selectors.runs_with_inputs(), pk=pk)
    year = run.round.year
    names = selectors.variables_of(run)
    steps, collapsed = selectors_methods.collapsing(run, year)
    weights = selectors_methods.weight_facts(run, year)
    bins = plots.weight_bins(weights.pairs) if weights else []
    effects = selectors_methods.treatment_effects(run)
    response = selectors_methods.response(run, year)
    context: dict[str, Any] = {
        "run": run,
        "year": year,
        "facts": run.summary.of_year(year),
        "treatment": run.spec["winsorization"]["method"],
        "parameters": selectors_methods.parameters(run),
        "effects": [(row, selectors.name_of(names, row["variable"])) for row in effects],
        "outside_count": sum(row["count"] for row in effects),
        "moved_count": sum(row["moved"] for row in effects),
        "steps": steps,
        "collapsed": list(collapsed[:LISTED]),
        "weights": weights,
        "bins": bins,
        "plot": plots.vertical_bars([(label, float(count)) for label, count in bins]),
        "grades": selectors_methods.grades_by_kind(run),
        "letters": "ABCDE",
        "worst": [
            (
                row,
                selectors.name_of(names, row.variable),
                row.statistic in selectors.PERCENTS,
                *selectors.shown_unit(names, row.variable, row.statistic, row.value or 0.0),
            )
            for row in selectors_methods.worst(run)
        ],
        "response": response,
        "response_sums": selectors_methods.summed(response),
        "collapsed_population": sum(row["population"] for row in steps),
        "lowest": [
            (row, row.respondents / row.drawn) for row in selectors_methods.lowest_response(run, year)
        ],
        "deffs": selectors_methods.design_effects(run),
        **_cutoffs(request, run, names, year),
    }
    return page(request, "estimation/runs/inspection/methods.html", context)


def _cutoffs(request: HttpRequest, run: EstimationRun, names: Any, year: int) -> dict[str, Any]:
    """The cutoffs of the chosen item."""
    codes = selectors_methods.cutoff_variables(run)
    requested = request.GET.get("variable", "")
    variable = requested if requested in codes else "P01" if "P01" in codes else codes[0] if codes else ""
    return {
        "variable": variable,
        "chosen": requested in codes,
        "variable_name": selectors.name_of(names, variable),
        "variables": [selectors.name_of(names, code) for code in codes],
        "cutoffs": list(selectors_methods.cutoffs_of(run, variable, year)),
    }
