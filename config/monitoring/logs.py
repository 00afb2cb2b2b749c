"""Log lines: one JSON object each (``LOG_FORMAT=json``), or text for a rehearsal.

A JSON line has the time, the level, the logger, the message, and the ids that are bound when it is written: of the
request, its route and user, or of the job and the request that asked for it. It never has values: of an exception only
the types and the places in the program are written, of a request the route instead of the path, because messages and
paths may hold answers, names, e-mail addresses or tokens.
"""

import logging
import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog
from django.http import HttpRequest
from structlog.tracebacks import extract

type Event = MutableMapping[str, Any]

# The request that is being answered in this context.
current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)
# Numbers of a log call that are written besides its message.
EXTRA = ("method", "status", "milliseconds")


def logging_settings(style: str, level: str) -> dict[str, Any]:
    """LOGGING of the settings. ``style`` is "json" or "text". Raises ValueError for another one."""
    if style not in ("json", "text"):
        raise ValueError(f"LOG_FORMAT must be json or text, not {style!r}")
    handler = {"class": "logging.StreamHandler", "formatter": style}
    if style == "json":
        handler["filters"] = ["values"]  # type: ignore[assignment]  # of a list of names
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"values": {"()": "config.monitoring.logs.WithoutValues"}},
        "formatters": {
            "text": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
            "json": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "foreign_pre_chain": [
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.add_logger_name,
                    structlog.stdlib.ExtraAdder(allow=EXTRA),
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                    add_request,
                ],
                "processors": [
                    exception_places,
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(ensure_ascii=False),
                ],
            },
        },
        "handlers": {"console": handler},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # One line for each request.
            "config.monitoring.request_log": {"level": "INFO" if style == "json" else level},
            # Statements have the values of their parameters.
            "django.db.backends": {"level": "WARNING"},
            **({"gunicorn.error": {"handlers": ["console"], "propagate": False}} if style == "json" else {}),
        },
    }


def add_request(logger: Any, method: str, event: Event) -> Event:
    """Add the id, the route and the user of the current request."""
    request = current_request.get()
    if request is not None:
        event["request_id"] = getattr(request, "request_id", "")
        event["route"] = route_of(request)
        # The user that the request has already loaded; to load it here would need the database.
        user = getattr(request, "_cached_user", None)
        event["user_id"] = user.pk if user is not None and user.is_authenticated else None
    return event


def request_id() -> str:
    """The id of the request that is being answered, or of the one that asked for the job that is running; else ""."""
    request = current_request.get()
    if request is not None:
        return str(getattr(request, "request_id", ""))
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def route_of(request: HttpRequest) -> str:
    """The pattern of the URL, without the values in its place; "" when no view was looked up."""
    match = getattr(request, "resolver_match", None)
    return match.route if match else ""


def exception_places(logger: Any, method: str, event: Event) -> Event:
    """Replace the exception by its types and the places in the program, without messages and variables."""
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if isinstance(info, tuple) and info[0] is not None:
        event["exception"] = [
            {
                "type": stack.exc_type,
                "places": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in stack.frames],
            }
            for stack in extract(*info, show_locals=False).stacks
        ]
    return event


class WithoutValues(logging.Filter):
    """Removes from the records of Django, Celery and gunicorn what may hold values."""

    def filter(self, record: logging.LogRecord) -> logging.LogRecord:
        """A copy of the record: other handlers see it as it was written."""
        clean = logging.makeLogRecord(record.__dict__)
        if isinstance(record.args, dict) and "exc" in record.args:  # celery.app.trace
            clean.msg, clean.args = f"task {record.args.get('name', '')} failed", ()
        elif record.name.startswith("django.security"):  # the message holds what was refused
            clean.msg, clean.args = f"refused: {record.name.rpartition('.')[2]}", ()
        elif hasattr(record, "status_code") and isinstance(record.args, tuple) and record.args:
            clean.msg, clean.args = "%s", record.args[:1]  # django.request: reason and path
        elif record.name.startswith("gunicorn") and record.args:
            clean.msg, clean.args = re.split(r"[:\s(']*%", str(record.msg))[0], ()
        elif isinstance(record.args, tuple):
            clean.args = tuple(_without_message(value) for value in record.args)
        return clean


def _without_message(value: object) -> object:
    return type(value).__name__ if isinstance(value, BaseException) else value
