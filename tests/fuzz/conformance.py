"""Requests made out of the OpenAPI document, by every role, and what the document promises of every answer.

Every second run of an operation takes the rows of the permission matrix for the parameters of the path, so that the
operation finds something; the others take generated ones.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import schemathesis
from django.conf import settings
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as with_seed
from hypothesis import settings as settings_of_examples
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.characters import CharsetGuard
from tests.architecture.matrix import url_name
from tests.architecture.matrix_data import INSIDE, Actor, MatrixData
from tests.architecture.matrix_rows import Row
from tests.fuzz.sender import Figures, exceptions

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
TOKEN = "0123456789abcdef0123456789abcdef"  # of the CSRF cookie and header


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


def _rows_by_name(table: Mapping[str, Row]) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for key, row in table.items():
        rows.setdefault(url_name(key), []).append(row)
    return rows


def known_parameters(
    data: MatrixData, rows: Mapping[str, list[Row]], operation: Any
) -> Iterator[dict[str, Any]]:
    """Parameters of the path that name rows, out of the permission matrix."""
    path = operation.full_path
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    sample = path
    for name in names:
        sample = sample.replace(f"{{{name}}}", "1")
    name = resolve(sample).url_name or ""
    for row in rows[name]:
        yield dict(zip(names, row.args(data, data.regions[INSIDE]), strict=True))


def _cookies(actor: Actor) -> dict[str, str]:
    session = {settings.SESSION_COOKIE_NAME: actor.session} if actor.session else {}
    return {settings.CSRF_COOKIE_NAME: TOKEN, **session}


@contextmanager
def one_connection() -> Iterator[None]:
    """The handler leaves the connection of the test open, as the test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def check_operation(
    operation: Any, strategy: Any, actor: Actor, figures: Figures, *, examples: int, seed: int
) -> None:
    """So many generated requests of one operation by one actor; every one is rolled back."""
    headers, cookies = {"X-CSRFToken": TOKEN}, _cookies(actor)

    @with_seed(seed)
    @settings_of_examples(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def send(case: Any) -> None:
        with exceptions() as raised, transaction.atomic():
            response = case.call(headers=headers, cookies=cookies)
            transaction.set_rollback(True)
        figures.statuses[response.status_code] += 1
        shown = f"{actor.name} {case.as_curl_command(headers={})}"[:600]
        if response.status_code >= 500:
            figures.note(f"{response.status_code} {raised[-1] if raised else ''}", shown)
        try:
            case.validate_response(response, checks=CHECKS, headers=headers)
        except FailureGroup as group:
            for failure in group.exceptions:
                cause = f"{operation.label}: {type(failure).__name__} {response.status_code}"
                figures.note(cause, f"{shown}\n      {str(failure)[:700]}")

    # Some operations have no invalid request, such as one without parameters.
    with suppress(Unsatisfiable):
        send()


def run(data: MatrixData, table: Mapping[str, Row], *, requests: int, seed: int) -> Figures:
    """Valid and invalid requests of every operation by every actor."""
    figures, rows = Figures(), _rows_by_name(table)
    schema = schemathesis.openapi.from_dict(document())
    schema.app = CharsetGuard(WSGIHandler())
    operations = [result.ok() for result in schema.get_all_operations()]
    actors = data.actors
    examples = max(1, round(requests / (len(operations) * len(actors) * 4)))
    for at, operation in enumerate(operations):
        known = list(known_parameters(data, rows, operation))
        for actor in actors:
            cache.clear()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                for parameters in (None, known[at % len(known)]):
                    strategy = operation.as_strategy(generation_mode=mode, path_parameters=parameters)
                    with one_connection():
                        check_operation(operation, strategy, actor, figures, examples=examples, seed=seed)
    return figures
