"""The checks of the command catch an endpoint that fails, and one that breaks the OpenAPI document."""

from typing import Any

import pytest
from django.test import override_settings

from tests.architecture.matrix import named_views
from tests.architecture.matrix_data import PLAIN, MatrixData
from tests.architecture.matrix_rows import Row, post
from tests.fuzz.conformance import TAKES_ANY_BODY, Answers, document, run
from tests.fuzz.planted_urls import PLANTED

pytestmark = pytest.mark.django_db
PLANTED_URLS = "tests.fuzz.planted_urls"
FAILURES = {
    "correct": set(),
    "fails": {"ServerError 500 ZeroDivisionError", "UndefinedStatusCode 500 ZeroDivisionError"},
    "another_status": {"UndefinedStatusCode 418"},
    "another_form": {"JsonSchemaError 200"},
    "another_type": {"UndefinedContentType 200"},
    "takes_text": {f"{TAKES_ANY_BODY} 200"},
    "never_succeeds": set(),
}


def answers_of(data: MatrixData, name: str) -> Answers:
    """What the command finds when the document has this endpoint only."""
    described = document()
    paths = {path: entry for path, entry in described["paths"].items() if f"/planted/{name}/" in path}
    assert len(paths) == 1
    row = {f"api_{name}": Row(body=post(number=7))}
    return run(data, row, named_views(), requests=150, seed=1, description={**described, "paths": paths})


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_failure_is_found(data: MatrixData, without_log: None, name: str) -> None:
    with override_settings(ROOT_URLCONF=PLANTED_URLS):
        answers = answers_of(data, name)
    causes = {cause.partition(": ")[2] for cause in answers.violations}
    assert all(any(cause.startswith(begin) for begin in FAILURES[name]) for cause in causes), (
        answers.summary()
    )
    assert len(causes) == len(FAILURES[name])
    assert answers.never == ([f"POST /api/v1/planted/{name}/"] if name == "never_succeeds" else [])
    assert {actor.name for actor in data.actors} == answers.sums(1).keys()


def test_the_planted_endpoints_are_gone_afterwards(data: MatrixData) -> None:
    answer: Any = PLAIN.get("/api/v1/planted/correct/")
    assert answer.status_code == 404
    assert not [path for path in document()["paths"] if "planted" in path]
