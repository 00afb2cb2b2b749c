"""Pages of the ledger of invalid sheets and of the checks across respondents."""

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
from survey.review.selectors import region_name, round_of, rounds


@require_GET
@requires(Permission.VIEW_SHEETS)
def review_ledger(request: AuthenticatedRequest) -> HttpResponse:
    """Sheets ruled invalid with their reasons, with the counts of tables 3 and 4."""
    user = request.user
    setting = QueueFilter.read(request.GET)
    opened = rounds()
    round_ = round_of(setting, opened)
    if round_ is None:
        raise Http404
    codes = [entry.code for entry in load_codelist("invalid_reasons").entries]
    reason = request.GET.get("reason", "")
    reason = reason if reason in codes else ""
    counts = ledger.counts(user, round_)
    rows = ledger.entries(user, round_, category=setting.category, region=setting.region, reason=reason)
    context = {
        "round": round_,
        "rounds": opened,
        "counts": counts,
        "reason": reason,
        "setting": setting,
        "reasons": [(code, counts.reasons[code]) for code in codes],
        "categories": sorted(counts.categories.items()),
        "regions": [(code, region_name(code), tally) for code, tally in sorted(counts.regions.items())],
        "page_obj": Paginator(rows, ledger.PAGE_SIZE).get_page(request.GET.get("page")),
    }
    return page(request, "survey/review/ledger/ledger.html", context)


@require_GET
@requires(Permission.VIEW_SHEETS)
def review_macro(request: AuthenticatedRequest) -> HttpResponse:
    """Findings across respondents in scope."""
    user = request.user
    setting = QueueFilter.read(request.GET)
    round_ = round_of(setting, rounds())
    if round_ is None:
        raise Http404
    rule = request.GET.get("rule", "")
    rule = rule if rule in macro_edits.RULES else ""
    findings = macro_edits.findings_of(request.user, round_, rule)
    look = round_.macro_looks.order_by("-at").first()
    context = {
        "round": round_,
        "rule": rule,
        "rules": macro_edits.RULES,
        "page_obj": Paginator(findings, ledger.PAGE_SIZE).get_page(request.GET.get("page")),
        "looked": look.at if look else None,
        "may_see_changes": any(
            user.has(permission) for permission in (Permission.VIEW_ESTIMATES, Permission.REVIEW)
        ),
    }
    return page(request, "survey/review/ledger/macro.html", context)
