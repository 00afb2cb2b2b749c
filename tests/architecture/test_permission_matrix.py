"""Every URL x everybody x inside and outside one's scope x reading and writing.

The expected answer comes from the mark on the view (``@requires`` and its sisters, or the ``permission`` of
an endpoint) and from ``TABLE``, which says how a URL is filled. A URL without a line there fails. A refused
request is a 404 (403 for machines), leaves one row in the audit trail and changes nothing else; PostgreSQL
itself is asked what was written, so that a write that is taken back or changes nothing is seen, too.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from survey.access.decorators import access_of, may_open
from survey.access.roles import Permission, Role
from tests.architecture.matrix_stage import INSIDE, OUTSIDE, Actor, Place, Remembered, Stage
from tests.architecture.matrix_table import TABLE, Row

pytestmark = pytest.mark.django_db
TRAIL = "survey_auditevent"
NAMING = (
    Permission.RESPOND,
    Permission.VIEW_SHEETS,
    Permission.MANAGE_UNITS,
    Permission.DESIGN_SAMPLE,
)
# Accounts and the audit trail name the units of people and acts; their permissions are for exactly that.
ADMINISTRATION = {"accounts", "account", "roles_of", "audit"}
MAY_WRITE = re.compile(
    r"\b(insert|update|delete|merge|copy|truncate|call|do|nextval|setval)\b", re.IGNORECASE
)
# What pg_stat_xact_user_tables counts, without its join to the indexes of every table.
WRITTEN = """
    SELECT relname, rows FROM (
        SELECT relname, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
                      + pg_stat_get_xact_tuples_deleted(oid) AS rows
        FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    ) counted WHERE rows > 0
"""


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """The world, built once inside a transaction that is taken back at the end."""
    from tests.factories import prepare_base

    # A session in the cookie starts anew with every attempt and costs no query, nor does the person behind it.
    quick = override_settings(
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        AUTHENTICATION_BACKENDS=[
            "axes.backends.AxesStandaloneBackend",
            "tests.architecture.matrix_stage.Remembered",
        ],
    )
    with django_db_blocker.unblock(), quick, transaction.atomic():
        prepare_base()
        with connection.execute_wrapper(LEDGER.note):
            LEDGER.last = None
            Remembered.known.clear()
            yield Stage.build()
        transaction.set_rollback(True)


def named_patterns() -> dict[str, Any]:
    """URL name -> callback, of every URL of the site; a URL without a name has its route here."""
    found: dict[str, Any] = {}

    def walk(patterns: list[URLPattern | URLResolver]) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns)
            else:
                found[pattern.name or f"unnamed {pattern.pattern}"] = pattern.callback

    walk(get_resolver().url_patterns)
    return found


VIEWS = named_patterns()


def test_every_url_has_a_name_and_an_access_mark() -> None:
    assert len(VIEWS) > 70
    assert [
        name for name, view in VIEWS.items() if name.startswith("unnamed") or access_of(view) is None
    ] == []


def test_every_url_has_a_line_in_the_table() -> None:
    missing = VIEWS.keys() - {key.partition(":")[0] for key in TABLE}
    assert not missing, f"add to TABLE in matrix_table.py: {sorted(missing)}"
    assert {key.partition(":")[0] for key in TABLE} <= VIEWS.keys()


def test_every_role_is_an_actor(stage: Stage) -> None:
    assert {role.value for role in Role} <= {actor.name for actor in stage.actors}


class Attempt:
    """One request of one actor, taken back afterwards, and what it wrote."""

    def __init__(
        self, stage: Stage, key: str, actor: Actor, place: Place, *, write: bool, strict: bool = False
    ) -> None:
        row, browser = TABLE[key], actor.browser(strict=strict)
        self.name = key.partition(":")[0]
        self.url = reverse(self.name, args=row.args(stage, place)) + row.query
        self.machine = self.name.startswith("api_")
        body = row.body(stage, place, actor) if write and row.body else {}
        headers: dict[str, Any] = row.headers(place)
        with transaction.atomic():
            before = _written()
            if not write:
                self.answer = browser.get(self.url, headers=headers)
            elif self.machine:
                send = getattr(browser, row.method)
                self.answer = send(
                    self.url, json.dumps(body), content_type="application/json", headers=headers
                )
            else:
                self.answer = browser.post(self.url, body, headers=headers)
            self.wrote = {table: n for table, n in (_written(ask=write) - before).items() if n}
            self.trail = _newest(self.wrote[TRAIL]) if TRAIL in self.wrote else []
            transaction.set_rollback(True)

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return int(self.answer.status_code)


def _newest(count: int) -> list[str]:
    """Actions of the last rows of the trail, newest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT action FROM survey_auditevent ORDER BY id DESC LIMIT %s", [count])
        return [action for (action,) in cursor.fetchall()]


class Ledger:
    """Rows written so far in this transaction by table. The counts only grow, also over what is taken back, so
    PostgreSQL need not be asked again while nothing was sent to it that could write."""

    last: Counter[str] | None = None

    def note(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Wrapper of every statement; whatever has a writing word anywhere makes the last answer old."""
        if self.last is not None and MAY_WRITE.search(str(sql)):
            self.last = None
        return execute(sql, params, many, context)


LEDGER = Ledger()


def _written(*, ask: bool = False) -> Counter[str]:
    if ask or LEDGER.last is None:
        with connection.cursor() as cursor:
            cursor.execute(WRITTEN)
            LEDGER.last = Counter(dict(cursor.fetchall()))
    return LEDGER.last


def expected(row: Row, view: Any, actor: Actor, place: Place, *, write: bool) -> str:
    """``open``; ``refused``; ``door`` for whom is sent to sign in; ``idle`` where nothing lies in scope."""
    if access_of(view) == "public":
        return "open"
    if actor.user is None:
        return "door"
    wanted = row.may if write else row.reads
    allowed = actor.user.has(wanted) if wanted else may_open(view, actor.user)
    if row.owner and actor.name != row.owner:
        return "refused"
    if not allowed or (row.scoped and place.region not in actor.sees):
        return "refused"
    if write and row.nation and not {INSIDE, OUTSIDE} <= actor.sees:
        return "refused"
    return "idle" if write and row.area and not actor.sees else "open"


def faults(row: Row, attempt: Attempt, wanted: str, *, write: bool) -> Iterator[str]:
    """What is wrong with an answer, in words."""
    status = attempt.status
    changed = attempt.wrote.keys() - {TRAIL}
    if status >= 500:
        yield f"crashed with {status}"
    elif wanted == "door":
        if attempt.machine and status not in {401, 403}:
            yield f"a machine without a session got {status}"
        if not attempt.machine and (status != 302 or "/sign-in/" not in attempt.answer.url):
            yield f"not sent to sign in: {status}"
        if attempt.wrote:
            yield f"wrote {attempt.wrote} for nobody"
    elif wanted == "refused":
        if status not in {404, 405} | ({403} if attempt.machine else set()):
            yield f"not refused: {status}"
        if changed:
            yield f"refused, and yet wrote {attempt.wrote}"
        if status != 405 and attempt.trail != ["access_refused"]:
            yield f"audit says {attempt.trail}"
    elif wanted == "idle":
        if changed:
            yield f"nothing is in scope, and yet wrote {attempt.wrote}"
    elif write and row.body is None:
        if status != 405:
            yield f"takes POST ({status}), so TABLE needs a body"
    elif write:
        if status in {403, 404, 405}:
            yield f"not open: {status}"
        if row.writes and (status not in {200, 201, 202, 302} or not changed):
            yield f"did nothing: {status}, wrote {attempt.wrote}"
    elif status not in ({200, 302, 405} if row.body else {200, 302}):
        yield f"not open: {status}"


def leaks(stage: Stage, actor: Actor, attempt: Attempt) -> Iterator[tuple[str, str]]:
    """Units that an answer names although they are not in the actor's scope: lists and exports are 200, too."""
    reads = actor.user is not None and any(actor.user.has(one) for one in NAMING)
    text = "" if attempt.name in ADMINISTRATION else attempt.answer.content.decode(errors="replace")
    for region, place in stage.places.items():
        if region in actor.sees and reads:
            continue
        for row in place.sheets.values():
            if row.unit.uscc in text or row.unit.name in text:
                yield region, row.unit.name


@pytest.mark.parametrize("key", TABLE)
def test_everybody_meets_what_the_marks_say(stage: Stage, key: str) -> None:
    row, view = TABLE[key], VIEWS[key.partition(":")[0]]
    seen: Counter[str] = Counter()
    found: list[str] = []
    for actor, place, write in product(stage.actors, stage.places.values(), (False, True)):
        wanted = expected(row, view, actor, place, write=write)
        inside = expected(row, view, actor, stage.places[INSIDE], write=write)
        # Outside only matters to those who are let in inside, and where a row is named.
        if place.region == OUTSIDE and (not row.scoped or inside != "open"):
            continue
        seen[wanted] += 1
        attempt = Attempt(stage, key, actor, place, write=write)
        found += [
            f"{actor.name} {attempt.url} shows {unit} of {region}"
            for region, unit in leaks(stage, actor, attempt)
        ]
        found += [
            f"{actor.name} {'POST' if write else 'GET'} {attempt.url} ({place.region}): {fault}"
            for fault in faults(row, attempt, wanted, write=write)
        ]
    assert found == []
    assert seen["open"], "nobody may do this: what the table posts proves nothing"


def test_no_write_goes_without_a_csrf_token(stage: Stage) -> None:
    place = stage.places[INSIDE]
    for key, row in TABLE.items():
        view = VIEWS[key.partition(":")[0]]
        able = (a for a in stage.actors if expected(row, view, a, place, write=True) == "open")
        if row.body is not None:
            attempt = Attempt(stage, key, next(able), place, write=True, strict=True)
            assert attempt.status == 403, key
            assert not attempt.wrote.keys() - {TRAIL}, key


class _Answered:
    """An attempt as ``faults`` reads it."""

    def __init__(self, status: int, wrote: dict[str, int], trail: list[str]) -> None:
        self.status, self.wrote, self.trail, self.machine = status, wrote, trail, False


def test_planted_faults_of_answers_are_found() -> None:
    row = next(row for row in TABLE.values() if row.body is not None and row.writes)
    kept: Any = _Answered(404, {TRAIL: 1}, ["access_refused"])
    shown: Any = _Answered(200, {}, [])
    wrote: Any = _Answered(404, {TRAIL: 1, "survey_submission": 1}, ["access_refused"])
    idle: Any = _Answered(200, {}, [])
    assert list(faults(row, kept, "refused", write=True)) == []
    assert list(faults(row, shown, "refused", write=False)) == ["not refused: 200", "audit says []"]
    assert [text.split(",")[0] for text in faults(row, wrote, "refused", write=True)] == ["refused"]
    assert list(faults(row, idle, "open", write=True)) == ["did nothing: 200, wrote {}"]
