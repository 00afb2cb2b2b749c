"""The same form from two connections at once: the second request waits for the first and inserts nothing.

Walks the same rows of the permission matrix as ``test_idempotency``, on committed data. Requests that an earlier one
has made impossible (a sheet that was accepted meanwhile) are counted, and only few may be.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import override_settings

from survey.collection.models import CollectionRound
from tests.architecture.matrix import expected, url_name
from tests.architecture.matrix_data import INSIDE, CachedUserBackend, MatrixData
from tests.architecture.matrix_rows import Row
from tests.architecture.matrix_table import TABLE
from tests.architecture.test_idempotency import NOT_GUARDED, VIEWS, WRITING, send
from tests.concurrency import race

INSERTED = """
    SELECT relname, pg_stat_get_xact_tuples_inserted(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_stat_get_xact_tuples_inserted(oid) > 0
"""
TABLES = sorted(
    model._meta.db_table for model in apps.get_models(include_auto_created=True) if not model._meta.proxy
)
MOST_IMPOSSIBLE = 25


@pytest.fixture
def data(transactional_db: None) -> Iterator[MatrixData]:
    """The rows that URLs name, committed, and deleted afterwards."""
    settings = override_settings(
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        AUTHENTICATION_BACKENDS=["tests.architecture.matrix_data.CachedUserBackend"],
    )
    rounds = list(CollectionRound.objects.all())  # rows of the base, which requests close and open
    with settings:
        CachedUserBackend.users.clear()
        yield MatrixData.build()
        for row in rounds:
            row.save()


def _counts() -> Counter[str]:
    counts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in TABLES)  # noqa: S608 names of tables
    with connection.cursor() as cursor:
        cursor.execute(counts)
        return Counter(dict(cursor.fetchall()))


def _post_and_count(post: Any) -> tuple[Any, Counter[str]]:
    """The response, and the rows that the open transaction has inserted by table."""
    response = post()
    with connection.cursor() as cursor:
        cursor.execute(INSERTED)
        return response, Counter(dict(cursor.fetchall()))


def doubled(data: MatrixData, key: str, row: Row, once: str) -> list[str] | None:
    """What two equal requests at once did other than one of them would. None when the first was refused."""
    region, view = data.regions[INSIDE], VIEWS[url_name(key)]
    actor = next(
        candidate for candidate in data.actors if expected(row, view, candidate, region, write=True) == "open"
    )
    assert row.body is not None
    url_args, headers = row.args(data, region), row.headers(region)
    fixed = Row(args=lambda *_: url_args, method=row.method, headers=lambda _: headers, query=row.query)
    bodies = row.body(data, region, actor), row.body(data, region, actor)
    posts = [partial(send, data, key, fixed, actor, body, once) for body in bodies]
    before = _counts()
    first, second = race(partial(_post_and_count, posts[0]), posts[1])
    if first.error or first.value[0].status_code >= 400:
        return None
    response, inserted = first.value
    new = {table: rows for table, rows in (_counts() - before).items() if rows > inserted[table]}
    differences = [f"more rows than one request inserts: {new}"] if new else []
    if second.error or not second.waited:
        differences.append(f"the second did not wait: {second}")
    elif second.value.status_code != response.status_code:
        differences.append(f"{response.status_code} first, then {second.value.status_code}")
    return [f"{key}: {violation}" for violation in differences]


def test_two_equal_requests_at_once_insert_the_rows_of_one(data: MatrixData) -> None:
    results = {
        key: doubled(data, key, TABLE[key], f"{key} at once")
        for key in WRITING
        if url_name(key) not in NOT_GUARDED
    }
    impossible = [key for key, differences in results.items() if differences is None]
    assert [violation for differences in results.values() for violation in differences or ()] == []
    assert len(impossible) <= MOST_IMPOSSIBLE, impossible
    assert len(results) - len(impossible) > 50


def test_without_the_key_both_requests_insert_rows(data: MatrixData) -> None:
    assert all(doubled(data, key, TABLE[key], "") for key in ("unit_note", "jobs", "sheet_share"))
