"""Sends mutated requests of the permission matrix and collects what no request may cause."""

import json
import re
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from django.core.cache import cache
from django.core.signals import got_request_exception
from django.db import connection, transaction
from django.urls import reverse

from config.characters import names_another_charset
from tests.architecture.matrix import AUDIT, WRITE_COUNTS, expected, url_name
from tests.architecture.matrix_data import INSIDE, Actor, MatrixData
from tests.architecture.matrix_rows import Row
from tests.fuzz.mutations import (
    BOUNDARY,
    CONTENT_TYPES,
    METHODS,
    PARAMETERS,
    Request,
    fields_of,
    multipart,
    mutate_fields,
    mutate_headers,
    mutate_json,
    mutate_path,
    urlencoded,
)
from tests.fuzz.values import text

CONTENT = "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t"
# A refused request is written down, and counted where guessing is limited.
KEPT_WHEN_REFUSED = {AUDIT, "survey_attemptcounter"}
# Limits of guessing live in the cache: emptied now and then, so that not every request is refused by them.
REQUESTS_BETWEEN_CLEARING = 50


@dataclass
class Figures:
    """Requests by status, and violations by what caused them."""

    statuses: Counter[int] = field(default_factory=Counter)
    violations: dict[str, list[str]] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self.statuses.total()

    def note(self, cause: str, request: str) -> None:
        """One violation."""
        self.violations.setdefault(cause, []).append(request)

    def __str__(self) -> str:
        lines = [
            f"{self.requests} requests: " + ", ".join(f"{n} x {s}" for s, n in sorted(self.statuses.items()))
        ]
        for cause, requests in sorted(self.violations.items(), key=lambda item: -len(item[1])):
            lines.append(f"{len(requests)} x {cause}\n      {requests[0]}")
        return "\n".join(lines)


def valid_request(data: MatrixData, key: str, row: Row, actor: Actor, *, writes: bool) -> Request:
    """The request of the row as the permission matrix sends it."""
    region, name = data.regions[INSIDE], url_name(key)
    path = reverse(name, args=row.args(data, region))
    request = Request(row.method if writes else "get", path, row.query.lstrip("?"))
    request.headers = dict(row.headers(region))
    body = row.body(data, region, actor) if writes and row.body else {}
    if writes and name.startswith("api_"):
        request.content_type, request.body = "application/json", json.dumps(body).encode()
    elif writes:
        set_fields(request, fields_of(body))
    return request


def set_fields(request: Request, fields: list[tuple[str, Any]], random: Random | None = None) -> None:
    """The fields as the body of the request, in parts when one is a file or by chance."""
    has_file = any(hasattr(value, "read") for _name, value in fields)
    if has_file or (random and random.random() < 0.2):
        request.content_type = f"multipart/form-data; boundary={BOUNDARY}"
        request.body = multipart(random, fields)
    else:
        request.content_type, request.body = "application/x-www-form-urlencoded", urlencoded(fields)


def make_request(random: Random, data: MatrixData, key: str, row: Row, actor: Actor) -> Request:
    """A valid request of the row, with some of its parts mutated."""
    writes = row.body is not None and random.random() < 0.75
    request = valid_request(data, key, row, actor, writes=writes)
    changes, path = request.changes, request.path
    if writes and random.random() < 0.85:
        if request.content_type == "application/json":
            request.body = mutate_json(random, json.loads(request.body), changes)
        elif row.body:
            fields = fields_of(row.body(data, data.regions[INSIDE], actor))
            set_fields(request, mutate_fields(random, fields, changes), random)
    if not writes or random.random() < 0.2:
        pairs = [(random.choice(PARAMETERS), text(random)) for _ in range(random.choice((1, 1, 2, 3, 6)))]
        changes.append("query " + ",".join(name for name, _ in pairs))
        request.query = "&".join(filter(None, [request.query, urlencoded(pairs).decode()]))
    if random.random() < 0.15:
        request.path = mutate_path(random, path)
        changes.append("path")
    if random.random() < 0.2:
        request.headers = mutate_headers(random, request.headers)
        changes.append("headers")
    if random.random() < 0.05:
        request.content_type = random.choice(CONTENT_TYPES)
        changes.append(f"type {request.content_type}")
    if random.random() < 0.05:
        request.method = random.choice(METHODS)
    return request


def _frame(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if "site-packages" not in frame.filename and "/lib/python" not in frame.filename
    ]
    at = (own or frames)[-1]
    folder = "/".join(at.filename.split("/")[-4:])
    return f"{type(error).__name__}: {str(error)[:120]!r} at {folder}:{at.lineno} in {at.name}"


@contextmanager
def exceptions() -> Iterator[list[str]]:
    """Exceptions of views that nothing handled."""
    seen: list[str] = []

    def note(sender: Any, **kwargs: Any) -> None:
        import sys

        error = sys.exc_info()[1]
        seen.append(_frame(error) if error else "unknown")

    got_request_exception.connect(note)
    try:
        yield seen
    finally:
        got_request_exception.disconnect(note)


def _contents(tables: set[str]) -> dict[str, str]:
    with connection.cursor() as cursor:
        contents = {}
        for table in sorted(tables):
            cursor.execute(CONTENT.format(connection.ops.quote_name(table)))
            contents[table] = cursor.fetchone()[0]
    return contents


# The sheet keeps what was typed and could not be read; the page answers 422 with it.
KEEPS_REFUSED_VALUES = re.compile(r"/(?:sheets|guest)/\d+/sections/[^/]+/(?:save/)?")
# Answers 422 with the form of a success, in which each refused cell has its reason and the others are saved.
SAVES_IN_PART = re.compile(r"/api/v1/sheets/\d+/answers/")


def send(request: Request, actor: Actor, figures: Figures, label: str) -> None:
    """Send one request inside a transaction that is rolled back, and note violations."""
    if names_another_charset(request.content_type):  # does not reach Django
        figures.statuses[415] += 1
        return
    browser = actor.browser()
    shown = f"{label} {actor.name} {request}"
    changed: dict[str, str] = {}
    with exceptions() as raised:
        with transaction.atomic():
            before = WRITE_COUNTS.read()
            response: Any = browser.generic(
                request.method,
                request.path,
                request.body,
                request.content_type,
                headers=request.headers,
                QUERY_STRING=request.query,
            )
            status = response.status_code
            content = b"".join(response.streaming_content) if response.streaming else response.content
            refused = 400 <= status < 500 and not connection.needs_rollback
            written = set(WRITE_COUNTS.read(again=True) - before) - KEPT_WHEN_REFUSED if refused else set()
            if KEEPS_REFUSED_VALUES.fullmatch(request.path):
                written -= {"survey_submission"}
            if written:
                changed = _contents(written)
            transaction.set_rollback(True)
        if written:
            kept = _contents(written)
            for table in sorted(written):
                if kept[table] != changed[table]:
                    figures.note(f"refused with {status}, but changed {table}", shown)
    figures.statuses[status] += 1
    if status >= 500:
        figures.note(f"{status} {raised[-1] if raised else ''}", shown)
    if b"Traceback (most recent call last)" in content:
        figures.note("shows a traceback", shown)
    saved_in_part = status == 422 and SAVES_IN_PART.fullmatch(request.path)
    if (
        status >= 400
        and request.path.startswith("/api/v1/")
        and request.method != "head"
        and not saved_in_part
    ):
        _check_problem(response, content, figures, shown)


def _check_problem(response: Any, content: bytes, figures: Figures, shown: str) -> None:
    kind = response.headers.get("Content-Type", "")
    if not kind.startswith("application/problem+json"):
        figures.note(f"an endpoint refuses with {response.status_code} as {kind}", shown)
    elif json.loads(content).get("status") != response.status_code:
        figures.note("the status in a problem is another one", shown)


def run(
    data: MatrixData, table: Mapping[str, Row], views: Mapping[str, Any], *, requests: int, seed: int
) -> Figures:
    """Requests of every row in turn; every second one by an actor that may, the others by any actor."""
    figures = Figures()
    keys = sorted(table)
    allowed = {
        key: [
            actor
            for actor in data.actors
            if expected(table[key], views[url_name(key)], actor, data.regions[INSIDE], write=False) == "open"
            or expected(table[key], views[url_name(key)], actor, data.regions[INSIDE], write=True) == "open"
        ]
        for key in keys
    }
    for index in range(requests):
        random = Random(f"{seed}:{index}")
        key = keys[index % len(keys)]
        actor = random.choice(allowed[key] if random.random() < 0.7 and allowed[key] else data.actors)
        with transaction.atomic():
            request = make_request(random, data, key, table[key], actor)
            send(request, actor, figures, f"{seed}:{index} {key}")
            transaction.set_rollback(True)
        if index % REQUESTS_BETWEEN_CLEARING == 0:
            cache.clear()
    return figures
