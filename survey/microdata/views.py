"""Item response of the frozen sets: what was answered, and why the rest was not."""

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
    """Counts by reason for every variable of a frozen set; sums only, no unit and no answer."""
    versions = list(selectors.frozen_versions())
    wanted = request.GET.get("version", "")
    version = next((one for one in versions if str(one.pk) == wanted), versions[0] if versions else None)
    if version is None:
        return page(request, "survey/microdata/item_response.html", {"version": None})
    categories = load_codelist("categories").entries
    category = request.GET.get("category", "")
    category = category if category in {entry.code for entry in categories} else ""
    order = request.GET.get("order", "")
    order = order if order in ORDERS else ORDERS[0]
    found = selectors.item_responses(version, category)
    context = {
        "version": version,
        "versions": versions,
        "category": category,
        "categories": categories,
        "order": order,
        "rows": _ordered(found, order),
        "unknown": sum(one.unknown for one in found),
        "answered": sum(one.answered for one in found),
        "not_applicable": sum(one.not_applicable for one in found),
    }
    return page(request, "survey/microdata/item_response.html", context)


def _ordered(found: list[selectors.Response], order: str) -> list[selectors.Response]:
    """By code, by the largest count of a reason, or the worst answered first."""
    if order == "code":
        return found
    if order == "share":
        return sorted(found, key=lambda one: (one.share is None, one.share or 0.0, one.variable.code))
    return sorted(found, key=lambda one: (-int(getattr(one, order)), one.variable.code))
