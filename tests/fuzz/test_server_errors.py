"""No request makes the server fail: mutated requests to every URL by every role, with a fixed seed.

More of them: ``uv run python -m tests.fuzz --requests 100000 --seed 2``.
"""

import os

import pytest

from tests.architecture.matrix import named_views
from tests.architecture.matrix_data import MatrixData
from tests.architecture.matrix_table import TABLE
from tests.fuzz.sender import run

pytestmark = pytest.mark.django_db
# The suite sends one to every URL.
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", len(TABLE)))
SEED = int(os.environ.get("FUZZ_SEED", "1"))


@pytest.mark.slow
def test_no_request_makes_the_server_fail(data: MatrixData, without_log: None) -> None:
    figures = run(data, TABLE, named_views(), requests=REQUESTS, seed=SEED)
    print(figures)
    assert figures.requests == REQUESTS
    assert figures.violations == {}, str(figures)
