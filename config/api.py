"""Defaults of the API: pagination and error bodies (RFC 9457)."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from survey.exceptions import StaleRevision, SurveyError


class PageNumbers(PageNumberPagination):
    """Fifty rows per page, at most 500 by ``page_size``."""

    page_size_query_param = "page_size"
    max_page_size = 500


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF exception handler: every error as ``application/problem+json`` in the active language."""
    if isinstance(error, SurveyError):
        body: dict[str, Any] = {
            "type": f"urn:problem:{type(error).__name__}",
            "title": str(error.sentence),
            "status": error.status,
        }
        if isinstance(error, StaleRevision):
            body["conflicts"] = error.conflicts
        return Response(body, status=error.status, content_type="application/problem+json")
    response = exception_handler(error, context)
    if response is not None:
        detail = response.data
        title = detail.get("detail") if isinstance(detail, dict) else None
        response.data = {
            "type": f"urn:problem:{type(error).__name__}",
            "title": str(title or _("The request could not be understood.")),
            "status": response.status_code,
            "errors": detail if title is None else None,
        }
        response.content_type = "application/problem+json"
    return response
