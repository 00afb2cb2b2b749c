"""State of the system for its administrator; metrics for Prometheus."""

import hmac
import ipaddress

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from config.monitoring.metrics import exposition
from survey.access.decorators import public, requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.jobs.failures import services as failures
from survey.jobs.kinds import label_of
from survey.operations import presentation, selectors

PER_PAGE = 20


@requires(Permission.OPERATE)
@require_GET
@never_cache
def system_state(request: AuthenticatedRequest) -> HttpResponse:
    """Servers, processes, background work with failed jobs, queues, folders."""
    rows = Paginator(selectors.failed_jobs(), PER_PAGE).get_page(request.GET.get("page"))
    jobs = list(rows)
    people = selectors.requesters(jobs)
    context = presentation.state_of_the_system() | {
        "page": rows,
        "failed": [
            {
                "job": job,
                "kind": label_of(job.kind),
                "by": people.get(job.requested_by or 0),
                "can_retry": failures.can_retry(job),
            }
            for job in jobs
        ],
    }
    return page(request, "survey/operations/state.html", context)


@requires(Permission.OPERATE)
@require_POST
def system_job(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Retry or discard a failed job."""
    action = request.POST.get("action")
    if action == "retry":
        failures.retry(pk, by=request.user)
        messages.success(request, _("The job waits again and is started by the next free worker."))
    elif action == "discard":
        failures.discard(pk, by=request.user)
        messages.success(request, _("The job has been taken off the list."))
    else:
        raise Http404
    return redirect("system_state")


@public
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Numbers of this host's web processes and of the whole system. 404 without the token or network of the settings."""
    if not _may_read_metrics(request):
        raise Http404
    return HttpResponse(exposition(presentation.metrics()), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    expected = settings.METRICS_TOKEN
    if expected and scheme == "Bearer" and hmac.compare_digest(token.encode(), expected.encode()):
        return True
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "")
    except ValueError:  # a Unix socket has none
        return False
    return any(address in ipaddress.ip_network(network) for network in settings.METRICS_NETWORKS)
