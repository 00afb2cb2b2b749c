"""Error pages in the design of the site. They render without the database."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from kombu.exceptions import OperationalError as BrokerError
from psycopg.errors import QueryCanceled
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

# Exceptions of a stopped PostgreSQL or Valkey.
OUTAGES = (OperationalError, InterfaceError, BrokerError, RedisConnectionError, RedisTimeoutError)


def _page(request: HttpRequest, status: int, name: str = "") -> HttpResponse:
    # Without the request no context processor runs: those ask who is signed in, and that needs the database.
    return HttpResponse(render_to_string(f"errors/{name or status}.html"), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: also the answer to everything outside one's scope."""
    return _page(request, 404)


def length_required(request: HttpRequest) -> HttpResponse:
    """411: a body whose length nobody knows."""
    return _page(request, 411)


def too_large(request: HttpRequest) -> HttpResponse:
    """413: a body that is larger than its route allows."""
    return _page(request, 413)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 when a middleware failed because a server does not answer.

    Django turns an exception of a middleware into this page before an outer middleware can see it.
    """
    error = sys.exc_info()[1]
    return outage(request, error) if isinstance(error, OUTAGES) else _page(request, 500)


def outage(request: HttpRequest, error: BaseException | None = None) -> HttpResponse:
    """503: a server behind the site does not answer, or a statement ran into the limit of web processes."""
    slow = isinstance(error.__cause__, QueryCanceled) if error else False
    response = _page(request, 503, "503-slow" if slow else "")
    if hasattr(request, "session"):
        # The session is stored in the database; saving it would wait for the database again.
        del request.session
    response.headers["Retry-After"] = "15"
    return response
