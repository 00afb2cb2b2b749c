"""pytest plugin of the first run: coverage keeps for each line which tests reach it, set-up included."""

from collections.abc import Iterator

import coverage
import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Lines run from here on belong to this test."""
    measured = coverage.Coverage.current()
    assert measured is not None, "start pytest by `coverage run`"
    measured.switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        measured.switch_context("")
