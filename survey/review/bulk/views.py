"""Pages about many sheets at once: bulk acceptance and the progress board."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.collection.models import CollectionRound, ContactNote
from survey.exceptions import PolicyDenied, StaleRevision
from survey.fieldwork.progress import selectors as progress
from survey.fieldwork.progress.missing import CONTACTS, PAGE_SIZE, missing, with_contacts
from survey.questionnaires.loader import load_codelist
from survey.review.bulk import services as bulk
from survey.review.bulk import undo
from survey.review.bulk.whatif import what_if
from survey.review.filters import QueueFilter
from survey.review.scores.remaining import remaining
from survey.review.selectors import round_of, rounds
from survey.submissions.lifecycle.states import EDITABLE

TOP_MISSING = 10


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
            return redirect("review_bulk_act", act.pk)
    shown = bulk.preview(request.user, round_, setting)
    context = {
        "preview": shown,
        "setting": setting,
        "errors": errors,
        "moves": what_if(round_, shown.ids),
    }
    return page(request, "survey/review/bulk.html", context, status=409 if errors else 200)


@require_GET
@requires(Permission.REVIEW)
def review_remaining(request: HttpRequest) -> HttpResponse:
    """How far down the queue it pays to look, for the nation and by region."""
    round_ = round_of(QueueFilter.read(request.GET), rounds())
    lanes = remaining(request.user, round_) if round_ else []
    context = {"round": round_, "lanes": lanes, "part": settings.EDITING_STOP_SHARE * 100}
    return page(request, "survey/review/remaining.html", context)


@require_GET
@requires(Permission.REVIEW)
def review_bulk_acts(request: HttpRequest) -> HttpResponse:
    """The latest acts that accepted many sheets of one's area."""
    acts = [undo.standing(act, request.user) for act in undo.acts_of(request.user)[: undo.LATEST]]
    return page(request, "survey/review/bulk_acts.html", {"acts": acts})


@require_http_methods(["GET", "POST"])
@requires(Permission.REVIEW)
def review_bulk_act(request: HttpRequest, pk: int) -> HttpResponse:
    """One act: what it accepted, and taking it back while that is possible."""
    act = get_object_or_404(undo.acts_of(request.user), pk=pk)
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            done = undo.undo_acceptance(act, by=request.user, reason=request.POST.get("reason", ""))
        except PolicyDenied as refused:
            errors = [{"href": "#undo-reason", "text": refused.sentence}]
        else:
            messages.success(request, _("%(count)s sheets are back on the desk.") % {"count": done.undone})
            return redirect("review_bulk_act", pk)
    context = {"one": undo.standing(act, request.user), "errors": errors}
    return page(request, "survey/review/bulk_act.html", context, status=409 if errors else 200)


def _missing(user: Any, round_: CollectionRound, setting: QueueFilter, contact: str = "") -> Any:
    """Who is missing, for those who may know the units by name."""
    state = "" if setting.state not in EDITABLE else setting.state
    return missing(
        user, round_, region=setting.region, category=setting.category, state=state, contact=contact
    )


@require_GET
@requires(Permission.MANAGE_UNITS)
def progress_missing(request: HttpRequest) -> HttpResponse:
    """The units that still owe their sheet, ranked by what they would contribute."""
    setting = QueueFilter.read(request.GET)
    known = rounds()
    round_ = round_of(setting, known)
    if round_ is None:
        raise Http404
    contact = request.GET.get("contact", "")
    contact = contact if contact in CONTACTS else ""
    found = with_contacts(_missing(request.user, round_, setting, contact))
    context = {
        "contact": contact,
        "contacts": CONTACTS.items(),
        "outcomes": dict(ContactNote.Outcome.choices),
        "today": timezone.localdate(),
        "page_obj": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "setting": setting,
        "round": round_,
        "rounds": known,
        "categories": load_codelist("categories").entries,
        "states": sorted(EDITABLE),
    }
    return page(request, "survey/review/missing.html", context)


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
    to_ask = _missing(user, round_, setting, "due") if user.has(Permission.MANAGE_UNITS) else None
    context = {
        "to_ask": to_ask.count() if to_ask is not None else 0,
        "board": found,
        "setting": setting,
        "rounds": known,
        "measure": measure,
        "measures": progress.MEASURES.items(),
        "counts": progress.COUNTS.items(),
        "matrix": progress.matrix(found, measure, links=user.has(Permission.VIEW_SHEETS)),
        "by_region": progress.table(found, "region", links=user.has(Permission.VIEW_SHEETS)),
        "by_category": progress.table(found, "category", links=user.has(Permission.VIEW_SHEETS)),
        "total": progress.values(found.total),
        "curve": progress.curve_of(user, found, region=setting.region, category=setting.category),
        "missing": _missing(user, round_, setting)[:TOP_MISSING]
        if user.has(Permission.MANAGE_UNITS)
        else None,
    }
    return page(request, "survey/review/board.html", context, partial="board")
