"""The public site is served from memory, before sessions, sign-in and the database are touched.

A page is rendered once for everybody, as for an anonymous reader without cookies, and cached until a release changes.
While PostgreSQL is unavailable, cached pages are still served. The middleware does not decide what is public:
the views read published releases only.
"""

import time
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from config.errors import OUTAGES
from estimation.public.addresses import PARAMETERS, is_public
from estimation.public.page_cache import Page, PageCache
from estimation.public.selectors import fingerprint
from survey import clock

LONGEST = 60  # seconds that a browser or a shared cache may use a page without revalidation
STALE = 600  # seconds that they may serve it during revalidation


class PublicPages:
    """Answers public addresses from the cache; other requests pass through."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.cache = PageCache()
        self._known: tuple[float, str, datetime | None] | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """A cached page, or a new one that is stored."""
        if request.method not in ("GET", "HEAD") or not is_public(request.path_info):
            return self.get_response(request)
        request.get_host()  # DisallowedHost: a kept page is not for another name either
        response = self._published(request)
        # Pictures of a release may stand on the pages of others.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    def _published(self, request: HttpRequest) -> HttpResponse:
        stamp, embargo = self._fingerprint()
        address = _address(request)
        page = self.cache.find(stamp, address) if stamp else None
        if page is None:
            request.COOKIES = {}  # a shared page depends on no session
            response = self.get_response(request)
            if response.status_code != 200 or not stamp or response.streaming:
                response.headers["Cache-Control"] = "no-cache"
                return response
            page = _cacheable(response)
            self.cache.put(stamp, address, page)
        return _answer(request, page, _seconds(embargo))

    def _fingerprint(self) -> tuple[str, datetime | None]:
        """Read from the database at most once in PUBLIC_FRESH_SECONDS; the last value while it is unavailable."""
        now = time.monotonic()
        if self._known is not None and now < self._known[0]:
            return self._known[1:]
        try:
            current = fingerprint()
        except OUTAGES:
            current = self._known[1:] if self._known else ("", None)
        self._known = (now + settings.PUBLIC_FRESH_SECONDS, *current)
        return current


def _address(request: HttpRequest) -> str:
    """Path and the parameters that a page reads, in a fixed order; others must not fill the cache."""
    parameters = [(name, request.GET.get(name, "")[:20]) for name in PARAMETERS if name in request.GET]
    return f"{request.path_info}?{urlencode(parameters)}"


def _cacheable(response: HttpResponse) -> Page:
    dropped = {"vary", "set-cookie", "content-length", "cache-control", "etag"}
    return Page.of(
        response.content,
        {name: value for name, value in response.items() if name.lower() not in dropped},
    )


def _seconds(embargo: datetime | None) -> int:
    """Seconds that a copy may be cached: never beyond the publication of the next release."""
    if embargo is None:
        return LONGEST
    return max(0, min(LONGEST, int((embargo - clock.present()).total_seconds())))


def _answer(request: HttpRequest, page: Page, seconds: int) -> HttpResponse:
    tags = parse_etags(request.headers.get("If-None-Match", ""))
    if page.tag in tags or f"W/{page.tag}" in tags or tags == ["*"]:
        response = HttpResponse(status=304)
        del response.headers["Content-Type"]
    else:
        response = HttpResponse(page.body, headers=dict(page.headers))
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.content = page.packed
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.content))
        if request.method == "HEAD":
            response.content = b""
    response.headers["ETag"] = page.tag
    response.headers["Vary"] = "Accept-Encoding"
    stale = f", stale-while-revalidate={STALE}, stale-if-error={STALE}" if seconds == LONGEST else ""
    response.headers["Cache-Control"] = f"public, max-age={seconds}{stale}"
    # Our own proxy asks as often as a web process does: nobody has to wait for a correction.
    response.headers["X-Accel-Expires"] = str(min(seconds, round(settings.PUBLIC_FRESH_SECONDS)))
    return response
