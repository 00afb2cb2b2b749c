"""The respondent's comparison with units of its industry and size, after publication."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from estimation.peers import selectors
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.submissions.models import Submission


@requires(Permission.RESPOND)
@require_GET
def peer_list(request: AuthenticatedRequest) -> HttpResponse:
    """List of the accepted sheets that can be compared."""
    return page(request, "estimation/peers/list.html", {"sheets": selectors.accepted_sheets(request.user)})


@requires(Permission.RESPOND)
@require_GET
def peer_sheet(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Own values beside the quartiles of the group; 404 before the round is published."""
    sheets = Submission.objects.visible_to(request.user, Permission.RESPOND).filter(state="accepted")
    sheet = get_object_or_404(sheets.select_related("unit", "round", "assignment__version"), pk=pk)
    table = selectors.table_of(sheet)
    rows = selectors.positions(sheet, table) if table else []
    if table is None or not rows:
        raise Http404
    context = {"sheet": sheet, "table": table, "rows": rows}
    return page(request, "estimation/peers/sheet.html", context)
