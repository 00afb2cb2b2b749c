"""No page or action fails in any state of what it is about, nor where nothing exists yet.

The requests are those of the permission matrix, with the sheet, run, release or design that they name replaced by
one in another state. There are many pairs of a request and a state: the suite takes one of ``EVERY``, another for each
seed, and ``uv run python -m tests.fuzz`` all of them.
"""

import os
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from estimation.design.models import SampleDesign
from estimation.releases.models import Release
from estimation.runs.models import EstimationRun
from survey.frame.models import FrameImport
from survey.sentences import as_written
from tests.architecture.matrix import expected, named_views, url_name
from tests.architecture.matrix_data import INSIDE, STATES, Actor, MatrixData
from tests.architecture.matrix_rows import Row
from tests.architecture.matrix_table import TABLE
from tests.fuzz.sender import Figures, send, valid_request

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
VIEWS = named_views()
FAILURE = as_written(text="x")
EVERY, SEED = int(os.environ.get("FUZZ_EVERY", "8")), int(os.environ.get("FUZZ_SEED", "1"))


def permitted(data: MatrixData, key: str, row: Row, *, writes: bool) -> Actor | None:
    """The first actor that may send the request."""
    for actor in data.actors:
        if expected(row, VIEWS[url_name(key)], actor, data.regions[INSIDE], write=writes) == "open":
            return actor
    return None


def _in_state(row: Any, state: str, **more: Any) -> Iterator[Any]:
    """The row in this state, stored over it, unless the database refuses the state; the test takes it back."""
    changed = copy(row)
    changed.state = state
    for name, value in more.items():
        setattr(changed, name, value)
    try:
        with transaction.atomic():
            changed.save()
    except DatabaseError:
        return
    yield changed


def variants(data: MatrixData) -> Iterator[tuple[str, MatrixData]]:
    """The data with everything that rows of the table name replaced by one in another state."""
    region = data.regions[INSIDE]
    for name in STATES:
        sheets = dict.fromkeys(STATES, region.sheets[name])
        yield f"sheet {name}", replace(data, regions={**data.regions, INSIDE: replace(region, sheets=sheets)})
    for state in EstimationRun.State.values:
        finished = state == EstimationRun.State.FINISHED
        for run in [data.finished] if finished else _in_state(data.queued, state, error=FAILURE):
            yield f"run {state}", replace(data, finished=run, queued=run, replicated=run)
    now = timezone.now()
    for state in Release.State.values:
        for release in _in_state(data.published, state, reason="x", embargo_until=now, published_at=now):
            yield f"release {state}", replace(data, draft=release, published=release)
    decided = {"withdrawal_reason": "x", "approved_by": data.external_file.uploaded_by, "approved_at": now}
    for state in SampleDesign.State.values:
        for name in ("draft", "drawn"):
            for design in _in_state(data.designs[name], state, **decided):
                yield f"{name} design {state}", replace(data, designs=dict.fromkeys(data.designs, design))
    for state in FrameImport.State.values:
        for frame_import in _in_state(data.frame_import, state, applied_at=now):
            yield f"import {state}", replace(data, frame_import=frame_import)


def test_no_state_makes_the_server_fail(data: MatrixData, without_log: None) -> None:
    figures = Figures()
    with transaction.atomic():
        before: Mapping[str, str] = {
            key: reverse(url_name(key), args=row.args(data, data.regions[INSIDE]))
            for key, row in TABLE.items()
        }
        seen, pair = set(), SEED
        for name, changed in variants(data):
            seen.add(name)
            kind = name.split(" ")[-2]
            for key, row in TABLE.items():
                if _is_about(key, row, changed, before[key], kind):
                    pair += 1
                    for writes in _ways(row) if pair % EVERY == 0 else ():
                        if actor := permitted(data, key, row, writes=writes):
                            request = valid_request(changed, key, row, actor, writes=writes)
                            send(request, actor, figures, f"{name} {key}")
        transaction.set_rollback(True)
    print(sorted(seen), figures)
    assert figures.requests > 1000 / EVERY
    assert {"release withdrawn", "run failed", "drawn design withdrawn", "sheet exempted"} <= seen
    assert figures.violations == {}, str(figures)


def _ways(row: Row) -> tuple[bool, ...]:
    """Whether the row is asked to be read, and to be written."""
    return (False, True) if row.body else (False,)


def _is_about(key: str, row: Row, changed: MatrixData, path: str, kind: str) -> bool:
    """Whether the row names what was replaced: its address is another one, or begins with the word."""
    other = reverse(url_name(key), args=row.args(changed, changed.regions[INSIDE]))
    return other != path or kind in key or (kind == "release" and key.startswith("public_"))


# What stays: who may do what, and what the program brings along.
KEPT = (
    "django_",
    "survey_user",
    "survey_roleassignment",
    "survey_region",
    "survey_auditevent",
    "auth_",
    "account_",
    "mfa_",
)


def _empty(keep: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if not name.startswith(keep)]
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")  # without the triggers of foreign keys
        for name in names:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")  # noqa: S608 the database's own names
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_no_page_fails_where_nothing_exists_yet(data: MatrixData, without_log: None) -> None:
    figures = Figures()
    requests = [
        (key, actor, valid_request(data, key, row, actor, writes=writes))
        for key, row in TABLE.items()
        for writes in _ways(row)
        if (actor := permitted(data, key, row, writes=writes))
    ]
    with transaction.atomic():
        _empty(KEPT)
        for key, actor, request in requests:
            send(request, actor, figures, key)
        transaction.set_rollback(True)
    print(figures)
    assert figures.requests > 200
    assert figures.violations == {}, str(figures)
