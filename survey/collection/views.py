"""Pages of the rounds."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.collection import services
from survey.collection.forms import RoundForm
from survey.collection.hooks import round_counts
from survey.collection.models import CollectionRound, Disposition
from survey.exceptions import SurveyError


@requires(Permission.DESIGN, Permission.VIEW_PROGRESS)
@require_GET
def rounds(request: AuthenticatedRequest) -> HttpResponse:
    """All rounds with their calendar."""
    rows = [(round_, round_counts(round_)) for round_ in CollectionRound.objects.all()]
    may_run = request.user.has(Permission.DESIGN)
    return page(request, "survey/collection/rounds.html", {"rows": rows, "may_run": may_run})


@requires(Permission.DESIGN)
def round_plan(request: AuthenticatedRequest) -> HttpResponse:
    """Plan the next round: year and calendar."""
    last = CollectionRound.objects.order_by("-year").first()
    form = RoundForm(
        request.POST if request.method == "POST" else None, initial={"year": last.year + 1 if last else None}
    )
    errors: list[dict[str, Any]] = []
    if request.method == "POST" and form.is_valid():
        try:
            round_ = services.plan_round(by=request.user, **form.calendar())
        except SurveyError as refusal:
            errors = [{"href": "#id_year", "text": str(refusal.sentence)}]
        else:
            messages.success(request, _("The round has been planned. Its sample can be designed now."))
            return redirect("round_detail", round_.year)
    errors += [{"href": f"#id_{name}", "text": text} for name, texts in form.errors.items() for text in texts]
    context = {"form": form, "errors": errors}
    return page(request, "survey/collection/round_plan.html", context, status=422 if errors else 200)


@requires(Permission.DESIGN, Permission.VIEW_PROGRESS)
@require_GET
def round_detail(request: AuthenticatedRequest, year: int) -> HttpResponse:
    """One round: calendar, counts by disposition, by state and by category."""
    round_ = get_object_or_404(CollectionRound, year=year)
    counts = round_counts(round_)
    context = {
        "round": round_,
        "counts": counts,
        "dispositions": [(Disposition(code).label, n) for code, n in counts["dispositions"].items()],
        "states": list(counts["states"].items()),
        "may_run": request.user.has(Permission.DESIGN),
    }
    return page(request, "survey/collection/round.html", context)


@requires(Permission.DESIGN)
@require_POST
def round_state(request: AuthenticatedRequest, year: int) -> HttpResponse:
    """Open or close a round."""
    round_ = get_object_or_404(CollectionRound, year=year)
    act = services.open_round if request.POST.get("to") == "open" else services.close_round
    act(round_, by=request.user)
    messages.success(request, _("The state of the round has been changed."))
    return redirect("round_detail", year)
