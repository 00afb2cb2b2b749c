"""Files for the desks: request, progress, cancellation, download."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.fieldwork.exports import services as jobs
from survey.fieldwork.models import DeskJob
from survey.questionnaires.loader import load_codelist
from survey.review.filters import QueueFilter
from survey.review.selectors import round_of, rounds

PAGE_SIZE = 50
LATEST = 30


@require_http_methods(["GET", "POST"])
@requires(Permission.VIEW_SHEETS, Permission.MANAGE_UNITS)
def jobs_page(request: AuthenticatedRequest) -> HttpResponse:
    """The user's files with their progress; POST requests a file for a filter."""
    user = request.user
    setting = QueueFilter.read(request.POST if request.method == "POST" else request.GET)
    round_ = round_of(setting, rounds())
    errors: list[dict[str, Any]] = []
    if request.method == "POST" and round_ is not None:
        try:
            jobs.request_job(by=user, kind=request.POST.get("kind", ""), round_=round_, setting=setting)
        except PolicyDenied as refused:
            errors = [{"href": "#job-kind", "text": refused.sentence}]
        else:
            messages.success(request, _("The file is being made. You can leave this page."))
            return redirect("jobs")
    rows = list(jobs.jobs_of(user)[:LATEST])
    context = {
        "jobs": rows,
        "setting": setting,
        "round": round_,
        "errors": errors,
        "busy": any(row.job.is_open for row in rows),
        "categories": load_codelist("categories").entries,
        "kinds": [
            (code, label) for code, label in DeskJob.Kind.choices if user.has(jobs.permission_of(code))
        ],
    }
    return page(
        request, "survey/fieldwork/exports/jobs.html", context, partial="list", status=409 if errors else 200
    )


@require_POST
@requires(Permission.VIEW_SHEETS, Permission.MANAGE_UNITS)
def job_cancel(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Cancel a job of the user."""
    job = get_object_or_404(jobs.jobs_of(request.user), pk=pk)
    jobs.cancel_job(job, by=request.user)
    messages.success(request, _("The job stops at its next step."))
    return redirect("jobs")


@require_GET
@requires(Permission.VIEW_SHEETS, Permission.MANAGE_UNITS)
def job_file(request: AuthenticatedRequest, pk: int) -> HttpResponseBase:
    """Download a file of the user."""
    job = get_object_or_404(jobs.jobs_of(request.user), pk=pk)
    try:
        file = jobs.fetch_job(job, by=request.user)
    except PolicyDenied as refused:
        messages.error(request, str(refused.sentence))
        return redirect("jobs")
    return FileResponse(file, as_attachment=True, filename=job.name)
