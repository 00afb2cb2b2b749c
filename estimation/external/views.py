"""Pages of external series: list, entry, approval, import of a file."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from estimation.external import services as external
from estimation.external.forms import ExternalForm, ImportForm
from estimation.external.models import ExternalFile, ExternalSeries
from survey.access.decorators import requires
from survey.access.models import User
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied, SurveyError


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def external_list(request: AuthenticatedRequest) -> HttpResponse:
    """Every version, newest first, with the persons who entered and approved it."""
    rows = ExternalSeries.objects.select_related("entered_by", "approved_by")
    return page(
        request,
        "estimation/external/list.html",
        {
            "rows": rows.order_by("code", "-year", "-version"),
            "may_enter": may(request.user, Permission.RUN_ESTIMATION),
            "may_approve": _may_approve(request.user),
            "waiting": rows.filter(approved_at=None).count(),
        },
    )


def _may_approve(user: User) -> bool:
    return may(user, Permission.RUN_ESTIMATION) or may(user, Permission.PUBLISH)


@requires(Permission.RUN_ESTIMATION)
@require_http_methods(["GET", "POST"])
def external_new(request: AuthenticatedRequest) -> HttpResponse:
    """Enter a value."""
    form = ExternalForm(request.POST or None, language=get_language() or "zh")
    if request.method == "POST" and form.is_valid():
        try:
            row = external.enter_value(by=request.user, **form.cleaned_data)
        except PolicyDenied as refusal:
            form.add_error(None, str(refusal.sentence))
        else:
            messages.success(
                request,
                _("%(code)s %(year)s is entered as version %(version)s and waits for approval.")
                % {"code": row.code, "year": row.year, "version": row.version},
            )
            return redirect("external_list")
    status = 422 if request.method == "POST" else 200
    return page(request, "estimation/external/new.html", {"form": form}, status=status)


@requires(Permission.RUN_ESTIMATION, Permission.PUBLISH)
@require_POST
def external_approve(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Approve a version."""
    row = get_object_or_404(ExternalSeries, pk=pk)
    try:
        external.approve_value(row, by=request.user)
    except PolicyDenied as refusal:
        messages.error(request, str(refusal.sentence))
    else:
        messages.success(request, _("Approved; runs use it from now on."))
    return redirect("external_list")


@requires(Permission.RUN_ESTIMATION)
@require_http_methods(["GET", "POST"])
def external_import(request: AuthenticatedRequest) -> HttpResponse:
    """Upload a file; a readable file is stored and displayed before it is entered."""
    form, refused = ImportForm(request.POST or None, request.FILES or None), ""
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            stored = external.keep_file(name=file.name, content=file.read(), by=request.user)
            return redirect("external_file", stored.pk)
        except SurveyError as refusal:
            refused = str(refusal.sentence)
    return page(
        request,
        "estimation/external/import.html",
        {"form": form, "refused": refused, "columns": external.COLUMNS},
        status=422 if request.method == "POST" else 200,
    )


@requires(Permission.RUN_ESTIMATION)
@require_http_methods(["GET", "POST"])
def external_file(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The effect of a stored file; entering it uses the displayed bytes."""
    file, refused = get_object_or_404(ExternalFile, pk=pk), ""
    if request.method == "POST":
        try:
            entered = external.enter_file(file, sha256=request.POST.get("sha256", ""), by=request.user)
        except PolicyDenied as refusal:
            refused = str(refusal.sentence)
        else:
            messages.success(
                request, _("%(count)s values are entered and wait for approval.") % {"count": len(entered)}
            )
            return redirect("external_list")
    rows = external.rows_of(file)
    return page(
        request,
        "estimation/external/file.html",
        {
            "file": file,
            "rows": rows,
            "refused": refused,
            "changes": sum(row.changes for row in rows),
            "faulty": sum(bool(row.fault) for row in rows),
        },
        status=422 if refused else 200,
    )
