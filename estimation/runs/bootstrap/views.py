"""The bootstrap of a run: request, progress, cancellation, and its errors beside the linearised ones."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from estimation.runs import selectors
from estimation.runs.bootstrap import selectors as selectors_bootstrap
from estimation.runs.bootstrap import services as services_bootstrap
from estimation.runs.forms import BootstrapForm
from estimation.runs.models import EstimationRun
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import SurveyError


@requires(Permission.VIEW_ESTIMATES)
@require_http_methods(["GET", "POST"])
def run_bootstrap(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Progress and result of the newest bootstrap; POST requests one."""
    user = request.user
    may_run = bool(user.has(Permission.RUN_ESTIMATION))
    run = get_object_or_404(selectors.finished_runs().select_related("microdata__layout"), pk=pk)
    form = BootstrapForm(request.POST or None)
    if request.method == "POST":
        if not may_run:
            raise Http404
        if form.is_valid():
            return _ask(request, run, form.cleaned_data["replicates"])
    row = selectors_bootstrap.newest_bootstrap(run)
    context: dict[str, Any] = {
        "run": run,
        "form": form,
        "may_run": may_run,
        "row": row,
        "is_optimal": run.spec["winsorization"]["method"] == "optimal",
    }
    if row is not None:
        active = row.state in services_bootstrap.ACTIVE
        context |= {
            "active": active,
            "progress": selectors_bootstrap.progress_of(row),
            "tone": {"finished": "good", "failed": "bad", "running": "info", "queued": "warn"}.get(
                row.state, "neutral"
            ),
            **(_results(request, run, row) if row.state == EstimationRun.State.FINISHED else {}),
        }
    response = page(request, "estimation/runs/bootstrap/bootstrap.html", context, partial="progress")
    if row is not None and not context["active"] and getattr(request, "htmx", None):
        response.headers["HX-Refresh"] = "true"
    return response


def _ask(request: AuthenticatedRequest, run: EstimationRun, replicates: int) -> HttpResponse:
    try:
        row, waits = services_bootstrap.request_bootstrap(run=run, replicates=replicates, by=request.user)
    except PermissionDenied as refusal:
        raise Http404 from refusal
    except SurveyError as refusal:
        messages.error(request, str(refusal.sentence))
        return redirect("run_bootstrap", run.pk)
    if not waits:
        messages.info(request, _("This bootstrap has been asked for before; here it is."))
    elif services_bootstrap.was_sent(row):
        messages.success(request, _("The chunks are queued."))
    else:
        messages.warning(
            request, _("The task queue does not answer. The chunks start by themselves when it is back.")
        )
    return redirect("run_bootstrap", run.pk)


def _results(request: HttpRequest, run: EstimationRun, row: Any) -> dict[str, Any]:
    kind = request.GET.get("kind", "nation")
    kind = kind if kind in selectors_bootstrap.KINDS else "nation"
    statistics = selectors_bootstrap.replicate_statistics(row)
    statistic = request.GET.get("statistic", "")
    statistic = statistic if statistic in statistics else ""
    names = selectors.variables_of(run)
    rows = selectors_bootstrap.replicate_rows(row, kind=kind, statistic=statistic)
    return {
        "kind": kind,
        "statistic": statistic,
        "statistics": statistics,
        "kinds": {code: selectors.KIND_LABELS[code] for code in selectors_bootstrap.KINDS},
        "rows": [
            (
                estimate,
                ratio,
                selectors.name_of(names, estimate.variable),
                estimate.statistic in selectors.PERCENTS,
                *selectors.shown_unit(names, estimate.variable, estimate.statistic, estimate.value or 0.0),
            )
            for estimate, ratio in rows
        ],
    }


@require_POST
@requires(Permission.RUN_ESTIMATION)
def run_bootstrap_cancel(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Stop the newest bootstrap of a run."""
    run = get_object_or_404(EstimationRun, pk=pk)
    row = selectors_bootstrap.newest_bootstrap(run)
    if row is None:
        raise Http404
    services_bootstrap.cancel_bootstrap(row, by=request.user)
    messages.success(request, _("The bootstrap is stopped."))
    return redirect("run_bootstrap", pk)
