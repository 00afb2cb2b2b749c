"""Defaults of the API: pagination and error bodies (RFC 9457)."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from survey.exceptions import StaleRevision, SurveyError
from survey.request_values import whole_number


class PageNumbers(PageNumberPagination):
    """Fifty rows per page, at most 500 by ``page_size``. What is no number above zero is 404, as a page that does not exist."""

    page_size_query_param = "page_size"
    max_page_size = 500

    def get_page_number(self, request: Request, paginator: Any) -> int | str:
        """The page of the query; an empty text names none."""
        if request.query_params.get(self.page_query_param) == "":
            raise NotFound
        return super().get_page_number(request, paginator)

    def get_page_size(self, request: Request) -> int | None:
        """The rows of a page that the query asks for."""
        asked = request.query_params.get("page_size")
        if asked is not None and not whole_number(asked):
            raise NotFound
        return super().get_page_size(request)


class ProblemResponse(Response):
    """A refusal: always JSON, also from an endpoint that answers in another format."""

    def __init__(self, body: dict[str, Any], status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body, status=status, headers=headers, content_type="application/problem+json")

    @property
    def rendered_content(self) -> str:
        """The body in JSON, whatever renderer was negotiated."""
        self["Content-Type"] = "application/problem+json"
        return str(JSONRenderer().render(self.data), "utf-8")


def _untitled(status: int) -> str:
    return _("A value is refused.") if status == 422 else _("The request could not be understood.")


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
        return ProblemResponse(body, error.status)
    response = exception_handler(error, context)
    if response is not None:
        detail = response.data
        title = detail.get("detail") if isinstance(detail, dict) else None
        body = {
            "type": f"urn:problem:{type(error).__name__}",
            "title": str(title or _untitled(response.status_code)),
            "status": response.status_code,
            "errors": detail if title is None else None,
        }
        return ProblemResponse(body, response.status_code, response.headers)
    return None
