"""Pages of bulk acceptance and of the stop rule."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied, StaleRevision
from survey.request_values import whole_number
from survey.review.bulk import services as bulk
from survey.review.bulk.undo import services as undo
from survey.review.bulk.whatif.selectors import what_if
from survey.review.filters import QueueFilter
from survey.review.scores.selectors import remaining
from survey.review.selectors import round_of, rounds


@require_http_methods(["GET", "POST"])
@requires(Permission.REVIEW)
def review_bulk(request: AuthenticatedRequest) -> HttpResponse:
    """Preview and confirmation of a bulk acceptance."""
    setting = QueueFilter.read(request.GET)
    round_ = round_of(setting, rounds())
    if round_ is None:
        raise Http404
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        expected, mark = whole_number(request.POST.get("expected")), request.POST.get("mark", "")
        try:
            if expected is None or not request.POST.get("confirm"):
                raise PolicyDenied(_("Tick that you have read the preview, then accept."))
            act = bulk.bulk_accept(
                by=request.user, round=round_, setting=setting, expected=expected, mark=mark
            )
        except (PolicyDenied, StaleRevision) as refused:
            errors = [{"href": "#confirm", "text": refused.sentence}]
        else:
            text = _("%(accepted)s sheets accepted, %(skipped)s left in the queue.")
            messages.success(request, text % {"accepted": act.accepted, "skipped": act.skipped})
            return redirect("review_bulk_act", act.pk)
    shown = bulk.preview(request.user, round_, setting)
    context = {
        "preview": shown,
        "setting": setting,
        "errors": errors,
        "moves": what_if(round_, shown.ids),
    }
    return page(request, "survey/review/bulk/bulk.html", context, status=409 if errors else 200)


@require_GET
@requires(Permission.REVIEW)
def review_remaining(request: AuthenticatedRequest) -> HttpResponse:
    """The stop rule of selective editing, for the nation and by region."""
    round_ = round_of(QueueFilter.read(request.GET), rounds())
    domains = remaining(request.user, round_) if round_ else []
    context = {"round": round_, "domains": domains, "part": settings.EDITING_STOP_SHARE * 100}
    return page(request, "survey/review/bulk/remaining.html", context)


@require_GET
@requires(Permission.REVIEW)
def review_bulk_acts(request: AuthenticatedRequest) -> HttpResponse:
    """The latest bulk acceptances in scope."""
    acts = [undo.undo_status(act, request.user) for act in undo.acts_of(request.user)[: undo.LATEST]]
    return page(request, "survey/review/bulk/bulk_acts.html", {"acts": acts})


@require_http_methods(["GET", "POST"])
@requires(Permission.REVIEW)
def review_bulk_act(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """A bulk acceptance, and its undo while that is possible."""
    act = get_object_or_404(undo.acts_of(request.user), pk=pk)
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            done = undo.undo_acceptance(act, by=request.user, reason=request.POST.get("reason", ""))
            count = done.undone - act.undone
        except PolicyDenied as refused:
            errors = [{"href": "#undo-reason", "text": refused.sentence}]
        else:
            messages.success(request, _("%(count)s sheets are back on the desk.") % {"count": count})
            return redirect("review_bulk_act", pk)
    context = {"status": undo.undo_status(act, request.user), "errors": errors}
    return page(request, "survey/review/bulk/bulk_act.html", context, status=409 if errors else 200)
