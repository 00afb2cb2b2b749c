"""Pages about many sheets at once: bulk acceptance and the progress board."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied, StaleRevision
from survey.review import bulk, progress
from survey.review.filters import QueueFilter
from survey.review.selectors import round_of, rounds


@require_http_methods(["GET", "POST"])
@requires(Permission.REVIEW)
def review_bulk(request: HttpRequest) -> HttpResponse:
    """Preview of a bulk acceptance, and the confirmation of exactly that."""
    setting = QueueFilter.read(request.GET)
    round_ = round_of(setting, rounds())
    if round_ is None:
        raise Http404
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        expected, mark = request.POST.get("expected", ""), request.POST.get("mark", "")
        try:
            if not (expected.isascii() and expected.isdigit()) or not request.POST.get("confirm"):
                raise PolicyDenied(_("Tick that you have read the preview, then accept."))
            act = bulk.bulk_accept(
                by=request.user, round=round_, setting=setting, expected=int(expected[:9]), mark=mark
            )
        except (PolicyDenied, StaleRevision) as refused:
            errors = [{"href": "#confirm", "text": refused.sentence}]
        else:
            said = _("%(accepted)s sheets accepted, %(skipped)s left in the queue.")
            messages.success(request, said % {"accepted": act.accepted, "skipped": act.skipped})
            return redirect(f"{reverse('review_queue')}?{setting.encoded}".rstrip("?"))
    shown = bulk.preview(request.user, round_, setting)
    context = {"preview": shown, "setting": setting, "errors": errors}
    return page(request, "survey/review/bulk.html", context, status=409 if errors else 200)


@require_GET
@requires(Permission.VIEW_PROGRESS)
def progress_board(request: HttpRequest) -> HttpResponse:
    """Region by category; a region or a category alone shows all its measures."""
    setting = QueueFilter.read(request.GET)
    known = rounds()
    round_ = round_of(setting, known)
    if round_ is None:
        return page(request, "survey/review/board.html", {"setting": setting})
    measure = request.GET.get("measure", "")
    measure = measure if measure in progress.MEASURES else "filed_rate"
    user: Any = request.user
    found = progress.board(user, round_, region=setting.region, category=setting.category)
    context = {
        "board": found, "setting": setting, "rounds": known, "measure": measure,
        "measures": progress.MEASURES.items(), "counts": progress.COUNTS.items(),
        "matrix": progress.matrix(found, measure, links=user.has(Permission.VIEW_SHEETS)),
        "by_region": progress.table(found, "region", links=user.has(Permission.VIEW_SHEETS)),
        "by_category": progress.table(found, "category", links=user.has(Permission.VIEW_SHEETS)),
        "total": progress.values(found.total),
    }  # fmt: skip
    return page(request, "survey/review/board.html", context, partial="board")
