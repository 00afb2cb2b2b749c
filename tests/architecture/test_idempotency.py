"""Forms and requests that create something are carried out once: every template and every URL is looked at.

Templates: each POST form has the hidden key, or a reason. URLs: each row of the permission matrix that writes is sent
twice with one key; the second request writes nothing and gets the response of the first.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from django.urls import reverse

from survey.idempotency.services import FIELD, HEADER
from tests.architecture.matrix import WRITE_COUNTS, expected, named_views, url_name
from tests.architecture.matrix_data import INSIDE, Browser, CachedUserBackend, MatrixData
from tests.architecture.matrix_rows import Row
from tests.architecture.matrix_table import TABLE

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
VIEWS = named_views()
POST_FORM = re.compile(r"<form\b[^>]*\bmethod=\"post\"[^>]*>(.*?)</form>", re.DOTALL)
TAG = "{% idempotency_key %}"
SIGNING_IN = "creates nothing but the session of this browser, which the second response needs as well"
OWN_STATE = "sets a state of the own account or session; the same state again changes nothing"
# Templates whose forms have no key, and why a repeated request does no harm there.
WITHOUT_KEY = {
    "base.html": "language and sign-out: nothing is created",
    "survey/access/sign_in/sign_in.html": SIGNING_IN,
    "survey/submissions/page/sign_in_again.html": SIGNING_IN,
    "survey/access/second_factor/challenge.html": SIGNING_IN,
    "survey/access/second_factor/setup.html": "the row of the account is locked and has one authenticator",
    "survey/access/second_factor/state.html": OWN_STATE,
    "survey/access/second_factor/passkey_new.html": "the challenge of a passkey is used up by the first request",
    "survey/access/second_factor/passkey_remove.html": OWN_STATE,
    "survey/access/sign_in/confirm.html": SIGNING_IN,
    "survey/access/activation/activate.html": SIGNING_IN,
    "survey/access/activation/activate_account.html": "the code is used up by the first request",
    "survey/access/activation/activate_notice.html": OWN_STATE,
    "survey/access/recovery/password_forgotten.html": "a second link is limited by account and address",
    "survey/access/recovery/password_renew.html": "the link is used up by the first request",
    "survey/access/password.html": OWN_STATE,
    "survey/access/own_sessions/sessions.html": OWN_STATE,
    "survey/access/notice.html": OWN_STATE,
    "survey/operations/state.html": "the failed job is locked, and after the first request it is no longer failed",
    "survey/submissions/page/section.html": "cells carry the revision on which they were typed",
}
# URLs of the matrix without the key, and why.
NOT_GUARDED = {
    name: WITHOUT_KEY[template]
    for template, names in {
        "base.html": ("sign_out", "set_language"),
        "survey/access/sign_in/sign_in.html": ("sign_in",),
        "survey/access/second_factor/challenge.html": ("second_factor",),
        "survey/access/activation/activate.html": ("activate",),
    }.items()
    for name in names
}


def forms_without_key(templates: Path) -> dict[str, int]:
    """Template -> number of its POST forms without the hidden key."""
    without = {}
    for path in sorted(templates.rglob("*.html")):
        forms = POST_FORM.findall(path.read_text(encoding="utf-8"))
        if missing := sum(TAG not in form for form in forms):
            without[path.relative_to(templates).as_posix()] = missing
    return without


def test_every_form_has_the_key_or_a_reason() -> None:
    assert len(list(TEMPLATES.rglob("*.html"))) > 150
    assert sorted(forms_without_key(TEMPLATES)) == sorted(WITHOUT_KEY)


def test_a_form_without_the_key_is_found(tmp_path: Path) -> None:
    (tmp_path / "new.html").write_text(
        f'<form method="post">{TAG}</form><form class="a"\n method="post"></form>'
    )
    assert forms_without_key(tmp_path) == {"new.html": 1}


@pytest.fixture(scope="module")
def data(django_db_setup: None, django_db_blocker: Any) -> Iterator[MatrixData]:
    """The rows that URLs name, inside a transaction that is rolled back at the end."""
    from tests.factories import prepare_base

    without_queries = override_settings(
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        AUTHENTICATION_BACKENDS=["tests.architecture.matrix_data.CachedUserBackend"],
    )
    with django_db_blocker.unblock(), without_queries, transaction.atomic():
        prepare_base()
        with connection.execute_wrapper(WRITE_COUNTS.execute):
            WRITE_COUNTS.last = None
            CachedUserBackend.users.clear()
            yield MatrixData.build()
        transaction.set_rollback(True)


def send(data: MatrixData, key: str, row: Row, actor: Any, body: dict[str, Any], once: str) -> Any:
    """Send the request of a row with an idempotency key, or without one when it is empty."""
    region = data.regions[INSIDE]
    name, browser = url_name(key), Browser()
    browser.cookies[settings.SESSION_COOKIE_NAME] = actor.session
    url = reverse(name, args=row.args(data, region)) + row.query
    headers = row.headers(region)
    if name.startswith("api_"):
        send = getattr(browser, row.method)
        headers = {**headers, HEADER: once} if once else headers
        return send(url, json.dumps(body), content_type="application/json", headers=headers)
    for value in body.values():
        if hasattr(value, "seek"):
            value.seek(0)
    return browser.post(url, {**body, FIELD: once} if once else body, headers=headers)


def repeats(data: MatrixData, key: str, row: Row, once: str = "a key") -> list[str]:
    """What the second of two equal requests does other than giving the first response."""
    region, view = data.regions[INSIDE], VIEWS[url_name(key)]
    actor = next(
        candidate for candidate in data.actors if expected(row, view, candidate, region, write=True) == "open"
    )
    violations = []
    with transaction.atomic():
        assert row.body is not None
        url_args = row.args(data, region)
        body = row.body(data, region, actor)
        fixed = Row(
            args=lambda data, region: url_args, method=row.method, headers=row.headers, query=row.query
        )
        first = send(data, key, fixed, actor, body, once)
        between = WRITE_COUNTS.read(again=True)
        second = send(data, key, fixed, actor, body, once)
        written = {table: rows for table, rows in (WRITE_COUNTS.read(again=True) - between).items() if rows}
        if first.status_code >= 400:
            violations.append(f"the first request is refused: {first.status_code}")
        if written:
            violations.append(f"the second request wrote {written}")
        if (second.status_code, second.headers.get("Location")) != (
            first.status_code,
            first.headers.get("Location"),
        ):
            violations.append(f"{first.status_code} first, then {second.status_code}")
        transaction.set_rollback(True)
    return [f"{key}: {violation}" for violation in violations]


WRITING = [key for key, row in TABLE.items() if row.body is not None and row.writes]


@pytest.mark.django_db
def test_a_repeated_request_writes_nothing_and_gets_the_first_response(data: MatrixData) -> None:
    guarded = [key for key in WRITING if url_name(key) not in NOT_GUARDED]
    assert len(guarded) > 60
    assert [violation for key in guarded for violation in repeats(data, key, TABLE[key])] == []


@pytest.mark.django_db
def test_without_the_key_repeated_requests_are_reported(data: MatrixData) -> None:
    reported = [
        key
        for key in WRITING
        if url_name(key) in {"unit_note", "jobs", "sheet_share"} and repeats(data, key, TABLE[key], "")
    ]
    assert len(reported) >= 3
