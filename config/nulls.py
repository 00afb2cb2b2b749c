"""Refuses addresses with a NUL character, which PostgreSQL does not accept in text."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from config.errors import bad_request


class NullMiddleware:
    """Answers 400 for a NUL in path or query; those of forms are refused by their fields."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or refuse it."""
        query = str(request.META.get("QUERY_STRING", ""))
        if "\x00" in request.path_info or "%00" in query or "\x00" in query:
            return bad_request(request, BadRequest("NUL in the address"))
        return self.get_response(request)
