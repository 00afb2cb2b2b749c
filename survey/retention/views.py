"""Page of the periods, the holds and the reports of sweeps, for the audit administrator."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.retention import selectors
from survey.retention.forms import HoldForm
from survey.retention.holds import services as holds
from survey.retention.periods import KINDS

LATEST = 30


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Permission.VIEW_AUDIT)
def retention(request: AuthenticatedRequest) -> HttpResponse:
    """The table, the holds and the reports; POST sets a hold."""
    form = HoldForm(request.POST or None)
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        if form.is_valid():
            try:
                holds.set_hold(by=request.user, **form.cleaned_data)
            except PolicyDenied as refused:
                errors = [{"href": "#id_reason", "text": refused.sentence}]
            else:
                messages.success(request, _("The hold is in force."))
                return redirect("audit_retention")
        else:
            errors = list(form.summary())
    labels = {kind.code: kind.label for kind in KINDS}
    reports = [
        (report, [(labels[code], count, report.held[code]) for code, count in report.removed.items()])
        for report in selectors.reports()[:LATEST]
    ]
    context = {
        "form": form,
        "errors": errors,
        "periods": selectors.periods(),
        "holds": [(hold, labels.get(hold.kind, "")) for hold in selectors.holds()[:LATEST]],
        "reports": reports,
    }
    return page(request, "survey/retention/retention.html", context, status=409 if errors else 200)


@require_POST
@requires(Permission.VIEW_AUDIT)
def hold_end(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """End a hold."""
    hold = get_object_or_404(selectors.holds(), pk=pk)
    try:
        holds.end_hold(hold, by=request.user)
    except PolicyDenied as refused:
        messages.error(request, str(refused.sentence))
    else:
        messages.success(request, _("The hold has ended."))
    return redirect("audit_retention")
