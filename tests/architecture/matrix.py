"""Sends the requests of the permission matrix and compares each response with the access rules.

The functions take the views and the table, so that tests can plant a faulty view or row in a copy of the URLconf.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import Any, Literal

from django.db import connection, transaction
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from survey.access.decorators import access_of, may_open
from survey.access.roles import Permission
from tests.architecture.matrix_data import INSIDE, OUTSIDE, Actor, CachedUserBackend, MatrixData, RegionData
from tests.architecture.matrix_rows import Row
from tests.factories import prepare_base

type Outcome = Literal["open", "refused", "sign_in", "empty"]

AUDIT = "survey_auditevent"
# Permissions to read units by name.
NAMING = (
    Permission.RESPOND,
    Permission.VIEW_SHEETS,
    Permission.MANAGE_UNITS,
    Permission.DESIGN_SAMPLE,
)
# Pages about accounts and the audit trail name units of every region; their own permissions allow that.
ADMINISTRATION = {"accounts", "account", "roles_of", "audit"}
MAY_WRITE = re.compile(
    r"\b(insert|update|delete|merge|copy|truncate|call|do|nextval|setval)\b", re.IGNORECASE
)
# What pg_stat_xact_user_tables counts, without its join to the indexes of every table.
WRITTEN_ROWS = """
    SELECT relname, rows FROM (
        SELECT relname, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
                      + pg_stat_get_xact_tuples_deleted(oid) AS rows
        FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    ) counted WHERE rows > 0
"""


def named_views(urlconf: str | None = None) -> dict[str, Any]:
    """URL name -> view of every URL pattern; ``unnamed <route>`` for a pattern without a name."""
    views: dict[str, Any] = {}

    def walk(patterns: list[URLPattern | URLResolver]) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns)
            else:
                views[pattern.name or f"unnamed {pattern.pattern}"] = pattern.callback

    walk(get_resolver(urlconf).url_patterns)
    return views


def url_name(key: str) -> str:
    """The URL name in a key of the table: ``unit_exempt`` of ``unit_exempt:undo``."""
    return key.partition(":")[0]


def table_violations(views: Mapping[str, Any], table: Mapping[str, Row]) -> list[str]:
    """URLs without a name, an access rule or a row in the table, and rows without a URL."""
    names = {url_name(key) for key in table}
    return [
        *(f"{name}: the URL has no name" for name in views if name.startswith("unnamed ")),
        *(f"{name}: the view has no access rule" for name, view in views.items() if access_of(view) is None),
        *(f"{name}: no row in TABLE of matrix_table.py" for name in sorted(views.keys() - names)),
        *(f"{name}: a row without a URL" for name in sorted(names - views.keys())),
    ]


class WriteCounts:
    """Rows written in this transaction by table, as PostgreSQL counts them.

    The counts only grow, also over a rollback to a savepoint, so they are read again only after a statement that
    may write.
    """

    def __init__(self) -> None:
        self.last: Counter[str] | None = None

    def execute(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Execute wrapper of the connection: a statement with a writing keyword invalidates the last counts."""
        if self.last is not None and MAY_WRITE.search(str(sql)):
            self.last = None
        return execute(sql, params, many, context)

    def read(self, *, again: bool = False) -> Counter[str]:
        """The counts now; ``again`` asks PostgreSQL even when no writing statement was seen."""
        if again or self.last is None:
            with connection.cursor() as cursor:
                cursor.execute(WRITTEN_ROWS)
                self.last = Counter(dict(cursor.fetchall()))
        return self.last


WRITE_COUNTS = WriteCounts()
# Requests that were sent, by expected outcome, method and status of the response.
FIGURES: Counter[tuple[str, str, int]] = Counter()


@contextmanager
def built_data() -> Iterator[MatrixData]:
    """The rows that URLs name, built once inside a transaction that is rolled back at the end."""
    # A session in the cookie starts anew with each request and costs no query; nor does its user.
    without_queries = override_settings(
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        AUTHENTICATION_BACKENDS=["tests.architecture.matrix_data.CachedUserBackend"],
    )
    with without_queries, transaction.atomic():
        prepare_base()
        with connection.execute_wrapper(WRITE_COUNTS.execute):
            WRITE_COUNTS.last = None
            CachedUserBackend.users.clear()
            yield MatrixData.build()
        transaction.set_rollback(True)


class Attempt:
    """One request of one actor, rolled back afterwards: its response, the rows it wrote, its audit actions."""

    def __init__(
        self,
        data: MatrixData,
        key: str,
        row: Row,
        actor: Actor,
        region: RegionData,
        *,
        write: bool,
        enforce_csrf: bool = False,
    ) -> None:
        browser = actor.browser(strict=enforce_csrf)
        self.name = url_name(key)
        self.url = reverse(self.name, args=row.args(data, region)) + row.query
        self.is_api = self.name.startswith("api_")
        body = row.body(data, region, actor) if write and row.body else {}
        headers: dict[str, Any] = row.headers(region)
        self.response: Any
        with transaction.atomic():
            before = WRITE_COUNTS.read()
            if not write:
                self.response = browser.get(self.url, headers=headers)
            elif self.is_api:
                send = getattr(browser, row.method)
                self.response = send(
                    self.url, json.dumps(body), content_type="application/json", headers=headers
                )
            else:
                self.response = browser.post(self.url, body, headers=headers)
            after = WRITE_COUNTS.read(again=write)
            self.written = {table: count for table, count in (after - before).items() if count}
            self.audit_actions = _newest_actions(self.written[AUDIT]) if AUDIT in self.written else []
            transaction.set_rollback(True)

    @property
    def status(self) -> int:
        """HTTP status of the response."""
        return int(self.response.status_code)


def _newest_actions(count: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT action FROM survey_auditevent ORDER BY id DESC LIMIT %s", [count])
        return [action for (action,) in cursor.fetchall()]


def expected(row: Row, view: Any, actor: Actor, region: RegionData, *, write: bool) -> Outcome:
    """The outcome that access rule and row demand.

    ``sign_in``: sent to the sign-in page. ``empty``: allowed, but the actor's scope holds no sheets to write.
    """
    if access_of(view) == "public":
        return "open"
    if actor.user is None:
        return "sign_in"
    permission = row.may if write else row.reads
    allowed = actor.user.has(permission) if permission else may_open(view, actor.user)
    if row.owner and actor.name != row.owner:
        return "refused"
    if not allowed or (row.scoped and region.code not in actor.sees):
        return "refused"
    if write and row.nation and not {INSIDE, OUTSIDE} <= actor.sees:
        return "refused"
    return "empty" if write and row.area and not actor.sees else "open"


def response_violations(row: Row, attempt: Attempt, outcome: Outcome, *, write: bool) -> Iterator[str]:
    """Sentences about what in a response, or in what it wrote, differs from the expected outcome."""
    status = attempt.status
    changed = attempt.written.keys() - {AUDIT}
    if status >= 500:
        yield f"failed with {status}"
    elif outcome == "sign_in":
        if attempt.is_api and status not in {401, 403}:
            yield f"an API client without a session got {status}"
        if not attempt.is_api and (status != 302 or "/sign-in/" not in attempt.response.url):
            yield f"not sent to sign in: {status}"
        if attempt.written:
            yield f"wrote {attempt.written} without a session"
    elif outcome == "refused":
        if status not in {404, 405} | ({403} if attempt.is_api else set()):
            yield f"not refused: {status}"
        if changed:
            yield f"refused, but wrote {attempt.written}"
        if status != 405 and attempt.audit_actions != ["access_refused"]:
            yield f"audit actions are {attempt.audit_actions}"
    elif outcome == "empty":
        if changed:
            yield f"no sheet is in scope, but wrote {attempt.written}"
    elif write and row.body is None:
        if status != 405:
            yield f"takes POST ({status}), so its row needs a body"
    elif write:
        if status in {403, 404, 405}:
            yield f"not open: {status}"
        if row.writes and (status not in {200, 201, 202, 204, 302} or not changed):
            yield f"changed nothing: {status}, wrote {attempt.written}"
    elif status not in ({200, 302, 405} if row.body else {200, 302}):
        yield f"not open: {status}"


def units_out_of_scope(data: MatrixData, actor: Actor, attempt: Attempt) -> Iterator[tuple[str, str]]:
    """(region, unit) of each unit that a response names and that is not in the actor's scope."""
    reads = actor.user is not None and any(actor.user.has(permission) for permission in NAMING)
    text = "" if attempt.name in ADMINISTRATION else attempt.response.content.decode(errors="replace")
    for code, region in data.regions.items():
        if code in actor.sees and reads:
            continue
        for row in region.sheets.values():
            if row.unit.uscc in text or row.unit.name in text:
                yield code, row.unit.name


def row_violations(data: MatrixData, key: str, row: Row, view: Any) -> list[str]:
    """Requests a URL as every actor, reading and writing, in both regions, and lists the wrong responses."""
    outcomes: Counter[str] = Counter()
    violations: list[str] = []
    for actor, region, write in product(data.actors, data.regions.values(), (False, True)):
        outcome = expected(row, view, actor, region, write=write)
        inside = expected(row, view, actor, data.regions[INSIDE], write=write)
        # The second region only matters for scoped rows and actors who may open the row of the first.
        if region.code == OUTSIDE and (not row.scoped or inside != "open"):
            continue
        outcomes[outcome] += 1
        attempt = Attempt(data, key, row, actor, region, write=write)
        method = (row.method.upper() if attempt.is_api else "POST") if write else "GET"
        FIGURES[outcome, method, attempt.status] += 1
        violations += [
            f"{actor.name} {attempt.url} shows {unit} of {code}"
            for code, unit in units_out_of_scope(data, actor, attempt)
        ]
        violations += [
            f"{actor.name} {'POST' if write else 'GET'} {attempt.url} ({region.code}): {violation}"
            for violation in response_violations(row, attempt, outcome, write=write)
        ]
    if not outcomes["open"]:
        violations.append(f"{key}: open to no actor, so that the row tests no permitted request")
    return violations


def csrf_violations(data: MatrixData, key: str, row: Row, view: Any) -> list[str]:
    """What a permitted POST without a CSRF token does other than being refused with 403."""
    region = data.regions[INSIDE]
    if row.body is None:
        return []
    actor = next(actor for actor in data.actors if expected(row, view, actor, region, write=True) == "open")
    attempt = Attempt(data, key, row, actor, region, write=True, enforce_csrf=True)
    if attempt.status != 403 or attempt.written.keys() - {AUDIT}:
        return [f"{key}: POST without a CSRF token gave {attempt.status}, wrote {attempt.written}"]
    return []
