"""Defaults of the API: pagination, bodies of requests, and error bodies (RFC 9457)."""

import math
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

from survey.exceptions import StaleRevision, SurveyError


class PageNumbers(PageNumberPagination):
    """Fifty rows per page, at most 500 by ``page_size``."""

    page_size_query_param = "page_size"
    max_page_size = 500


DEEPEST = 40  # levels of lists and objects in a body
LARGEST = 10**60  # of a whole number: above it is no quantity, and a float does not hold every one


class StrictJSONParser(JSONParser):
    """JSON bodies without what cannot be stored or written again, which the answer names by its place."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body, or 400."""
        try:
            body = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The body is nested too deeply.")) from error
        if faults := dict(_faults(body)):
            raise ValidationError(faults)
        return body


def _faults(body: Any) -> Iterator[tuple[str, str]]:
    """(place, sentence) of the values that cannot be stored."""
    waiting: list[tuple[str, Any, int]] = [("", body, 0)]
    while waiting:
        place, value, depth = waiting.pop()
        if depth > DEEPEST:
            yield place[:200], _("The body is nested too deeply.")
        elif isinstance(value, str):
            if not _is_storable(value):
                yield place[:200], _("This text has a character that cannot be stored.")
        elif isinstance(value, float | int):
            if not (math.isfinite(value) if isinstance(value, float) else abs(value) < LARGEST):
                yield place[:200], _("This number is too large.")
        elif isinstance(value, dict):
            for name in value:
                if not _is_storable(name):
                    yield place[:200] or "body", _("A name has a character that cannot be stored.")
            waiting += [(f"{place}.{name}".lstrip("."), entry, depth + 1) for name, entry in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{place}.{at}".lstrip("."), entry, depth + 1) for at, entry in enumerate(value)]


def _is_storable(text: str) -> bool:
    return not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in text)


class ProblemResponse(Response):
    """A refusal: always JSON, also from an endpoint that answers in another format."""

    def __init__(self, body: dict[str, Any], status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body, status=status, headers=headers, content_type="application/problem+json")

    @property
    def rendered_content(self) -> str:
        """The body in JSON, whatever renderer was negotiated."""
        self["Content-Type"] = "application/problem+json"
        return str(JSONRenderer().render(self.data), "utf-8")


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
            "title": str(title or _("The request could not be understood.")),
            "status": response.status_code,
            "errors": detail if title is None else None,
        }
        return ProblemResponse(body, response.status_code, response.headers)
    return None
