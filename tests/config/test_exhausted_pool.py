"""A request that gets no connection from the pool is answered with 503, writes nothing, and succeeds when repeated."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import translation
from psycopg_pool import PoolTimeout

from config.errors import outage_in
from survey.submissions.models import Submission, SubmissionEvent
from tests.concurrency import Actor, connection_pool
from tests.config.saving import a_save


@pytest.fixture(autouse=True)
def pool(transactional_db: None) -> Iterator[Any]:
    """The pool of this process has one connection and refuses soon."""
    with connection_pool(max_size=1, timeout=0.1) as small:
        yield small


@contextmanager
def exhausted() -> Iterator[None]:
    """Another thread holds the only connection."""
    connection.close()
    holder = Actor(lambda: None, held=True)
    holder.start()
    assert holder.acted.wait(30)
    try:
        yield
    finally:
        assert holder.end().error is None


def test_the_error_is_that_of_the_pool(pool: Any) -> None:
    with exhausted(), pytest.raises(Exception, match="couldn't get a connection") as caught:
        connection.ensure_connection()
    assert isinstance(outage_in(caught.value), type(caught.value))
    assert isinstance(caught.value.__cause__, PoolTimeout)
    assert pool.max_size == 1


def test_a_save_without_a_connection_is_503_and_the_repeated_save_succeeds(committed_world: Any) -> None:
    browser, url, body, row = a_save(committed_world)
    events = SubmissionEvent.objects.filter(submission=row)
    before = events.count()
    with exhausted():
        refused = browser.post(url, body, headers={"HX-Request": "true"})
    assert (refused.status_code, refused.headers.get("Retry-After")) == (503, "15"), refused.content[:300]
    assert "sessionid" not in refused.cookies  # the person stays signed in
    stored = Submission.objects.get(pk=row.pk)
    assert (stored.answers, stored.revision, events.count()) == (row.answers, row.revision, before)

    connection.close()
    assert browser.post(url, body, headers={"HX-Request": "true"}).status_code == 200
    stored = Submission.objects.get(pk=row.pk)
    assert (stored.answers["P01"]["value"], stored.revision, events.count()) == (
        "4321",
        row.revision + 1,
        before + 1,
    )


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hans", "系统暂时无法响应"), ("en", "resting for a moment")]
)
def test_a_page_says_so_in_the_language_of_the_person(
    committed_world: Any, language: str, words: str
) -> None:
    browser, _url, _body, row = a_save(committed_world)
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    with exhausted():
        refused = browser.get(reverse("sheet_hub", args=[row.pk]))
    translation.activate("zh-hans")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "15")
    assert words in refused.content.decode()


def test_the_interface_for_machines_answers_a_problem(committed_world: Any) -> None:
    browser, _url, _body, row = a_save(committed_world)
    with exhausted():
        refused = browser.get(reverse("api_sheet", args=[row.pk]))
    assert (refused.status_code, refused.headers["Content-Type"]) == (503, "application/problem+json")
    assert refused.json()["status"] == 503
