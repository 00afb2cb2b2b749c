"""Pages of the ledgers for the audit administrator."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.ledgers import selectors
from survey.ledgers.export import services as export
from survey.ledgers.forms import ExportForm
from survey.sentences import Sentence

LATEST = 20


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Permission.VIEW_AUDIT)
def ledgers(request: AuthenticatedRequest) -> HttpResponse:
    """How far the ledgers are sealed, the last verification, signed exports; POST requests one."""
    form = ExportForm(request.POST or None)
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        if form.is_valid():
            try:
                export.request_export(by=request.user, **form.cleaned_data)
            except PolicyDenied as refused:
                errors = [{"href": "#id_since", "text": refused.sentence}]
            else:
                messages.success(request, _("The file is being made. You can leave this page."))
                return redirect("audit_ledgers")
        else:
            errors = list(form.summary())
    verified = selectors.last_verification()
    context = {
        "form": form,
        "errors": errors,
        "ledgers": selectors.ledger_statuses(),
        "verified": verified,
        "faults": [Sentence.from_document(fault) for fault in verified.details["faults"]] if verified else [],
        "exports": export.exports_of()[:LATEST],
    }
    return page(request, "survey/ledgers/ledgers.html", context, status=409 if errors else 200)


@require_GET
@requires(Permission.VIEW_AUDIT)
def ledger_export(request: AuthenticatedRequest, pk: int) -> HttpResponseBase:
    """Download a signed export."""
    row = get_object_or_404(export.exports_of(), pk=pk)
    try:
        file = export.fetch_export(row, by=request.user)
    except PolicyDenied as refused:
        messages.error(request, str(refused.sentence))
        return redirect("audit_ledgers")
    return FileResponse(file, as_attachment=True, filename=f"audit-{row.since:%Y%m%d}-{row.pk}.zip")
