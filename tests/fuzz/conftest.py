"""The rows of the permission matrix for the fuzz tests, and no log of the refused requests."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.architecture.matrix import built_data
from tests.architecture.matrix_data import MatrixData


@pytest.fixture(scope="package")
def data(django_db_setup: None, django_db_blocker: Any) -> Iterator[MatrixData]:
    """The rows of the permission matrix, built once for all files of this folder, which run in one worker."""
    with django_db_blocker.unblock(), built_data() as built:
        yield built


@pytest.fixture
def without_log() -> Iterator[None]:
    """Nothing is logged: thousands of requests are refused on purpose."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
