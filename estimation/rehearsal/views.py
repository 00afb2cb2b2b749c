"""The page that holds estimates against the truth of the rehearsal country."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from estimation.rehearsal import selectors
from estimation.runs.selectors import (
    KIND_LABELS,
    PERCENTS,
    STATISTIC_LABELS,
    choose_run,
    finished_runs,
    name_of,
    variables_of,
)
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.request_values import listed_number


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def truth(request: HttpRequest) -> HttpResponse:
    """Estimate, interval and truth side by side, and how many intervals cover."""
    key = request.GET.get("run", "")
    run = choose_run(key)
    if run is None and key:
        raise Http404
    context: dict[str, Any] = {
        "run": run,
        "rehearsal": selectors.rehearsal(),
        "has_truth": selectors.has_truth(),
    }
    if run is None or not context["has_truth"]:
        return page(request, "estimation/rehearsal/truth.html", context)
    statistic = request.GET.get("statistic", "total")
    statistic = statistic if statistic in STATISTIC_LABELS else "total"
    kind = request.GET.get("kind", "nation")
    kind = kind if kind in KIND_LABELS else "nation"
    years = [year.year for year in run.summary.years]
    year = listed_number(request.GET.get("year"), years)
    variable = request.GET.get("variable", "")
    names = variables_of(run)
    rows = selectors.comparisons(run, statistic=statistic, kind=kind, year=year, variable=variable)
    coverage = selectors.coverage(run)
    sampled, covered = sum(row.sampled for row in coverage), sum(row.covered for row in coverage)
    context |= {
        "rows": [(row, name_of(names, row.variable)) for row in rows],
        "coverage": coverage,
        "by_answers": selectors.coverage_by_answers(run),
        "sampled": sampled,
        "covered": covered,
        "share": covered / sampled if sampled else None,
        "statistic": statistic,
        "kind": kind,
        "year": year,
        "years": years,
        "variable": variable,
        "variables": sorted(names.values(), key=lambda name: name.code),
        "statistics": STATISTIC_LABELS,
        "kinds": KIND_LABELS,
        "is_percent": statistic in PERCENTS,
        "other_runs": finished_runs()[:30],
    }
    return page(request, "estimation/rehearsal/truth.html", context)
