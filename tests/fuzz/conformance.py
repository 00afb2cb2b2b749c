"""Sends the requests of every operation by every role, and checks what the OpenAPI document promises of every answer."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

import schemathesis
from django.conf import settings
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from config.characters import CharsetGuard
from tests.architecture.matrix_data import Actor, MatrixData
from tests.architecture.matrix_rows import Row
from tests.fuzz.generation import Operation, Sent, generated, mutated, offered, operations_of
from tests.fuzz.sender import exceptions

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
TOKEN = "0123456789abcdef0123456789abcdef"  # of the CSRF cookie and header
# Limits of guessing live in the cache: emptied now and then, so that not every request is refused by them.
REQUESTS_BETWEEN_CLEARING = 200
TAKES_ANY_BODY = "takes a body that the document does not allow"
SHOWN = 600  # characters of a request in a list of violations


@dataclass
class Tally:
    """Answers to the requests of one operation by one role."""

    statuses: Counter[int] = field(default_factory=Counter)
    violations: int = 0

    @property
    def requests(self) -> int:
        """All requests."""
        return self.statuses.total()

    def between(self, first: int, last: int) -> int:
        """Answers with a status from ``first`` to ``last``."""
        return sum(number for status, number in self.statuses.items() if first <= status <= last)

    def add(self, other: "Tally") -> None:
        """Count the answers of another tally, too."""
        self.statuses += other.statuses
        self.violations += other.violations

    def __str__(self) -> str:
        succeeded, refused = self.between(200, 299), self.between(400, 499)
        return f"{self.requests:>8} {succeeded:>8} {refused:>8} {self.violations:>6}"


@dataclass
class Answers:
    """What came of the requests: tallies by operation and role, and violations by what caused them."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    violations: dict[str, list[str]] = field(default_factory=dict)
    never: list[str] = field(default_factory=list)  # operations that succeeded with nothing they were offered
    started: float = field(default_factory=time.monotonic)

    @property
    def all(self) -> Tally:
        """All requests together."""
        total = Tally()
        for tally in self.tallies.values():
            total.add(tally)
        return total

    def note(self, key: tuple[str, str], cause: str, request: str) -> None:
        """One violation."""
        self.tallies[key].violations += 1
        self.violations.setdefault(f"{key[0]}: {cause}", []).append(request)

    def sums(self, position: int) -> dict[str, Tally]:
        """Tallies by operation (0) or by role (1)."""
        sums: dict[str, Tally] = {}
        for key, tally in self.tallies.items():
            sums.setdefault(key[position], Tally()).add(tally)
        return sums

    def summary(self, *, every: bool = False) -> str:
        """Totals by status, operation and role; ``every`` also lists each role of each operation."""
        total = self.all
        statuses = ", ".join(f"{n} x {status}" for status, n in sorted(total.statuses.items()))
        lines = [f"{total.requests} requests in {time.monotonic() - self.started:.0f} s: {statuses}"]
        heading = f"{'requests':>8} {'2xx':>8} {'refused':>8} {'broken':>6}"
        parts = {"operation": self.sums(0), "role": self.sums(1)}
        if every:
            parts["operation and role"] = {" | ".join(key): tally for key, tally in self.tallies.items()}
        for title, tallies in parts.items():
            lines += ["", f"{heading}  {title}", *(f"{tally}  {name}" for name, tally in tallies.items())]
        lines += ["", f"operations without a success: {', '.join(self.never) or 'none'}"]
        lines.append(f"violations: {sum(map(len, self.violations.values()))}")
        for cause, requests in sorted(self.violations.items(), key=lambda item: -len(item[1])):
            lines.append(f"{len(requests)} x {cause}\n      {requests[0]}")
        return "\n".join(lines)


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


def loaded(description: Mapping[str, Any]) -> Any:
    """A document as Schemathesis reads it, with the application that it describes.

    Who is signed in is no part of the generated requests: each is sent by several roles, with their cookies.
    """
    described = deepcopy(dict(description))
    described.get("components", {}).pop("securitySchemes", None)
    for path in described["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
    schema = schemathesis.openapi.from_dict(described)
    schema.app = CharsetGuard(WSGIHandler())
    return schema


def _cookies(actor: Actor) -> dict[str, str]:
    session = {settings.SESSION_COOKIE_NAME: actor.session} if actor.session else {}
    return {settings.CSRF_COOKIE_NAME: TOKEN, **session}


@contextmanager
def kept_connection() -> Iterator[None]:
    """The handler leaves the connection of the test open, as the test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


class Sender:
    """Sends requests, each in a transaction that is rolled back, and checks the answers."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.sent = 0

    def send(self, operation: Operation, sent: Sent) -> list[int]:
        """Send a request by each of its roles. Returns the statuses."""
        return [self._send(operation, sent, actor) for actor in sent.actors]

    def _send(self, operation: Operation, sent: Sent, actor: Actor) -> int:
        if self.sent % REQUESTS_BETWEEN_CLEARING == 0:
            cache.clear()
        self.sent += 1
        headers = {"X-CSRFToken": TOKEN}
        more: dict[str, Any] = {}
        if sent.body is not None:
            headers["Content-Type"] = "application/json"
            more["data"] = sent.body
        with exceptions() as raised, transaction.atomic():
            response = sent.case.call(headers=headers, cookies=_cookies(actor), **more)
            transaction.set_rollback(True)
        key = (operation.label, actor.name)
        self.answers.tallies.setdefault(key, Tally()).statuses[response.status_code] += 1
        if sent.breaks_schema and response.status_code < 300:
            self.answers.note(key, f"{TAKES_ANY_BODY} {response.status_code}", f"{actor.name} {_shown(sent)}")
        try:
            sent.case.validate_response(response, checks=CHECKS, headers=headers, transport_kwargs=more)
        except FailureGroup as group:
            shown = f"{actor.name} {_shown(sent)}"
            for failure in group.exceptions:
                cause = f"{type(failure).__name__} {response.status_code} {raised[-1] if raised else ''}"
                self.answers.note(key, cause, f"{shown}\n      {str(failure)[:SHOWN]}")
        return int(response.status_code)


def _shown(sent: Sent) -> str:
    case = sent.case
    body = sent.body if sent.body is not None else case.body
    return f"{case.method} {case.formatted_path} {case.query} {case.headers} {body!r}"[:SHOWN]


def run(
    data: MatrixData,
    table: Mapping[str, Row],
    views: Mapping[str, Any],
    *,
    requests: int,
    seed: int,
    description: Mapping[str, Any] | None = None,
    answers: Answers | None = None,
) -> Answers:
    """What every role is offered, then as many more requests as were asked for, every operation in turn.

    A caller that gives ``answers`` has the figures of an interrupted run, too.
    """
    answers = answers or Answers()
    sender = Sender(answers)
    operations = operations_of(loaded(description or document()), data, table, views)
    with kept_connection():
        for operation in operations:
            statuses = [sender.send(operation, sent)[0] for sent in offered(operation, data)]
            if not any(200 <= status < 300 for status in statuses):
                answers.never.append(operation.label)
        for at, operation in enumerate(operations):
            # What an operation without parameters leaves goes to the ones after it.
            share = max(0, requests - sender.sent) // (len(operations) - at)
            _explore(sender, operation, data, share, seed)
    return answers


def _explore(sender: Sender, operation: Operation, data: MatrixData, share: int, seed: int) -> None:
    """A quarter valid and a quarter invalid requests, as far as the operation has them; the rest is mutated."""
    end = sender.sent + share
    number = share // 4 // len(operation.senders())
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        generated(operation, data, mode, number, seed, lambda sent: (sender.send(operation, sent), None)[1])
    random = Random(f"{seed}:{operation.label}")
    while sender.sent < end:
        sender.send(operation, mutated(operation, data, random))
