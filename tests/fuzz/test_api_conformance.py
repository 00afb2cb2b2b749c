"""What the OpenAPI document promises holds for generated requests of every role.

More of them: ``uv run python -m tests.fuzz.api --requests 100000 --seed 2``.
"""

import os
from pathlib import Path

import pytest

from tests.architecture.matrix import named_views
from tests.architecture.matrix_data import MatrixData
from tests.architecture.matrix_table import TABLE
from tests.fuzz.conformance import Answers, document, run

pytestmark = pytest.mark.django_db
REQUESTS, SEED = int(os.environ.get("FUZZ_REQUESTS", "600")), int(os.environ.get("FUZZ_SEED", "1"))


@pytest.mark.slow
def test_answers_are_as_the_document_says(data: MatrixData, without_log: None) -> None:
    answers = Answers()
    try:
        run(data, TABLE, named_views(), requests=REQUESTS, seed=SEED, answers=answers)
    finally:  # what an interrupted run has found, too
        print(f"\n{answers.summary()}")
        if report := os.environ.get("FUZZ_REPORT"):
            Path(report).write_text(f"seed {SEED}\n{answers.summary(every=True)}\n", encoding="utf-8")
    assert answers.all.requests >= REQUESTS
    assert answers.violations == {}
    assert answers.never == []


def test_every_operation_names_its_refusals() -> None:
    operations = [
        operation
        for path in document()["paths"].values()
        for name, operation in path.items()
        if name != "parameters"
    ]
    assert len(operations) > 20
    for operation in operations:
        assert {"400", "401", "403", "404", "405", "406", "429", "503"} <= operation["responses"].keys()
        if "requestBody" in operation:
            assert {"409", "413", "415", "422", "507"} <= operation["responses"].keys()
            assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
