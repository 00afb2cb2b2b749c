"""Pages of the runs: list, request, progress, treated values, weights and comparison."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from estimation.runs import selectors, services
from estimation.runs.forms import RunForm, parameters, rounds_with_design
from estimation.runs.inspection.comparison import selectors as selectors_compare
from estimation.runs.models import EstimationRun
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import SurveyError
from survey.jobs.services import was_sent
from survey.request_values import listed_number

State = EstimationRun.State
ACTIVE = (State.QUEUED, State.RUNNING)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def runs(request: AuthenticatedRequest) -> HttpResponse:
    """All runs, newest first."""
    rows = Paginator(selectors.all_runs(), 25).get_page(request.GET.get("page"))
    return page(request, "estimation/runs/list.html", {"page": rows, "may_run": _may_run(request)})


@requires(Permission.RUN_ESTIMATION)
def run_new(request: AuthenticatedRequest) -> HttpResponse:
    """Choose round, snapshot and parameters, and request the run."""
    rounds = rounds_with_design()
    chosen = next((round for round in rounds if str(round.year) == request.GET.get("round")), None)
    if chosen is None and rounds:
        chosen = rounds[0]
    context: dict[str, Any] = {"rounds": rounds, "round": chosen}
    if chosen is None:
        return page(request, "estimation/runs/new.html", context)
    form = RunForm(request.POST or None, round=chosen)
    if request.method == "POST" and form.is_valid():
        try:
            run, waits = services.request_run(
                round=chosen,
                by=request.user,
                spec=form.cleaned_data["spec"],
                microdata=form.cleaned_data["microdata"],
            )
            _send(request, run, waits)
            return redirect("run_detail", run.pk)
        except SurveyError as refusal:
            form.add_error(None, str(refusal.sentence))
    errors = [
        {"href": f"#id_{name}" if name != "__all__" else "", "text": text}
        for name, texts in form.errors.items()
        for text in texts
    ]
    context |= {"form": form, "errors": errors}
    return page(request, "estimation/runs/new.html", context, status=422 if errors else 200)


def _send(request: AuthenticatedRequest, run: EstimationRun, waits: bool) -> None:
    if not waits:
        messages.info(request, _("These inputs have been computed before; here is that run."))
    elif run.job is not None and was_sent(run.job):
        messages.success(request, _("The run is queued."))
    else:
        messages.warning(
            request,
            _(
                "The run is kept, but the task queue does not answer. It starts by itself when the queue is back."
            ),
        )


def _may_run(request: AuthenticatedRequest) -> bool:
    user = request.user
    return bool(user.has(Permission.RUN_ESTIMATION))


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def run_detail(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Inputs, live progress, timing and result of one run."""
    run = get_object_or_404(
        selectors.all_runs().select_related("previous_microdata__round", "previous_design__round"), pk=pk
    )
    context: dict[str, Any] = _progress(request, run)
    if run.state == State.FINISHED:
        names = selectors.variables_of(run)
        context["largest"] = [
            (row, selectors.name_of(names, row.variable))
            for row in selectors.treated_of(run, request.user)
            .filter(year=run.round.year)
            .exclude(effect=0)[:10]
        ]
        context["other_runs"] = selectors.finished_runs().filter(round=run.round).exclude(pk=run.pk)[:10]
    return page(request, "estimation/runs/detail.html", context)


def _progress(request: AuthenticatedRequest, run: EstimationRun) -> dict[str, Any]:
    return {
        "run": run,
        "active": run.state in ACTIVE,
        "stages": selectors.stage_list(run),
        "may_run": _may_run(request),
        "late_seconds": selectors.seconds_without_heartbeat(run),
        "lost_after": settings.RUN_LOST_SECONDS,
        "tone": {"finished": "good", "failed": "bad", "running": "info", "queued": "warn"}.get(
            run.state, "neutral"
        ),
    }


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def run_progress(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The live part of a run's page; reloads the page when the run has ended."""
    run = get_object_or_404(selectors.all_runs(), pk=pk)
    response = page(request, "estimation/runs/detail.html", _progress(request, run), partial="progress")
    if run.state not in ACTIVE and getattr(request, "htmx", None):
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
@requires(Permission.RUN_ESTIMATION)
def run_cancel(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Stop a run."""
    run = get_object_or_404(EstimationRun, pk=pk)
    services.cancel_run(run, by=request.user)
    messages.success(request, _("The run stops at its next step."))
    return redirect("run_detail", pk)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def run_treated(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Values outside the cutoffs, largest effect first, and a summary per variable."""
    run = get_object_or_404(selectors.finished_runs().select_related("microdata__layout"), pk=pk)
    names = selectors.variables_of(run)
    variable, reason = request.GET.get("variable", ""), request.GET.get("reason", "")
    rows = Paginator(selectors.treated_of(run, request.user, variable=variable, reason=reason), 50)
    page_rows = rows.get_page(request.GET.get("page"))
    context = {
        "run": run,
        "page": page_rows,
        "rows": [(row, selectors.name_of(names, row.variable)) for row in page_rows.object_list],
        "summary": [
            (row, selectors.name_of(names, row["variable"])) for row in selectors.treated_summary(run)
        ],
        "variable": variable,
        "reason": reason,
        "variables": sorted(names.values(), key=lambda name: name.code),
        "reasons": selectors.REASON_LABELS,
    }
    return page(request, "estimation/runs/treated.html", context)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def run_weights(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Weights of the strata, and the collapsed strata."""
    run = get_object_or_404(selectors.finished_runs(), pk=pk)
    years = [counts.year for counts in run.summary.years]
    year = listed_number(request.GET.get("year"), years)
    collapsed = request.GET.get("collapsed") == "1"
    rows = Paginator(selectors.weights_of(run, year=year, collapsed=collapsed), 50)
    context = {
        "run": run,
        "years": years,
        "year": year,
        "collapsed": collapsed,
        "page": rows.get_page(request.GET.get("page")),
        "facts": run.summary.of_year(year),
    }
    return page(request, "estimation/runs/weights.html", context)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def run_compare(request: AuthenticatedRequest) -> HttpResponse:
    """Two runs cell by cell."""
    finished = list(selectors.runs_with_inputs()[:50])
    by_key = {str(run.pk): run for run in finished}
    first, second = by_key.get(request.GET.get("a", "")), by_key.get(request.GET.get("b", ""))
    if "a" not in request.GET and len(finished) > 1:
        second, first = finished[:2]  # the two newest runs
    statistic = request.GET.get("statistic", "total")
    kind = request.GET.get("kind", "nation")
    context: dict[str, Any] = {
        "runs": finished,
        "first": first,
        "second": second,
        "statistic": statistic,
        "kind": kind,
        "statistics": selectors.STATISTIC_LABELS,
        "kinds": selectors.KIND_LABELS,
    }
    if first and second:
        rows, differ, total = selectors.differences(first, second, statistic=statistic, kind=kind)
        names = selectors.variables_of(second)
        context |= {
            "rows": [
                (
                    row,
                    selectors.name_of(names, row.variable),
                    *selectors.shown_unit(names, row.variable, row.statistic, row.second or row.first or 0.0),
                )
                for row in rows
            ],
            "differ": differ,
            "total": total,
            "inputs": _changed_inputs(first, second),
            "years": selectors_compare.year_changes(first, second),
        }
    return page(request, "estimation/runs/compare.html", context)


def _changed_inputs(first: EstimationRun, second: EstimationRun) -> list[tuple[str, Any, Any]]:
    """What differs between the inputs of two runs: name, first, second."""
    pairs: list[tuple[str, Any, Any]] = [
        (_("Microdata"), str(first.microdata), str(second.microdata)),
        (_("Units"), first.microdata.size, second.microdata.size),
        (_("Design"), first.design_id, second.design_id),
        (_("Program"), first.code_version[:12], second.code_version[:12]),
    ]
    before, other = parameters(first.spec), parameters(second.spec)
    pairs += [(name, before.get(name, "—"), other.get(name, "—")) for name in before | other]
    return [pair for pair in pairs if pair[1] != pair[2]]
