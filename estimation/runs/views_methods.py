"""The methods page of a run: what a methodologist hands to an auditor."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from estimation.runs import selectors
from estimation.runs.inspection import methods as selectors_methods
from estimation.runs.inspection import plots
from estimation.runs.models import EstimationRun
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission

LISTED = 300  # collapsed strata on the page; the rest is on the page of the weights


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def run_methods(request: HttpRequest, pk: int) -> HttpResponse:
    """Formulas in words and symbols, parameters, and what the run did with its data."""
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
        "facts": next(one for one in run.summary["years"] if one["year"] == year),
        "treatment": run.spec["winsorization"]["method"],
        "parameters": selectors_methods.parameters(run),
        "effects": [(row, selectors.name_of(names, row["variable"])) for row in effects],
        "outside_count": sum(row["count"] for row in effects),
        "moved_count": sum(row["moved"] for row in effects),
        "steps": steps,
        "collapsed": list(collapsed[:LISTED]),
        "weights": weights,
        "bins": bins,
        "plot": plots.columns([(label, float(count)) for label, count in bins]),
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
    return page(request, "estimation/runs/methods.html", context)


def _cutoffs(request: HttpRequest, run: EstimationRun, names: Any, year: int) -> dict[str, Any]:
    """The cutoffs of the chosen item."""
    known = selectors_methods.cutoff_variables(run)
    asked = request.GET.get("variable", "")
    variable = asked if asked in known else "P01" if "P01" in known else known[0] if known else ""
    return {
        "variable": variable,
        "chosen": asked in known,
        "variable_name": selectors.name_of(names, variable),
        "variables": [selectors.name_of(names, code) for code in known],
        "cutoffs": list(selectors_methods.cutoffs_of(run, variable, year)),
    }
