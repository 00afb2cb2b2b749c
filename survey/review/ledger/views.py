"""Pages about many sheets at once: the ledger of invalid ones, and checks across respondents."""

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.questionnaires.loader import load_codelist
from survey.review.filters import QueueFilter
from survey.review.ledger import selectors as ledger
from survey.review.ledger import services as macro_edits
from survey.review.selectors import place_name, round_of, rounds


@require_GET
@requires(Permission.VIEW_SHEETS)
def review_ledger(request: AuthenticatedRequest) -> HttpResponse:
    """Sheets ruled invalid with their reasons, beside the counts that tables 3 and 4 are made of."""
    user = request.user
    setting = QueueFilter.read(request.GET)
    known = rounds()
    round_ = round_of(setting, known)
    if round_ is None:
        raise Http404
    codes = [entry.code for entry in load_codelist("invalid_reasons").entries]
    reason = request.GET.get("reason", "")
    reason = reason if reason in codes else ""
    found = ledger.counts(user, round_)
    rows = ledger.entries(user, round_, category=setting.category, region=setting.region, reason=reason)
    context = {
        "round": round_,
        "rounds": known,
        "counts": found,
        "reason": reason,
        "setting": setting,
        "reasons": [(code, found.reasons[code]) for code in codes],
        "categories": sorted(found.categories.items()),
        "regions": [(code, place_name(code), tally) for code, tally in sorted(found.regions.items())],
        "page_obj": Paginator(rows, ledger.PAGE_SIZE).get_page(request.GET.get("page")),
    }
    return page(request, "survey/review/ledger/ledger.html", context)


@require_GET
@requires(Permission.VIEW_SHEETS)
def review_macro(request: AuthenticatedRequest) -> HttpResponse:
    """Where respondents of one's area contradict each other or copy."""
    user = request.user
    setting = QueueFilter.read(request.GET)
    round_ = round_of(setting, rounds())
    if round_ is None:
        raise Http404
    rule = request.GET.get("rule", "")
    rule = rule if rule in macro_edits.RULES else ""
    told = macro_edits.findings_of(request.user, round_, rule)
    look = round_.macro_looks.order_by("-at").first()
    context = {
        "round": round_,
        "rule": rule,
        "rules": macro_edits.RULES,
        "page_obj": Paginator(told, ledger.PAGE_SIZE).get_page(request.GET.get("page")),
        "looked": look.at if look else None,
        "may_see_changes": any(user.has(one) for one in (Permission.VIEW_ESTIMATES, Permission.REVIEW)),
    }
    return page(request, "survey/review/ledger/macro.html", context)
