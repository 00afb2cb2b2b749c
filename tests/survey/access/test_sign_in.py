"""Sign-in: passwords, lockout, sessions, required steps."""

import datetime as dt
import time
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.access import sessions
from survey.access.models import User
from survey.access.passwords.services import ThreeOfFourClassesValidator, initial_password
from survey.audit import AuditEvent
from tests.factories import World, make_unit, make_user

PASSWORD = "Rehearsal-2026-ok"


@pytest.fixture
def respondent(world: World) -> User:
    return make_user("respondent", unit=make_unit(), username="filler-one", password=PASSWORD)


def post_sign_in(client: Client, username: str = "filler-one", password: str = PASSWORD, **more: str) -> Any:
    return client.post(reverse("sign_in"), {"username": username, "password": password, **more})


def test_sign_in_starts_a_new_session_and_is_recorded(client: Client, respondent: User) -> None:
    client.get(reverse("sign_in"))
    client.session["x"] = 1
    before = client.session.session_key
    answer = post_sign_in(client, next="/notice/")
    assert answer.status_code == 302 and answer.url == "/notice/"
    assert client.session.session_key != before
    row = AuditEvent.objects.get(action="sign_in")
    assert (row.actor_id, row.succeeded, row.address) == (respondent.pk, True, "127.0.0.1")
    assert row.details == {"kind": "password"}


def test_sign_in_does_not_redirect_to_another_site(client: Client, respondent: User) -> None:
    answer = post_sign_in(client, next="https://evil.example/")
    assert answer.url == reverse("home")


def test_wrong_password_says_so_and_is_recorded(client: Client, respondent: User) -> None:
    answer = post_sign_in(client, password="wrong")
    assert answer.status_code == 422
    assert b'role="alert"' in answer.content
    row = AuditEvent.objects.get(action="sign_in")
    assert not row.succeeded and row.subject_id == str(respondent.pk)
    assert "wrong" not in str(row.details)


def test_unknown_account_names_are_not_recorded(client: Client, world: World) -> None:
    post_sign_in(client, username="MyPassword-123")
    row = AuditEvent.objects.get(action="sign_in")
    assert "MyPassword" not in str(row.details) + row.actor_name + row.subject_id


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("abcdefghij", False),
        ("abcdefghi1", False),
        ("ABCDEFGH12", False),
        ("abcDEF1234", True),
        ("abc-def-123", True),
        ("口令abc12345", True),
        ("1234567890", False),
    ],
)
def test_three_of_four_classes(password: str, good: bool) -> None:
    validator = ThreeOfFourClassesValidator()
    if good:
        validator.validate(password)
    else:
        with pytest.raises(ValidationError):
            validator.validate(password)


def test_initial_passwords_meet_the_rules_and_differ() -> None:
    passwords = {initial_password() for _attempt in range(50)}
    assert len(passwords) == 50
    for password in passwords:
        ThreeOfFourClassesValidator().validate(password)


@pytest.mark.parametrize(
    ("old", "new", "again", "wrong_field"),
    [
        ("not-it", "Another-2026-ok", "Another-2026-ok", "old_password"),
        (PASSWORD, "short-1A", "short-1A", "new_password"),
        (PASSWORD, "Another-2026-ok", "Another-2026-no", "repeated"),
        (PASSWORD, "filler-one", "filler-one", "new_password"),
        (PASSWORD, PASSWORD, PASSWORD, "new_password"),
    ],
)
def test_invalid_password_changes_show_field_errors(
    client: Client, respondent: User, old: str, new: str, again: str, wrong_field: str
) -> None:
    client.force_login(respondent)
    answer = client.post(
        reverse("password_change"), {"old_password": old, "new_password": new, "repeated": again}
    )
    assert answer.status_code == 422
    assert wrong_field in answer.context["form"].errors
    respondent.refresh_from_db()
    assert respondent.check_password(PASSWORD)


def test_changing_the_password_ends_other_sessions(client: Client, respondent: User) -> None:
    other = Client()
    post_sign_in(other)
    post_sign_in(client)
    new = "Another-2026-ok"
    form = {"old_password": PASSWORD, "new_password": new, "repeated": new}
    assert client.post(reverse("password_change"), form).status_code == 302
    assert client.get(reverse("password_change")).status_code == 200
    assert other.get(reverse("password_change")).status_code == 302
    assert AuditEvent.objects.filter(action="password_changed", actor_id=respondent.pk).count() == 1


def test_an_initial_password_must_be_replaced_first(client: Client, respondent: User) -> None:
    User.objects.filter(pk=respondent.pk).update(must_change_password=True)
    assert post_sign_in(client).status_code == 302
    for name in ("home", "notice"):
        assert client.get(reverse(name))["Location"] == reverse("password_change")


def test_an_expired_password_must_be_replaced(client: Client, respondent: User) -> None:
    now = timezone.now()
    User.objects.filter(pk=respondent.pk).update(created_at=now - dt.timedelta(days=181), last_login=now)
    post_sign_in(client)
    assert client.get(reverse("home"))["Location"] == reverse("password_change")


def test_the_notice_is_shown_before_other_pages(client: Client, respondent: User) -> None:
    User.objects.filter(pk=respondent.pk).update(notice_read_at=None)
    post_sign_in(client)
    assert client.get(reverse("home"))["Location"] == reverse("notice")
    assert client.post(reverse("notice")).status_code == 302
    respondent.refresh_from_db()
    assert respondent.notice_read_at is not None
    assert AuditEvent.objects.filter(action="notice_read").count() == 1


def test_idle_session_ends(client: Client, respondent: User) -> None:
    post_sign_in(client)
    assert client.get(reverse("password_change")).status_code == 200
    stored = Session.objects.get(session_key=client.session.session_key)
    idle = (stored.expire_date - timezone.now()).total_seconds()
    assert 0 < idle <= settings.SESSION_COOKIE_AGE <= 30 * 60
    Session.objects.filter(pk=stored.pk).update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    answer = client.get(reverse("password_change"))
    assert answer.status_code == 302 and reverse("sign_in") in answer["Location"]


def test_an_active_session_ends_at_its_maximum_age(client: Client, respondent: User) -> None:
    post_sign_in(client)
    session = client.session
    session[sessions.STARTED] = int(time.time()) - settings.SESSION_ABSOLUTE_SECONDS - 1
    session.save()
    assert client.post(reverse("session_extend")).status_code == 401
    answer = client.get(reverse("password_change"))
    assert answer.status_code == 302 and reverse("sign_in") in answer["Location"]
    assert "_auth_user_id" not in client.session


def test_session_extend_returns_the_remaining_seconds(client: Client, respondent: User) -> None:
    assert client.post(reverse("session_extend")).status_code == 401
    post_sign_in(client)
    assert 0 < client.post(reverse("session_extend")).json()["seconds"] <= settings.SESSION_COOKIE_AGE
    assert client.get(reverse("session_extend")).status_code == 405


def test_signing_out_requires_post_and_ends_the_session(client: Client, respondent: User) -> None:
    post_sign_in(client)
    assert client.get(reverse("sign_out")).status_code == 405
    assert client.post(reverse("sign_out")).status_code == 302
    assert "_auth_user_id" not in client.session
    assert AuditEvent.objects.filter(action="sign_out").count() == 1


def test_htmx_without_a_session_keeps_the_page(client: Client, world: World) -> None:
    answer = client.get(
        reverse("password_change"),
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/notice/"},
    )
    assert answer.status_code == 401
    assert answer.headers["X-Sign-In"] == f"{reverse('sign_in')}?next=/notice/"


def test_pages_are_not_stored_by_caches(client: Client, respondent: User) -> None:
    post_sign_in(client)
    assert "no-store" in client.get(reverse("notice")).headers["Cache-Control"]


def test_a_page_outside_the_scope_answers_404_and_is_recorded(client: Client, respondent: User) -> None:
    post_sign_in(client)
    assert client.get(reverse("audit")).status_code == 404
    row = AuditEvent.objects.get(action="access_refused")
    assert (row.actor_id, row.details["view"]) == (respondent.pk, "audit")


def test_a_wrong_password_outside_a_transaction_is_refused_with_the_form(transactional_db: None) -> None:
    answer = Client().post("/sign-in/", {"username": "nobody", "password": "Wrong-Harbour-2031"})
    assert answer.status_code in (200, 422)
    assert "<form" in answer.content.decode()
