"""Result pages of a run: headline indicators, tables 1 to 4, any item by domain."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from estimation.releases.content.registry import registry
from estimation.releases.selectors import coverage_of
from estimation.results import selectors
from estimation.runs.bootstrap.selectors import replicate_errors
from estimation.runs.models import EstimationRun
from estimation.runs.readable import readable_unit
from estimation.runs.selectors import (
    KIND_LABELS,
    PERCENTS,
    STATISTIC_LABELS,
    choose_run,
    finished_runs,
    name_of,
    statistics_of,
    variables_of,
)
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.request_values import listed_number


def _base(request: HttpRequest) -> tuple[EstimationRun | None, dict[str, Any]]:
    """The chosen run and the context that every result page shows. 404 for a run that is not finished."""
    run_key = request.GET.get("run", "")
    run = choose_run(run_key)
    if run is None and run_key:
        raise Http404
    others = finished_runs()[:30] if run is not None else []
    printed = [
        (number, table) for number, table in sorted(registry().tables.items()) if table.code[:1] == "T"
    ]
    tables = [(number, table.title) for number, table in printed]
    return run, {"run": run, "other_runs": others, "tables": tables, "explicit": bool(run_key)}


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def results(request: HttpRequest) -> HttpResponse:
    """The indicators of chapter 1: both years, growth, errors and grades."""
    run, context = _base(request)
    if run is not None:
        rows = selectors.indicators_of(run)
        context["groups"] = [
            (label, [row for row in rows if row.indicator.group == code]) for code, label in registry().groups
        ]
        context["previous_year"] = run.round.year - 1
    return page(request, "estimation/results/results.html", context)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def results_table(request: HttpRequest, number: int) -> HttpResponse:
    """One of the report's tables 1 to 4."""
    table = selectors.table_layout(number)
    if table is None:
        raise Http404
    run, context = _base(request)
    context |= {"table": table, "number": number}
    if run is not None and table.coverage:
        context["coverage"] = coverage_of(run, table)
    elif run is not None:
        context["rows"] = selectors.table_of(run, table)
    return page(request, "estimation/results/table.html", context)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def results_domain(request: HttpRequest) -> HttpResponse:
    """Any stored item by any kind of domain, sortable, with a bar."""
    run, context = _base(request)
    if run is None:
        return page(request, "estimation/results/domain.html", context)
    names = variables_of(run)
    variable = request.GET.get("variable", "P01")
    statistics = statistics_of(run, variable) or list(STATISTIC_LABELS)
    requested = request.GET.get("statistic", "")
    statistic = requested if requested in statistics else statistics[0]
    kind = request.GET.get("kind", "region")
    kind = kind if kind in KIND_LABELS else "region"
    years = [year.year for year in run.summary.years]
    year = listed_number(request.GET.get("year"), years)
    order = request.GET.get("order", "code")
    rows = selectors.domain_rows(
        run, variable=variable, statistic=statistic, kind=kind, year=year, order=order
    )
    errors = (
        replicate_errors(run, variable=variable, statistic=statistic, kind=kind)
        if year == run.round.year
        else {}
    )
    largest = max((abs(row.value or 0.0) for row in rows), default=0.0) or 1.0
    name = name_of(names, variable)
    # Totals and means are amounts; one unit for the whole page.
    unit, factor = readable_unit(name.unit, largest) if statistic in ("total", "mean") else (name.unit, 1.0)
    context |= {
        "rows": [(row, errors.get(row.domain_code)) for row in rows],
        "errors": bool(errors),
        "largest": largest,
        "variable": variable,
        "name": name,
        "unit": unit,
        "factor": factor,
        "statistic": statistic,
        "kind": kind,
        "year": year,
        "years": years,
        "order": order,
        "statistics": statistics,
        "statistic_labels": STATISTIC_LABELS,
        "kinds": KIND_LABELS,
        "is_percent": statistic in PERCENTS,
        "variables": [name_of(names, code) for code in selectors.variables_with_estimates(run)],
        "language": get_language(),
    }
    return page(request, "estimation/results/domain.html", context, partial="domain")
