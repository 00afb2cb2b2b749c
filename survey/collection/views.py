"""Rounds for those who run them, units for those who look after them."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from survey.access.activation import issue_activation_code
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.collection import services
from survey.collection.forms import DispositionForm, ExemptionForm, ExtensionForm, RoundForm
from survey.collection.models import Assignment, CollectionRound, Disposition
from survey.collection.selectors import (
    PAGE_SIZE,
    assignments_of,
    national_counts,
    respondents_of,
    search_units,
)
from survey.exceptions import SurveyError
from survey.frame.contacts import contacts_of
from survey.questionnaires.loader import load_codelist

STATES = (
    "not_started", "in_progress", "returned", "submitted", "national_review", "accepted", "exempted",
    "invalidated",
)  # fmt: skip


@requires(Permission.DESIGN, Permission.VIEW_PROGRESS)
@require_GET
def rounds(request: HttpRequest) -> HttpResponse:
    """All rounds with their calendar."""
    rows = [(round_, national_counts(round_)) for round_ in CollectionRound.objects.all()]
    may_run = request.user.has(Permission.DESIGN)  # type: ignore[union-attr]  # signed in by decorator
    return page(request, "survey/collection/rounds.html", {"rows": rows, "may_run": may_run})


@requires(Permission.DESIGN)
def round_plan(request: HttpRequest) -> HttpResponse:
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
def round_detail(request: HttpRequest, year: int) -> HttpResponse:
    """One round: calendar, counts by disposition, by state and by category."""
    round_ = get_object_or_404(CollectionRound, year=year)
    counts = national_counts(round_)
    context = {
        "round": round_,
        "counts": counts,
        "dispositions": [(Disposition(code).label, n) for code, n in counts["dispositions"].items()],
        "states": [(code, counts["states"].get(code, 0)) for code in STATES],
        "may_run": request.user.has(Permission.DESIGN),  # type: ignore[union-attr]  # signed in by decorator
    }
    return page(request, "survey/collection/round.html", context)


@requires(Permission.DESIGN)
@require_POST
def round_state(request: HttpRequest, year: int) -> HttpResponse:
    """Open or close a round."""
    round_ = get_object_or_404(CollectionRound, year=year)
    act = services.open_round if request.POST.get("to") == "open" else services.close_round
    act(round_, by=request.user)
    messages.success(request, _("The state of the round has been changed."))
    return redirect("round_detail", year)


@requires(Permission.MANAGE_UNITS)
@require_GET
def unit_list(request: HttpRequest) -> HttpResponse:
    """The units of one's area, filtered; the filter is in the address and can be kept as a bookmark."""
    years = list(CollectionRound.objects.values_list("year", flat=True))
    given = {
        name: request.GET.get(name, "").strip() for name in ("query", "category", "state", "disposition")
    }
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdigit() and int(asked) in years else (years[0] if years else 0)
    found = search_units(request.user, year=year, **given)  # type: ignore[arg-type]  # signed in by decorator
    context = {
        "page_obj": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "given": given, "year": year, "years": years, "states": STATES,
        "dispositions": Disposition.choices, "categories": load_codelist("categories").entries,
    }  # fmt: skip
    return page(request, "survey/collection/units.html", context)


def _load(request: HttpRequest, pk: int) -> Assignment:
    """One assignment in the person's area, or 404."""
    return get_object_or_404(assignments_of(request.user), pk=pk)  # type: ignore[arg-type]  # signed in


@requires(Permission.MANAGE_UNITS)
@require_GET
def unit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One unit in one round: register, state, and what may be done about it."""
    return _show(request, _load(request, pk))


def _show(
    request: HttpRequest, assignment: Assignment, forms: dict[str, Any] | None = None, error: str = ""
) -> HttpResponse:
    codes = [(e.code, e.label.get(get_language() or "")) for e in load_codelist("exempt_reasons").entries]
    context = {
        "assignment": assignment, "unit": assignment.unit, "sheet": assignment.submission,
        "people": respondents_of(assignment),
        "contacts": contacts_of(assignment.unit),
        "others": assignments_of(request.user).filter(unit_id=assignment.unit_id),  # type: ignore[arg-type]
        "disposition_form": DispositionForm(initial={"disposition": assignment.disposition}),
        "extension_form": ExtensionForm(),
        "exemption_form": ExemptionForm(codes=codes),
        "errors": [{"href": "", "text": error}] if error else [],
    }  # fmt: skip
    return page(request, "survey/collection/unit.html", context | (forms or {}), status=422 if error else 200)


@requires(Permission.MANAGE_UNITS)
@require_POST
def unit_disposition(request: HttpRequest, pk: int) -> HttpResponse:
    """Record what became of asking the unit."""
    assignment, form = _load(request, pk), DispositionForm(request.POST)
    if not form.is_valid():
        return _show(
            request, assignment, {"disposition_form": form}, _("Check the disposition and the reason.")
        )
    try:
        services.record_disposition(assignment, by=request.user, **form.cleaned_data)
    except SurveyError as refusal:
        return _show(request, assignment, {"disposition_form": form}, str(refusal.sentence))
    messages.success(request, _("The disposition has been recorded."))
    return redirect("unit_detail", pk)


@requires(Permission.MANAGE_UNITS)
@require_POST
def unit_extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the unit more time."""
    assignment, form = _load(request, pk), ExtensionForm(request.POST)
    if not form.is_valid():
        return _show(request, assignment, {"extension_form": form}, _("Check the date and the reason."))
    try:
        services.extend(
            assignment, by=request.user, until=form.until_moment(), reason=form.cleaned_data["reason"]
        )
    except SurveyError as refusal:
        return _show(request, assignment, {"extension_form": form}, str(refusal.sentence))
    messages.success(request, _("The unit has been given more time."))
    return redirect("unit_detail", pk)


@requires(Permission.MANAGE_UNITS)
@require_POST
def unit_code(request: HttpRequest, pk: int) -> HttpResponse:
    """A new activation code for the unit's letter: shown once, on this answer only."""
    assignment = _load(request, pk)
    code = issue_activation_code(unit=assignment.unit, by=request.user)  # type: ignore[arg-type]  # signed in
    return _show(request, assignment, {"activation_code": code})
