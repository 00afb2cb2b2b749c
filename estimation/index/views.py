"""The page of the composite index."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from estimation.index import selectors, services
from estimation.index.indicators import KINDS
from estimation.index.models import IndexResult
from estimation.runs.inspection import plots
from estimation.runs.models import EstimationRun
from estimation.runs.selectors import finished_runs, name_of, variables_of
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.jobs.services import was_sent
from survey.request_values import row_key


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def index_page(request: AuthenticatedRequest) -> HttpResponse:
    """Index, ranks with bands, weights with their parts, and the fit of the model on held-out data."""
    runs = finished_runs().select_related("microdata__layout")
    number = request.GET.get("run", "")
    run = runs.filter(pk=row_key(number) or 0).first() if number else runs.first()
    if run is None and number:
        raise Http404
    user = request.user
    context: dict[str, Any] = {
        "run": run,
        "may_run": bool(user.has(Permission.RUN_ESTIMATION)),
        "kinds": KINDS,
    }
    if run is not None:
        newest, result = selectors.newest_index(run), selectors.finished_index(run)
        waits = newest is not None and newest.state in ("queued", "running")
        context |= {"newest": newest, "result": result, "waits": waits}
        if result is not None:
            context |= _shown(request, run, result)
    return page(request, "estimation/index/index.html", context)


def _shown(request: HttpRequest, run: EstimationRun, result: IndexResult) -> dict[str, Any]:
    kind = request.GET.get("kind", "region")
    kind = kind if kind in KINDS else "region"
    order = request.GET.get("order", "rank")
    order = order if order in selectors.ORDERS else "rank"
    stored = result.document["kinds"][kind]
    rows = selectors.index_rows(result.document, kind, order)
    ranked = selectors.index_rows(result.document, kind, "rank")
    return {
        "kind": kind,
        "order": order,
        "held": stored,
        "rows": rows,
        "model": result.document["model"],
        "band": round(100 * stored["band"]),
        "weights": _weights(run, result.document, stored),
        "bars": plots.horizontal_bars([(row.code, row.value, row.thin > 0) for row in ranked]),
        "bands": plots.bands(
            [(row.code, row.low, row.high, row.rank, row.median, row.thin > 0) for row in ranked], len(ranked)
        ),
        "thin": sum(row.thin > 0 for row in rows),
        "stale": result.bootstrap is None
        or ((newest := selectors.newest_replicates(run)) is not None and newest.pk != result.bootstrap_id),
    }


def _weights(run: EstimationRun, document: dict[str, Any], stored: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per indicator: every part of its weight and the final weight."""
    names = variables_of(run)
    model = document["model"]
    rows = []
    for index, (variable, statistic, pillar, direction) in enumerate(document["indicators"]):
        parts = stored["weights"]
        rows.append(
            {
                "variable": variable,
                "statistic": statistic,
                "pillar": pillar,
                "direction": direction,
                "name": name_of(names, variable),
                "final": stored["final"][index],
                "logged": stored["logged"][index],
                **{
                    name: parts[name][index] if name in parts else None
                    for name in ("entropy", "critic", "importance")
                },
                "trees": model["importance"]["trees"][index] if model else None,
                "trees_spread": model["spread"]["trees"][index] if model else None,
                "net": model["importance"]["elastic_net"][index] if model else None,
                "net_spread": model["spread"]["elastic_net"][index] if model else None,
            }
        )
    return rows


@require_POST
@requires(Permission.RUN_ESTIMATION)
def index_request(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Request the index of a run."""
    run = get_object_or_404(finished_runs(), pk=pk)
    row, waits = services.request_index(run=run, by=request.user)
    if not waits:
        messages.info(request, _("The index of these inputs is there or in work."))
    elif row.job is not None and was_sent(row.job):
        messages.success(request, _("The index is queued."))
    else:
        messages.warning(request, _("The task queue does not answer. The index is computed when it is back."))
    return redirect(f"{reverse('index_page')}?run={run.pk}")
