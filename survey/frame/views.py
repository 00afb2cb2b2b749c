"""Pages of the frame: units and counts, imports with their check, files for download."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from survey import audit
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import SurveyError
from survey.frame import selectors, services
from survey.frame.columns import COLUMNS
from survey.frame.files import CONTENT_TYPES, csv_bytes, template_bytes
from survey.frame.forms import UploadForm
from survey.frame.messages import column_name, failure, sentence
from survey.frame.models import FrameImport

P = Permission.DESIGN_SAMPLE
State = FrameImport.State
ACTIVE = (*services.WAITING, *services.WORKING)
TONES = {"applied": "good", "failed": "bad", "cancelled": "neutral", "checked": "warn"}


@requires(P)
def frame(request: AuthenticatedRequest) -> HttpResponse:
    """Summary of the frame, upload form, and imports."""
    posted = request.method == "POST"
    form = UploadForm(request.POST if posted else None, request.FILES if posted else None)
    if posted and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            row = services.upload_frame(
                by=request.user,
                kind=form.cleaned_data["kind"],
                name=file.name,
                content=file.read(),
                complete=form.cleaned_data["complete"],
            )
            if not services.proceed(row):
                messages.warning(
                    request, _("The file is kept. Its check starts when the task queue is back.")
                )
            return redirect("frame_import", row.pk)
        except SurveyError as refusal:
            form.add_error("file", str(refusal.sentence))
    errors = [{"href": f"#id_{name}", "text": text} for name, texts in form.errors.items() for text in texts]
    context = {
        "form": form,
        "errors": errors,
        **selectors.frame_summary(request.user, P),
        "imports": [(row, TONES.get(row.state, "info")) for row in selectors.imports()[:10]],
        "changes": selectors.recent_changes(request.user, P)[:12],
        "templates": [(kind.value, kind.label) for kind in FrameImport.Kind],
        "formats": list(CONTENT_TYPES),
    }
    return page(request, "survey/frame/frame.html", context, status=422 if errors else 200)


def _load(pk: int) -> FrameImport:
    """One import without its bytes."""
    return get_object_or_404(
        FrameImport.objects.select_related("uploaded_by", "applied_by", "job").defer("content"), pk=pk
    )


def _context(request: HttpRequest, row: FrameImport) -> dict[str, Any]:
    findings_page = Paginator(row.findings, 50).get_page(request.GET.get("page"))
    return {
        "row": row,
        "active": row.state in ACTIVE,
        "tone": TONES.get(row.state, "info"),
        "page": findings_page,
        "findings": [
            (line, column_name(column), value, sentence(code, parameters))
            for line, column, value, code, parameters in findings_page.object_list
        ],
        "changed": [
            (key, name, [(column_name(field), old, new) for field, old, new in fields])
            for key, name, fields in row.changes[:20]
        ],
        "fields": [(column_name(field), count) for field, count in row.summary.fields.items()],
        "failure": failure(row.job.error),
        "may_apply": row.state == State.CHECKED and not row.summary.faults,
        "nothing": row.summary.changes_nothing,
    }


@requires(P)
@require_GET
def frame_import(request: HttpRequest, pk: int) -> HttpResponse:
    """An import: progress, findings of the check, changes."""
    row = _load(pk)
    return page(request, "survey/frame/import.html", _context(request, row))


@requires(P)
@require_GET
def frame_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress of an import; refreshes the whole page when it has ended."""
    row = _load(pk)
    response = page(request, "survey/frame/import.html", _context(request, row), partial="progress")
    if row.state not in ACTIVE and getattr(request, "htmx", None):
        response.headers["HX-Refresh"] = "true"
    return response


@requires(P)
@require_POST
def frame_apply(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Apply exactly the file that was checked."""
    row = services.confirm_import(_load(pk), by=request.user, sha256=request.POST.get("sha256", ""))
    if row.state == State.CONFIRMED and not services.proceed(row):
        messages.warning(request, _("The file is kept. It is applied when the task queue is back."))
    return redirect("frame_import", pk)


@requires(P)
@require_POST
def frame_cancel(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Cancel an import."""
    services.cancel_import(_load(pk), by=request.user)
    messages.success(request, _("The import has been cancelled. Nothing was changed."))
    return redirect("frame_import", pk)


@requires(P)
@require_GET
def frame_errors(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The faults as a file: line, column, value, sentence."""
    row = _load(pk)
    lines = [[_("Line"), _("Column"), _("Value"), _("What is wrong")]]
    lines += [
        [str(line), column_name(column), value, sentence(code, parameters)]
        for line, column, value, code, parameters in row.findings
    ]
    audit.record(by=request.user, action="frame_errors_downloaded", subject=row, rows=len(row.findings))
    return _file(csv_bytes(lines), "csv", f"frame-{row.pk}-faults")


@requires(P)
@require_GET
def frame_template(request: HttpRequest, kind: str, form: str) -> HttpResponse:
    """A file template."""
    if kind not in COLUMNS or form not in CONTENT_TYPES:
        raise Http404
    return _file(template_bytes(kind, form), form, f"frame-{kind}")


def _file(content: bytes, form: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=CONTENT_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response
