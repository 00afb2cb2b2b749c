"""A reviewer proposes a value; the history of one item."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.questionnaires.selectors import definition_for
from survey.review.corrections import services as corrections
from survey.review.filters import carried
from survey.review.sheet.past import selectors as past
from survey.review.views import review_sheets, show_sheet
from survey.submissions import cells
from survey.submissions.models import Submission
from survey.submissions.selectors import SHEET_RELATIONS


@require_POST
@requires(Permission.REVIEW)
def review_propose(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Propose a value for one item; a refused proposal is redisplayed."""
    submission = get_object_or_404(review_sheets(request.user), pk=pk)
    values = {name: request.POST.get(name, "") for name in ("item", "value", "unit", "text")}
    try:
        corrections.propose_correction(submission, by=request.user, **values)
    except PolicyDenied as refused:
        errors = [{"href": f"#value-{values['item']}", "text": refused.sentence}]
        return show_sheet(request, submission, errors=errors, proposed=values)
    messages.success(
        request, _("Proposal added. The respondent confirms or refuses it once you return the sheet.")
    )
    query = carried(request.GET, request.GET.urlencode())
    item = cells.item_of(values["item"])
    address = redirect("review_sheet", pk)
    address["Location"] += (f"?{query}" if query else "") + f"#item-{item}"
    return address


@require_GET
@requires(Permission.VIEW_SHEETS)
def review_item(request: AuthenticatedRequest, pk: int, code: str) -> HttpResponse:
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
    return page(request, "survey/review/corrections/item.html", context)
