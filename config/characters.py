"""Refuses requests with characters that PostgreSQL does not store, and bodies in another encoding than UTF-8.

Addresses and forms are read here, JSON bodies by ``config.parsers.StrictJSONParser``. Django decodes addresses and forms
as UTF-8 and replaces what is none, so that lone surrogates come in JSON only.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from config.errors import bad_request

FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


class CharactersMiddleware:
    """Answers 400 for a NUL in path, query or a form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or refuse what its address says."""
        query = str(request.META.get("QUERY_STRING", ""))
        if "\x00" in request.path_info or "%00" in query or "\x00" in query:
            return bad_request(request, BadRequest("NUL in the address"))
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Read the form, unless the view says itself which of its fields has such a character."""
        if (
            request.method != "POST"
            or request.content_type not in FORMS
            or getattr(view, "reports_characters", False)
        ):
            return None
        try:
            fields = request.POST.lists()
        except UnreadablePostError:  # the client has gone
            return bad_request(request, BadRequest("an incomplete body"))
        if any("\x00" in text for name, values in fields for text in (name, *values)):
            return bad_request(request, BadRequest("NUL in a form"))
        return None


type Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def names_another_charset(content_type: str) -> bool:
    """Whether a Content-Type names a character set other than UTF-8."""
    named = re.findall(r"charset[^=;]*=?([^;]*)", content_type, re.IGNORECASE)
    return any(name.strip().strip('"').lower() not in {"utf-8", "utf8"} for name in named)


class CharsetGuard:
    """WSGI application around Django that answers 415 for a character set other than UTF-8.

    Django decodes the query by it while it makes the request, before any middleware, and raises for names such as
    base64.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass the request on, or refuse it."""
        if not names_another_charset(str(environ.get("CONTENT_TYPE", ""))):
            return self.application(environ, start_response)
        body = json.dumps({"type": "about:blank", "title": "Only UTF-8 is read", "status": 415}).encode()
        headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
        start_response("415 Unsupported Media Type", headers)
        return [body]
