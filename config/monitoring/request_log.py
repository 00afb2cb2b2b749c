"""The id of each request, and one log line and one observation of the metrics for it."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.monitoring.logs import current_request
from config.monitoring.metrics import observe_request
from config.web.forwarded import is_proxy

HEADER = "X-Request-ID"
# What a proxy writes: 32 hexadecimal digits (nginx) or a UUID. Anything else may be text of a stranger.
WELL_FORMED = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
logger = logging.getLogger(__name__)


class RequestLogMiddleware:
    """Gives every request an id, which the response names, too: the one of our own proxy, or a new one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, then write the line."""
        # Standing before ForwardedMiddleware, this still sees who is connected.
        trusted = is_proxy(str(request.META.get("REMOTE_ADDR") or ""))
        proposed = request.headers.get(HEADER, "") if trusted else ""
        name = proposed if WELL_FORMED.fullmatch(proposed) else uuid.uuid4().hex
        request.request_id = name  # type: ignore[attr-defined]  # read by config.monitoring.logs
        token = current_request.set(request)
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            seconds = time.perf_counter() - began
            response.headers[HEADER] = name
            observe_request(request, response.status_code, seconds)
            logger.info(
                "request",
                extra={
                    "method": request.method,
                    "status": response.status_code,
                    "milliseconds": round(seconds * 1000),
                },
            )
        finally:
            current_request.reset(token)
        return response
