"""The page of explanations across sheets."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.questionnaires.loader import load_codelist
from survey.review.filters import QueueFilter
from survey.review.reasons.selectors import VERDICTS, reasons_of
from survey.review.selectors import round_of, rounds

PAGE_SIZE = 50


@require_GET
@requires(Permission.VIEW_SHEETS)
def review_reasons(request: AuthenticatedRequest) -> HttpResponse:
    """Explanations on the filed sheets in scope, by rule and verdict; by default those without a verdict."""
    user = request.user
    setting, opened = QueueFilter.read(request.GET), rounds()
    round_ = round_of(setting, opened)
    if round_ is None:
        raise Http404
    verdict = request.GET.get("verdict", "waiting")
    verdict = verdict if verdict in VERDICTS else "waiting"
    rows = reasons_of(user, round_, category=setting.category, verdict=verdict)
    rules = _rules(rows)
    rule = request.GET.get("rule", "")
    rule = rule if rule in dict(rules) else ""
    context = {
        "round": round_,
        "rounds": opened,
        "setting": setting,
        "verdict": verdict,
        "verdicts": VERDICTS.items(),
        "rule": rule,
        "rules": rules,
        "categories": load_codelist("categories").entries,
        "page_obj": Paginator(rows.filter(edit=rule) if rule else rows, PAGE_SIZE).get_page(
            request.GET.get("page")
        ),
    }
    return page(request, "survey/review/reasons/reasons.html", context)


def _rules(rows: "QuerySet[Any]") -> list[tuple[str, int]]:
    """Rules with the number of their reasons, most first."""
    counted = rows.order_by().values_list("edit").annotate(size=Count("pk"))
    return sorted(counted, key=lambda pair: (-pair[1], pair[0]))
