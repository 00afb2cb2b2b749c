"""Files of a release for the people of the office, also before publication."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from estimation.releases.models import Release
from estimation.report import selectors, services
from estimation.report.files.file_groups import file_groups
from estimation.report.files.names import MANIFEST, media_type
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission


def _release(request: AuthenticatedRequest, pk: int) -> Release:
    return get_object_or_404(selectors.releases_visible_to(request.user), pk=pk)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def release_files(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Every file of a release with its size and hash."""
    release = _release(request, pk)
    manifest = selectors.manifest_of(release)
    context = {
        "release": release,
        "manifest": manifest,
        "manifest_name": MANIFEST,
        "shelves": file_groups(manifest["files"]) if manifest else [],
        "is_public": selectors.is_public(release),
    }
    return page(request, "estimation/report/files.html", context)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def release_file(request: AuthenticatedRequest, pk: int, name: str) -> HttpResponse:
    """One file as a download."""
    release = _release(request, pk)
    data = services.take_file(release, name, by=request.user)
    if data is None:
        raise Http404
    response = HttpResponse(data, content_type=media_type(name))
    disposition = content_disposition_header(as_attachment=True, filename=name.rpartition("/")[2])
    response.headers["Content-Disposition"] = disposition or "attachment"
    return response
