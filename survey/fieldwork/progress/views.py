"""The progress board and the list of missing sheets."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from survey.access.decorators import requires
from survey.access.models import User
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.collection.models import CollectionRound, ContactNote
from survey.fieldwork.progress import selectors as progress
from survey.fieldwork.progress.missing.selectors import CONTACTS, PAGE_SIZE, missing, with_contacts
from survey.questionnaires.loader import load_codelist
from survey.review.filters import QueueFilter
from survey.review.selectors import round_of, rounds
from survey.submissions.lifecycle.states import EDITABLE

TOP_MISSING = 10


def _missing(user: User, round_: CollectionRound, setting: QueueFilter, contact: str = "") -> Any:
    """Sheets that are due and not filed, in the user's scope."""
    state = "" if setting.state not in EDITABLE else setting.state
    return missing(
        user, round_, region=setting.region, category=setting.category, state=state, contact=contact
    )


@require_GET
@requires(Permission.MANAGE_UNITS)
def progress_missing(request: AuthenticatedRequest) -> HttpResponse:
    """The list of missing sheets, ranked by expected contribution."""
    setting = QueueFilter.read(request.GET)
    all_rounds = rounds()
    round_ = round_of(setting, all_rounds)
    if round_ is None:
        raise Http404
    contact = request.GET.get("contact", "")
    contact = contact if contact in CONTACTS else ""
    sheets = with_contacts(_missing(request.user, round_, setting, contact))
    context = {
        "contact": contact,
        "contacts": CONTACTS.items(),
        "outcomes": dict(ContactNote.Outcome.choices),
        "today": timezone.localdate(),
        "page_obj": Paginator(sheets, PAGE_SIZE).get_page(request.GET.get("page")),
        "setting": setting,
        "round": round_,
        "rounds": all_rounds,
        "categories": load_codelist("categories").entries,
        "states": sorted(EDITABLE),
    }
    return page(request, "survey/fieldwork/progress/missing.html", context)


@require_GET
@requires(Permission.VIEW_PROGRESS)
def progress_board(request: AuthenticatedRequest) -> HttpResponse:
    """The board by region and category; for one region or category with all measures."""
    setting = QueueFilter.read(request.GET)
    all_rounds = rounds()
    round_ = round_of(setting, all_rounds)
    if round_ is None:
        return page(request, "survey/fieldwork/progress/board.html", {"setting": setting})
    measure = request.GET.get("measure", "")
    measure = measure if measure in progress.MEASURES else "filed_rate"
    user = request.user
    board = progress.board(user, round_, region=setting.region, category=setting.category)
    to_ask = _missing(user, round_, setting, "due") if user.has(Permission.MANAGE_UNITS) else None
    context = {
        "to_ask": to_ask.count() if to_ask is not None else 0,
        "board": board,
        "setting": setting,
        "rounds": all_rounds,
        "measure": measure,
        "is_rate": measure in progress.RATES,
        "measures": progress.MEASURES.items(),
        "counts": progress.COUNTS.items(),
        "matrix": progress.matrix(board, measure, links=user.has(Permission.VIEW_SHEETS)),
        "by_region": progress.table(board, "region", links=user.has(Permission.VIEW_SHEETS)),
        "by_category": progress.table(board, "category", links=user.has(Permission.VIEW_SHEETS)),
        "total": progress.values(board.total),
        "curve": progress.curve_of(user, board, region=setting.region, category=setting.category),
        "missing": _missing(user, round_, setting)[:TOP_MISSING]
        if user.has(Permission.MANAGE_UNITS)
        else None,
    }
    return page(request, "survey/fieldwork/progress/board.html", context, partial="board")
