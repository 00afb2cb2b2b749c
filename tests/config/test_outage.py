"""A database connection that is lost at any place of a request is answered with 503, and the repeated request succeeds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.db import InternalError, connection, transaction
from django.urls import reverse

from config.errors import outage_in
from survey.submissions.models import Submission
from tests.config.saving import a_save


def end_own_backend() -> None:
    """Terminate the backend of this thread's connection from another connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    given = connection.get_connection_params()
    address = {name: given[name] for name in ("host", "port", "user", "dbname") if given.get(name)}
    with psycopg.connect(**address, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@contextmanager
def lost_before(place: str) -> Iterator[None]:
    """The connection is lost once, immediately before ``place`` is called."""
    calls: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        target, _dot, name = place.rpartition(".")
        owner = resolve_name(target)
        original = getattr(owner, name)

        def called(*args: Any, **options: Any) -> Any:
            if not calls:
                calls.append(1)
                end_own_backend()
            return original(*args, **options)

        patch.setattr(owner, name, called)
        yield
    assert calls, f"{place} was not called"


PLACES = (
    "survey.access.own_sessions.storage.SessionStore.load",  # before the view
    "survey.submissions.page.views.read_cells",
    "survey.submissions.page.views.fragment_context",  # after the save is committed
    "django.contrib.sessions.backends.db.SessionStore.save",  # after the view
)


@pytest.mark.parametrize("place", PLACES)
def test_a_lost_connection_is_503_and_the_repeated_save_succeeds(committed_world: Any, place: str) -> None:
    browser, url, body, row = a_save(committed_world)
    htmx = {"HX-Request": "true"}
    with lost_before(place):
        lost = browser.post(url, body, headers=htmx)
    connection.close()
    assert (lost.status_code, lost.headers.get("Retry-After")) == (503, "15"), lost.content[:300]
    assert browser.post(url, body, headers=htmx).status_code == 200
    assert Submission.objects.get(pk=row.pk).answers["P01"]["value"] == "4321"


def test_a_lost_connection_is_503_for_the_interface_for_machines(committed_world: Any) -> None:
    browser, _url, _body, row = a_save(committed_world)
    with lost_before("survey.submissions.api.SheetDetail.get"):
        lost = browser.get(reverse("api_sheet", args=[row.pk]))
    connection.close()
    assert (lost.status_code, lost.headers["Content-Type"]) == (503, "application/problem+json")


def test_a_session_that_was_ended_during_the_request_is_401(committed_world: Any) -> None:
    browser, url, body, _row = a_save(committed_world)
    with pytest.MonkeyPatch.context() as patch:
        original = SessionStore.save

        def ended(store: Any, *args: Any, **options: Any) -> Any:
            Session.objects.all().delete()
            return original(store, *args, **options)

        patch.setattr(SessionStore, "save", ended)
        answer = browser.post(url, body, headers={"HX-Request": "true"})
    assert answer.status_code == 401


@pytest.mark.django_db
def test_a_statement_that_is_refused_without_an_outage_is_none() -> None:
    with pytest.raises(InternalError) as caught, transaction.atomic(), connection.cursor() as cursor:  # noqa: PT012 the block is the case
        try:
            cursor.execute("SELECT 1/0")
        except Exception:
            connection.needs_rollback = False
        cursor.execute("SELECT 1")
    assert outage_in(caught.value) is None
    assert outage_in(SessionInterrupted()) is None
