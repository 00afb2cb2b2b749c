"""Error pages in the design of the site, which render without the database, and refusals in the OpenAPI document."""

import sys
from typing import Any

import psycopg
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from kombu.exceptions import OperationalError as BrokerError
from psycopg.errors import IdleInTransactionSessionTimeout, QueryCanceled
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from config.files.faults import FULL, FilesUnavailable

# Exceptions of a stopped PostgreSQL, Valkey or server of files. Those of psycopg itself come from its pool and from
# cursors that Django does not wrap.
OUTAGES = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    IdleInTransactionSessionTimeout,
    BrokerError,
    RedisConnectionError,
    RedisTimeoutError,
    FilesUnavailable,
)


def outage_in(error: BaseException | None) -> BaseException | None:
    """The failure of a server that an error is, or was raised from or during. None when there is none.

    A failure is often covered by a later one: Django's session raises ``SessionInterrupted`` for any error of its
    table, a broken transaction refuses the next statement with ``InternalError``.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, OUTAGES):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


API = "/api/"
# Headings of the pages, for the interface for machines.
TITLES = {
    400: gettext_lazy("The request could not be understood"),
    401: gettext_lazy("Sign in again"),
    403: gettext_lazy("This form has expired"),
    404: gettext_lazy("Nothing to see here"),
    411: gettext_lazy("The length of the request is missing"),
    413: gettext_lazy("This is too large"),
    429: gettext_lazy("Too many requests"),
    500: gettext_lazy("Something went wrong"),
    503: gettext_lazy("The system is resting for a moment"),
    507: gettext_lazy("No storage space is left for files"),
}


def _page(request: HttpRequest, status: int, name: str = "") -> HttpResponse:
    if request.path_info.startswith(API):
        body = {"type": "about:blank", "title": str(TITLES[status]), "status": status}
        return JsonResponse(body, status=status, content_type="application/problem+json")
    # Without the request no context processor runs: those ask who is signed in, and that needs the database.
    return HttpResponse(render_to_string(f"errors/{name or status}.html"), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400; 503 when a server failed below it; 401 when the session was ended during the request.

    Signing out in another window ends the session of requests that are under way: they are repeated after
    signing in again.
    """
    if failure := outage_in(exception):
        return outage(request, failure)
    return _page(request, 401 if isinstance(exception, SessionInterrupted) else 400)


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
    """500; 503 when a middleware failed because a server does not answer; 507 when a disk or a quota is full.

    Django turns an exception of a middleware into this page before an outer middleware can see it.
    """
    error = sys.exc_info()[1]
    if failure := outage_in(error):
        return outage(request, failure)
    return _page(request, 507 if isinstance(error, OSError) and error.errno in FULL else 500)


def outage(request: HttpRequest, error: BaseException | None = None) -> HttpResponse:
    """503: a server behind the site does not answer, or a statement ran into the limit of web processes."""
    slow = isinstance(error.__cause__, QueryCanceled) if error else False
    is_api = request.path_info.startswith(API)
    response = _problem() if is_api else _page(request, 503, "503-slow" if slow else "")
    if hasattr(request, "session"):
        # The session is stored in the database; saving it would wait for the database again.
        del request.session
    response.headers["Retry-After"] = "15"
    return response


def _problem() -> HttpResponse:
    body = {"type": "urn:problem:Outage", "title": _("The system is resting for a moment"), "status": 503}
    return JsonResponse(body, status=503, content_type="application/problem+json")


# The OpenAPI document names every status that an operation can answer with, and the body of a refusal.
PROBLEM = {"$ref": "#/components/schemas/Problem"}
PROBLEM_SCHEMA = {
    "type": "object",
    "description": "A refusal, as of RFC 9457.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "errors": {"description": "What is wrong, by field."},
        "conflicts": {"type": "object", "additionalProperties": True},
    },
    "required": ["type", "title", "status"],
}
# Statuses of the middleware, the framework and the access rules: every operation has them.
ALWAYS = {
    "400": "The request could not be understood.",
    "401": "Not signed in.",
    "403": "Not permitted, or without a CSRF token.",
    "404": "Does not exist, or is outside one's scope.",
    "405": "The method is not offered here.",
    "406": "Only JSON is offered.",
    "429": "Too many requests.",
    "503": "A server behind the site does not answer; try again.",
}
# Statuses of operations with a body.
WITH_BODY = {
    "409": "The state of the record does not allow this, or somebody else was first.",
    "411": "The length of the body is missing.",
    "412": "The record has changed since it was read.",
    "413": "The body is too large.",
    "415": "Only JSON is read.",
    "422": "A value is refused.",
    "428": "The revision that was read is missing.",
    "507": "No storage space is left for files.",
}


# Methods whose requests `survey.idempotency` carries out once.
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 200},
    OpenApiParameter.HEADER,
    description="A key of your choice for this request: sent again with it, the request is not carried out twice.",
)


class StatusSchema(AutoSchema):
    """Adds the refusals, and the header against repetition, to what a view says of itself."""

    def get_override_parameters(self) -> list[Any]:
        """The header that every writing operation takes."""
        return [IDEMPOTENCY_KEY] if self.method in WRITING else []

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation with a response for each refusal that it does not describe itself."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        statuses = ALWAYS | (WITH_BODY if self.method in WRITING else {})
        for status, description in statuses.items():
            response = operation["responses"].setdefault(status, {"description": description})
            response.setdefault("content", {})["application/problem+json"] = {"schema": PROBLEM}
        if getattr(self.view, "access", "") == "public":
            operation["responses"]["304"] = {"description": "As the client has it."}
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation


def add_problem(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Postprocessing hook: the schema that the refusals refer to."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result
