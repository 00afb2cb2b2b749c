"""``manage.py migrate`` waits for a table in short tries, so that others get it between them."""

import io
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection, transaction

from survey.management.commands import migrate
from tests.concurrency import LIMIT, Actor
from tests.drills.system import wait_for

READ = "SELECT 1 FROM survey_contactnote LIMIT 1"
INDEX = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('planted')"


def execute(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def columns() -> bool:
    return bool(execute("SELECT 1 FROM pg_attribute WHERE attname = 'planted' AND NOT attisdropped"))


def migrate_to(name: str, stream: Any = None, **options: Any) -> None:
    call_command("migrate", "humanize", name, verbosity=0, stderr=stream or io.StringIO(), **options)


@pytest.fixture
def planted(transactional_db: None, settings: Any) -> Iterator[None]:
    settings.MIGRATION_MODULES = {"humanize": "tests.upgrade.migrations"}
    yield
    migrate_to("zero")


def read_in_time() -> bool:
    """Whether a page gets the table within a second of waiting."""
    try:
        with transaction.atomic():
            execute(f"SET LOCAL lock_timeout = '1s'; {READ}")
    except OperationalError:
        return False
    return True


def waits_for(pattern: str) -> bool:
    asked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE"
    return bool(execute(f"{asked} '{pattern}' AND datname = current_database()"))


def contains(output: io.StringIO, words: str) -> bool:
    return words in output.getvalue()


def test_a_waiting_change_of_a_table_lets_others_through(planted: None) -> None:
    for seconds, others in ((0.1, True), (0, False)):
        stream = io.StringIO()
        reader = Actor(lambda: execute(READ), held=True)
        change = Actor(partial(migrate_to, "0001", stream, lock_seconds=seconds, tries=10_000))
        reader.start()
        assert reader.acted.wait(LIMIT)
        change.start()
        if others:
            wait_for(partial(contains, stream, "in use"), "the change does not try again")
        else:
            wait_for(lambda: waits_for("ALTER TABLE survey_contactnote%"), "the change does not wait")
        assert read_in_time() is others  # without a limit everybody stands behind the change
        reader.end()
        assert change.end().error is None
        assert columns()
        migrate_to("zero")


def test_an_index_waits_for_writers_without_limit(planted: None) -> None:
    migrate_to("0001")
    writer = Actor(lambda: execute("UPDATE survey_contactnote SET planted = ''"), held=True)
    index = Actor(lambda: migrate_to("0002", lock_seconds=0.01, tries=1))
    writer.start()
    assert writer.acted.wait(LIMIT)
    index.start()
    wait_for(lambda: waits_for("CREATE INDEX CONCURRENTLY%"), "the index does not wait")
    execute("SELECT pg_sleep(0.1)")
    assert read_in_time()
    writer.end()
    assert index.end().error is None
    assert execute(INDEX) == [(True,)]


def test_an_index_that_was_not_finished_is_built_anew(planted: None) -> None:
    migrate_to("0001")
    execute("CREATE INDEX planted ON survey_contactnote (planted)")
    with pytest.raises(Exception, match="already exists"):
        migrate_to("0002")
    execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'planted'::regclass")
    stream = io.StringIO()
    migrate_to("0002", stream)
    assert "planted was not finished" in stream.getvalue()
    assert execute(INDEX) == [(True,)]


def test_limits_end_in_a_sentence(planted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Actor(lambda: execute(READ), held=True)
    reader.start()
    assert reader.acted.wait(LIMIT)
    with pytest.raises(CommandError, match="in use at each of 2 tries"):
        migrate_to("0001", lock_seconds=0.01, tries=2)
    with pytest.raises(CommandError, match=r"held its lock for more than 0\.01 s"):
        migrate_to("0001", lock_seconds=0, statement_seconds=0.01)
    reader.end()
    holder = Actor(
        lambda: execute(f"SELECT pg_advisory_xact_lock(hashtextextended('{migrate.LOCK}', 0))"), held=True
    )
    holder.start()
    assert holder.acted.wait(LIMIT)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(CommandError, match="Another process"):
        migrate_to("0001", tries=2)
    holder.end()
    assert execute("SHOW lock_timeout") == execute("SHOW statement_timeout") == [("0",)]
