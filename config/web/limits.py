"""What a request may bring, by route: one table, read by the application and by the proxy in front of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from config.errors import length_required, too_large
from survey.frame.parsing import LARGEST_FILE as LARGEST_FRAME
from survey.submissions.workbook.reading import LARGEST_FILE as LARGEST_WORKBOOK

KB, MB = 2**10, 2**20
# A form adds its other fields to a file. Files that are little too large still reach the view, which names the limit.
FORM = MB
LARGEST_EXTERNAL = 10 * MB
WITHOUT_SESSION = 64 * KB  # nobody who is not signed in has more to say than a form


@dataclass(frozen=True, slots=True)
class Route:
    """Paths with the same limits. ``pattern`` is a regular expression that Python and nginx both understand."""

    name: str
    pattern: str
    pool: str  # of config.web.pools: the web processes that answer it
    largest: int  # bytes of a body
    seconds: int  # that may pass between two parts of a body


@cache
def routes() -> tuple[Route, ...]:
    """The table; the first pattern that matches a path decides, and the last one matches every path."""
    evidence = settings.ATTACHMENT_LARGEST + FORM
    form = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return (
        Route("public", r"^/(zh|en)(/|$)", "web", KB, 5),
        Route("health", r"^/health/", "web", KB, 5),
        Route(
            "sign_in",
            r"^/(sign-in|activate|second-factor|password|guest/open)/",
            "sign_in",
            WITHOUT_SESSION,
            10,
        ),
        Route("workbook", r"^/sheets/[0-9]+/upload/$", "uploads", LARGEST_WORKBOOK + FORM, 20),
        Route(
            "evidence",
            r"^/(sheets/[0-9]+/evidence|units/[0-9]+/(evidence|exemption|disposition))/$",
            "uploads",
            evidence,
            20,
        ),
        Route("frame", r"^/frame/$", "uploads", LARGEST_FRAME + FORM, 20),
        Route("external", r"^/estimation/external/import/$", "uploads", LARGEST_EXTERNAL + FORM, 20),
        Route("forms", r"^/", "web", form, 10),
    )


def route_of(path: str) -> Route:
    """The limits of a path."""
    return next((route for route in routes() if re.match(route.pattern, path)), routes()[-1])


class BodyLimitMiddleware:
    """Refuses a body that is larger than its route allows before a byte of it is read.

    A body without a length is refused as well. The proxy reads such a body up to the limit of the route and
    sends it on with its length, so only those who go round the proxy meet this.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or refuse it in the language of the browser."""
        signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES
        chunked = "HTTP_TRANSFER_ENCODING" in request.META
        status = refusal(request.path_info, request.META.get("CONTENT_LENGTH", ""), signed_in, chunked)
        if not status:
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            return length_required(request) if status == 411 else too_large(request)


def refusal(path: str, length: str, signed_in: bool, chunked: bool) -> int:
    """Status that refuses a body of this length, or 0: 411 without a usable length, 413 over the limit."""
    if chunked or (length and not (length.isascii() and length.isdecimal() and len(length) < 19)):
        return 411
    largest = route_of(path).largest
    return 413 if int(length or 0) > (largest if signed_in else min(largest, WITHOUT_SESSION)) else 0
