"""The page of rule statistics for designers."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.questionnaires.loader import load_codelist
from survey.submissions.paradata import selectors as rule_rates


@requires(Permission.DESIGN)
@require_GET
def rules(request: AuthenticatedRequest) -> HttpResponse:
    """Hit rates by rule and median times by section; aggregates only, no unit and no answer."""
    rounds = rule_rates.rounds_begun()
    round_ = rule_rates.round_of_year(request.GET.get("year", ""), rounds)
    if round_ is None:
        return page(request, "survey/submissions/paradata/rules.html", {"round": None})
    categories = load_codelist("categories").entries
    category = request.GET.get("category", "")
    category = category if category in {entry.code for entry in categories} else ""
    order = request.GET.get("order", "")
    order = order if order in rule_rates.ORDERS else rule_rates.ORDERS[0]
    begun = rule_rates.begun_by_form(request.user, round_, category)
    forms = rule_rates.definitions_of(begun)
    rates, never_fired = rule_rates.rates(request.user, round_, category, begun, forms)
    times = (
        rule_rates.section_times(request.user, round_, category, forms)
        if category
        else rule_rates.form_times(request.user, round_)
    )
    context = {
        "round": round_,
        "rounds": rounds,
        "category": category,
        "categories": categories,
        "order": order,
        "begun": sum(begun.values()),
        "rates": rule_rates.ordered(rates, order),
        "never_fired": never_fired,
        "stops": sum(rate.stops for rate in rates),
        "times": times,
    }
    return page(request, "survey/submissions/paradata/rules.html", context)
