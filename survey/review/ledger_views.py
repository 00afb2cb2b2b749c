"""The page of the ledger."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.questionnaires.loader import load_codelist
from survey.review import ledger
from survey.review.filters import QueueFilter
from survey.review.selectors import place_name, round_of, rounds


@require_GET
@requires(Permission.VIEW_SHEETS)
def review_ledger(request: HttpRequest) -> HttpResponse:
    """Sheets ruled invalid with their reasons, beside the counts that tables 3 and 4 are made of."""
    user: Any = request.user
    setting = QueueFilter.read(request.GET)
    known = rounds()
    round_ = round_of(setting, known)
    if round_ is None:
        raise Http404
    codes = [entry.code for entry in load_codelist("invalid_reasons").entries]
    reason = request.GET.get("reason", "")
    reason = reason if reason in codes else ""
    found = ledger.counts(user, round_)
    rows = ledger.entries(
        user, round_, category=setting.category, region=setting.region, reason=reason
    )  # fmt: skip
    context = {
        "round": round_, "rounds": known, "counts": found, "reason": reason, "setting": setting,
        "reasons": [(code, found.reasons[code]) for code in codes],
        "categories": sorted(found.categories.items()),
        "regions": [(code, place_name(code), tally) for code, tally in sorted(found.regions.items())],
        "page_obj": Paginator(rows, ledger.PAGE_SIZE).get_page(request.GET.get("page")),
    }  # fmt: skip
    return page(request, "survey/review/ledger.html", context)
