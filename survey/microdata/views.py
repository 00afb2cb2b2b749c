"""The page of item response of frozen sets."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.microdata import selectors
from survey.questionnaires.loader import load_codelist

ORDERS = ("code", "unknown", "not_applicable", "share")


@requires(Permission.VIEW_ESTIMATES, Permission.DESIGN)
@require_GET
def item_response(request: HttpRequest) -> HttpResponse:
    """Counts by reason of every variable of a frozen set; aggregates only."""
    versions = list(selectors.frozen_versions())
    version_value = request.GET.get("version", "")
    version = next(
        (choice for choice in versions if str(choice.pk) == version_value), versions[0] if versions else None
    )
    if version is None:
        return page(request, "survey/microdata/item_response.html", {"version": None})
    categories = load_codelist("categories").entries
    category = request.GET.get("category", "")
    category = category if category in {entry.code for entry in categories} else ""
    order = request.GET.get("order", "")
    order = order if order in ORDERS else ORDERS[0]
    responses = selectors.item_responses(version, category)
    context = {
        "version": version,
        "versions": versions,
        "category": category,
        "categories": categories,
        "order": order,
        "rows": _ordered(responses, order),
        "unknown": sum(choice.unknown for choice in responses),
        "answered": sum(choice.answered for choice in responses),
        "not_applicable": sum(choice.not_applicable for choice in responses),
    }
    return page(request, "survey/microdata/item_response.html", context)


def _ordered(responses: list[selectors.Response], order: str) -> list[selectors.Response]:
    """Sorted by code, by the count of a reason in descending order, or by ascending share answered."""
    if order == "code":
        return responses
    if order == "share":
        return sorted(
            responses,
            key=lambda response: (response.share is None, response.share or 0.0, response.variable.code),
        )
    return sorted(responses, key=lambda response: (-int(getattr(response, order)), response.variable.code))
