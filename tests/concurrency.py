"""Two actors on one database, each a thread with its own connection and transaction.

``race`` fixes the order, so that a race ends the same way every time: the first actor does all its work and keeps
its transaction open; the second starts and either waits for a lock of the first or runs through; then the first
commits. ``without_row_locks`` and ``with_conditions_read_first`` plant the defects that these tests guard against.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import Max

from survey.ledgers.storage import protection_lifted

LIMIT = 30.0  # seconds after which an actor counts as stuck
PAUSE = 0.005


@dataclass(slots=True)
class Outcome:
    """What an actor returned or raised, and whether it had to wait for the other one's lock."""

    value: Any = None
    error: Exception | None = None
    waited: bool = False


class Actor(Thread):
    """Runs one function in its own connection. With ``held`` its transaction stays open until ``let_go``."""

    def __init__(self, act: Callable[[], Any], *, held: bool = False) -> None:
        super().__init__(daemon=True)
        self.act, self.held = act, held
        self.outcome = Outcome()
        self.pid = 0
        self.connected, self.acted, self.let_go = Event(), Event(), Event()

    def run(self) -> None:
        """Called by ``start``."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self.pid = cursor.fetchone()[0]
            self.connected.set()
            if self.held:
                with transaction.atomic():
                    self.outcome.value = self.act()
                    self.acted.set()
                    self.let_go.wait(LIMIT)
            else:
                self.outcome.value = self.act()
        except Exception as error:  # handed over to the test, which says whether it is the right one
            self.outcome.error = error
        finally:
            self.connected.set()
            self.acted.set()
            connection.close()

    def end(self) -> Outcome:
        """Wait for the thread to be over. Raises TimeoutError."""
        self.let_go.set()
        self.join(LIMIT)
        if self.is_alive():
            raise TimeoutError("an actor does not end")
        return self.outcome


def race(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Outcome, Outcome]:
    """Both outcomes. ``second`` begins while everything that ``first`` wrote is neither committed nor undone.

    Raises TimeoutError when an actor does not end.
    """
    holder, other = Actor(first, held=True), Actor(second)
    holder.start()
    holder.acted.wait(LIMIT)
    other.start()
    try:
        other.connected.wait(LIMIT)
        other.outcome.waited = _waits_or_ends(other, holder)
    finally:
        outcomes = holder.end(), other.end()
    return outcomes


def _waits_or_ends(other: Actor, holder: Actor) -> bool:
    """True as soon as one actor is blocked by the other's transaction, False when it has ended before."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s = ANY(pg_blocking_pids(%s))", [holder.pid, other.pid])
            if cursor.fetchone()[0]:
                return True
        if other.acted.wait(PAUSE):
            return False
    raise TimeoutError("the second actor neither waits nor ends")


@contextmanager
def connection_pool(**options: Any) -> Iterator[Any]:
    """The pool of this process with other options. Connections of all threads share it."""
    shared = connection.settings_dict["OPTIONS"]
    pooled: Any = connection  # PostgreSQL's wrapper: others have no pool
    given = shared["pool"]
    _close_pool()
    shared["pool"] = {**given, **options}
    try:
        yield pooled.pool
    finally:
        _close_pool()
        shared["pool"] = given


def _close_pool() -> None:
    pooled: Any = connection
    pooled.close()
    pooled.close_pool()


@contextmanager
def without_row_locks(*guarded: type[models.Model]) -> Iterator[None]:
    """``select_for_update`` on these models reads without a lock, as if somebody had removed it."""
    original = models.QuerySet.select_for_update

    def plain(rows: models.QuerySet[Any], *args: Any, **options: Any) -> models.QuerySet[Any]:
        return rows.all() if rows.model in guarded else original(rows, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models.QuerySet, "select_for_update", plain)
        yield


@contextmanager
def with_conditions_read_first(*guarded: type[models.Model]) -> Iterator[None]:
    """``update`` on these models reads first which rows fulfil its condition, and then writes them in any case."""
    original = models.QuerySet.update

    def read_then_write(rows: models.QuerySet[Any], **values: Any) -> int:
        if rows.model in guarded:
            rows = rows.model._base_manager.filter(pk__in=list(rows.values_list("pk", flat=True)))
        return original(rows, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models.QuerySet, "update", read_then_write)
        yield


@contextmanager
def rows_deleted_afterwards() -> Iterator[None]:
    """Deletes what was committed inside. Rows that were there before must not be changed."""
    tables = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    last = {model: model._base_manager.aggregate(last=Max("pk"))["last"] for model in tables}
    try:
        yield
    finally:
        with protection_lifted():  # foreign keys are checked at its end
            for model, key in last.items():
                rows = model._base_manager.all() if key is None else model._base_manager.filter(pk__gt=key)
                rows._raw_delete(rows.db)
