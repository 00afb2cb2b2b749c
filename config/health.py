"""Health checks for a load balancer: process, database, broker, worker, files."""

import time
from collections.abc import Callable
from functools import cache as cache_of_process
from typing import Any

import redis
from celery import shared_task
from celery.signals import before_task_publish
from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import storages
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.files.places import FOLDERS

HEARTBEAT = "worker-heartbeat"
BEAT = "beat-heartbeat"
STALE_AFTER = 90  # seconds; beat asks for a heartbeat every 20
MEMORY = 3600  # seconds for which a sign is kept
_STARTED = time.monotonic()  # when this program was loaded: before the first process of gunicorn is forked


@shared_task(name="config.health.heartbeat", expires=20)
def heartbeat() -> None:
    """Run by a worker on the schedule of beat: shows that beat, broker and worker are running."""
    cache.set(HEARTBEAT, _moment(), timeout=MEMORY)


@before_task_publish.connect(sender="config.health.heartbeat")
def note_beat(**options: Any) -> None:
    """Run by beat when it asks for a heartbeat, whether a worker takes it or not."""
    cache.set(BEAT, _moment(), timeout=MEMORY)


def age_of(key: str) -> float | None:
    """Seconds since HEARTBEAT or BEAT; None when there was none within an hour."""
    seen = cache.get(key)
    return None if seen is None else max(0.0, _moment() - seen)


def _moment() -> float:
    """Seconds since the epoch by the broker's clock: those of beat, worker and web process may differ."""
    seconds, micros = broker(settings.REDIS_URL).time()
    return float(seconds + micros / 1_000_000)


@cache_of_process
def broker(address: str) -> redis.Redis:
    """A client of the broker that gives up soon. It keeps its connections: one for each thread that asks at a time.

    A process that was forked makes new ones.
    """
    again = Retry(NoBackoff(), 1)  # at once, on a new connection: the kept one may be older than the server
    return redis.Redis.from_url(address, socket_connect_timeout=1, socket_timeout=2, retry=again)


def running_for() -> float:
    """Seconds since the web server was started."""
    return time.monotonic() - _STARTED


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _broker() -> str:
    broker(settings.REDIS_URL).ping()
    return "ok"


def _worker() -> str:
    age = age_of(HEARTBEAT)
    if age is None:
        return "never seen"
    return "ok" if age < STALE_AFTER else f"last seen {age:.0f} s ago"


def _files() -> str:
    for name in FOLDERS:
        storage: Any = storages[name]
        storage.check()
    return "ok"


# Asked for by name only: pages and saves need no files, so a host without them stays in the rotation.
FILES = {"files": _files}
PROBES: dict[str, Callable[[], str]] = {"database": _database, "broker": _broker, "worker": _worker}


class HealthMiddleware:
    """``/health/`` (process), ``/health/ready/`` (database, broker, worker), ``/health/<probe>/``; before all else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe, or pass the request on."""
        if not request.path.startswith("/health/"):
            return self.get_response(request)
        name = request.path.removeprefix("/health/").strip("/")
        if not name:
            return JsonResponse({"process": "ok"})
        probes = (
            PROBES
            if name == "ready"
            else {key: probe for key, probe in (PROBES | FILES).items() if key == name}
        )
        if not probes:
            return JsonResponse({"error": "unknown probe"}, status=404)
        report = {key: _ask(probe) for key, probe in probes.items()}
        healthy = all(answer == "ok" for answer in report.values())
        return JsonResponse(report, status=200 if healthy else 503)


def _ask(probe: Callable[[], str]) -> str:
    """The result of a probe, or the type of its exception (never an address or a password)."""
    try:
        return probe()
    except Exception as error:
        return f"failed: {type(error).__name__}"
