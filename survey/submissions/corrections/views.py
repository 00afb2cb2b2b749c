"""The respondent's page of proposed values."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.questionnaires.definition import Column, Item
from survey.questionnaires.selectors import definition_for
from survey.request_values import row_key
from survey.submissions import cells
from survey.submissions.comments.models import CorrectionSlip
from survey.submissions.comments.selectors import delivered_slips
from survey.submissions.corrections.services import answer_correction
from survey.submissions.models import Submission
from survey.submissions.page.figures import shown
from survey.submissions.selectors import sheets_of


@dataclass(frozen=True, slots=True)
class ProposedValue:
    """A proposed value beside the one that was filed, as the page shows them."""

    slip: CorrectionSlip
    item: Item
    filed: str
    proposed: str
    unit: str


def _as_shown(submission: Submission, slip: CorrectionSlip) -> ProposedValue:
    definition = definition_for(submission.assignment.version)
    item = definition.items[cells.item_of(slip.query.item)]
    column: Item | Column = cells.field_of(definition, slip.query.item) or item
    return ProposedValue(slip, item, shown(column, slip.filed), shown(column, slip.proposed), column.unit)


@require_http_methods(["GET", "POST"])
@requires(Permission.RESPOND)
def sheet_corrections(request: HttpRequest, pk: int) -> HttpResponse:
    """Proposed values beside the filed ones; the respondent confirms or refuses."""
    user: Any = request.user
    submission = get_object_or_404(sheets_of(user), pk=pk)
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        slip = row_key(request.POST.get("slip"))
        try:
            if slip is None:
                raise PolicyDenied(_("This proposal has been answered already."))
            answer_correction(
                submission,
                by=user,
                slip_id=slip,
                confirm=request.POST.get("answer") == "confirm",
                text=request.POST.get("text", ""),
            )
        except PolicyDenied as refused:
            errors = [{"href": f"#slip-{slip}" if slip is not None else "", "text": refused.sentence}]
        else:
            messages.success(request, _("Your answer to the proposal has been recorded."))
            return redirect("sheet_corrections", pk)
    context = {
        "submission": submission,
        "unit": submission.unit,
        "slips": [_as_shown(submission, slip) for slip in delivered_slips(submission)],
        "errors": errors,
    }
    return page(
        request, "survey/submissions/corrections/corrections.html", context, status=409 if errors else 200
    )
