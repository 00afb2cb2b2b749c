"""What the OpenAPI document promises holds for generated requests of every role.

More of them: ``uv run python -m tests.fuzz.api --requests 100000 --seed 2``.
"""

import os

import pytest

from tests.architecture.matrix_data import MatrixData
from tests.architecture.matrix_table import TABLE
from tests.fuzz.conformance import document, run

pytestmark = pytest.mark.django_db
REQUESTS, SEED = int(os.environ.get("FUZZ_REQUESTS", "0")), int(os.environ.get("FUZZ_SEED", "1"))


@pytest.mark.slow
@pytest.mark.skipif(REQUESTS == 0, reason="a command of its own: python -m tests.fuzz.api")
def test_answers_are_as_the_document_says(data: MatrixData, without_log: None) -> None:
    figures = run(data, TABLE, requests=REQUESTS, seed=SEED)
    print(figures)
    assert figures.requests >= REQUESTS
    assert figures.violations == {}, str(figures)


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
            assert {"409", "413", "415", "422"} <= operation["responses"].keys()
