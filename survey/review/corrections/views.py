"""Both ends of a correction slip, and the history of one item."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.questionnaires.definition import Column, Item
from survey.questionnaires.selectors import definition_for
from survey.review.corrections import services as corrections
from survey.review.sheet import past
from survey.review.sheet.reading import shown
from survey.review.views import review_sheets, show_sheet
from survey.submissions import cells
from survey.submissions.comments.models import CorrectionSlip
from survey.submissions.models import Submission
from survey.submissions.selectors import SHEET_RELATIONS


@dataclass(frozen=True, slots=True)
class Shown:
    """A slip as both sides read it."""

    slip: CorrectionSlip
    item: Item
    filed: str
    proposed: str
    unit: str


def _told(submission: Submission, slip: CorrectionSlip) -> Shown:
    definition = definition_for(submission.assignment.version)
    item = definition.items[cells.item_of(slip.query.item)]
    place: Item | Column = cells.field_of(definition, slip.query.item) or item
    return Shown(slip, item, shown(place, slip.filed), shown(place, slip.proposed), place.unit)


@require_POST
@requires(Permission.REVIEW)
def review_propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose a value for one item; a refused proposal comes back as it was typed."""
    submission = get_object_or_404(review_sheets(request.user), pk=pk)
    given = {name: request.POST.get(name, "") for name in ("item", "value", "unit", "text")}
    try:
        corrections.propose_correction(submission, by=request.user, **given)
    except PolicyDenied as refused:
        errors = [{"href": f"#value-{given['item']}", "text": refused.sentence}]
        return show_sheet(request, submission, errors=errors, proposed=given)
    messages.success(
        request, _("Proposal added. The respondent confirms or refuses it once you return the sheet.")
    )
    query = request.GET.urlencode()
    item = cells.item_of(given["item"])
    address = redirect("review_sheet", pk)
    address["Location"] += (f"?{query}" if query else "") + f"#item-{item}"
    return address


@require_http_methods(["GET", "POST"])
@requires(Permission.RESPOND)
def sheet_corrections(request: HttpRequest, pk: int) -> HttpResponse:
    """The respondent's page: what was proposed, beside what was filed; confirm or refuse."""
    rows = Submission.objects.visible_to(request.user, Permission.RESPOND).select_related(*SHEET_RELATIONS)
    submission = get_object_or_404(rows.defer("assignment__version__document"), pk=pk)
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        slip = request.POST.get("slip", "")
        try:
            if not (slip.isascii() and slip.isdigit()):
                raise PolicyDenied(_("This proposal has been answered already."))
            corrections.answer_correction(
                submission,
                by=request.user,
                slip_id=int(slip[:12]),
                confirm=request.POST.get("answer") == "confirm",
                text=request.POST.get("text", ""),
            )
        except PolicyDenied as refused:
            errors = [{"href": f"#slip-{slip}" if slip.isdigit() else "", "text": refused.sentence}]
        else:
            messages.success(request, _("Your answer to the proposal has been recorded."))
            return redirect("sheet_corrections", pk)
    told = [_told(submission, slip) for slip in corrections.told_slips(submission)]
    context = {"submission": submission, "unit": submission.unit, "slips": told, "errors": errors}
    return page(request, "survey/review/corrections.html", context, status=409 if errors else 200)


@require_GET
@requires(Permission.VIEW_SHEETS)
def review_item(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """One item over the rounds, the filed versions and the events of a sheet."""
    rows = Submission.objects.visible_to(request.user, Permission.VIEW_SHEETS).exclude(filed_at=None)
    submission = get_object_or_404(rows.select_related(*SHEET_RELATIONS), pk=pk)
    item = definition_for(submission.assignment.version).items.get(code)
    if item is None:
        raise Http404
    context = {
        "submission": submission,
        "unit": submission.unit,
        "item": item,
        "past": past.of_item(submission, item),
    }
    return page(request, "survey/review/item.html", context)
