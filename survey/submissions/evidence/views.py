"""Evidence of a sheet: list, upload, download, removal."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.web.headers import SANDBOX
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied, SurveyError
from survey.submissions.evidence import selectors
from survey.submissions.evidence import services as evidence
from survey.submissions.evidence.file_kinds import KINDS
from survey.submissions.page.views import frame, load
from survey.submissions.selectors import sheet_of


@requires(Permission.RESPOND)
@require_http_methods(["GET", "POST"])
def sheet_evidence(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The files of a sheet, and a form for one more."""
    submission = load(request, pk)
    errors = []
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise PolicyDenied(_("Choose a file."))
            if (file.size or 0) > settings.ATTACHMENT_LARGEST:
                raise PolicyDenied(_("The file is too large."))
            evidence.attach(
                submission,
                by=request.user,
                name=file.name or "",
                data=file.read(),
                note=request.POST.get("note", ""),
                item=request.POST.get("item", ""),
            )
            messages.success(request, _("The file is stored."))
            return redirect("sheet_evidence", pk)
        except SurveyError as refusal:
            errors = [{"href": "#id_file", "text": str(refusal.sentence)}]
    targets = selectors.evidence_targets(submission)
    names = dict(targets)
    files = selectors.attachments_of(submission).select_related("uploaded_by")
    context = frame(request, sheet_of(submission)) | {
        "rows": [(row, names.get(row.item)) for row in files],
        "targets": targets,
        "chosen": request.POST.get("item", request.GET.get("item", "")),
        "errors": errors,
        "largest": settings.ATTACHMENT_LARGEST // 2**20,
        "quota": settings.ATTACHMENT_QUOTA // 2**20,
    }
    return page(request, "survey/submissions/evidence/evidence.html", context, status=422 if errors else 200)


@requires(Permission.RESPOND)
@require_POST
def evidence_remove(request: AuthenticatedRequest, pk: int, attachment: int) -> HttpResponse:
    """Remove a file."""
    evidence.remove(load(request, pk), by=request.user, attachment_id=attachment)
    messages.success(request, _("The file has been removed."))
    return redirect("sheet_evidence", pk)


@requires(Permission.RESPOND, Permission.VIEW_SHEETS)
@require_GET
def evidence_file(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Download of a file, as an attachment that browsers do not display; ``?picture`` converts a photograph to JPEG."""
    rows = selectors.files_of(request.user).select_related("submission__unit__review_region")
    attachment = get_object_or_404(rows, pk=pk)
    kind, name = attachment.kind, attachment.name
    if kind == "heic" and "picture" in request.GET:
        content = evidence.picture_of(attachment, by=request.user)
        kind, name = "jpeg", f"{name.removesuffix(KINDS[kind][1])}{KINDS['jpeg'][1]}"
    else:
        content = evidence.readable(attachment, by=request.user)
    response = HttpResponse(content, content_type=KINDS[kind][0])
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = SANDBOX
    return response
