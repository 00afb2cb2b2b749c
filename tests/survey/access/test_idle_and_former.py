"""Former passwords are refused; idle accounts are closed."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.access import services
from survey.access.idleness import services as idleness
from survey.access.models import FormerPassword, User
from survey.access.roles import Role
from survey.access.tasks import close_idle_accounts
from survey.audit import AuditEvent
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORDS = [f"Jade-Harbour-{number}" for number in range(2031, 2037)]


def used_before(user: User, password: str) -> bool:
    try:
        validate_password(password, user)
    except ValidationError as refused:
        return "password_used_before" in [error.code for error in refused.error_list]
    return False


def test_the_last_five_passwords_are_refused(world: Any) -> None:
    user = make_user(Role.REVIEWER, password=PASSWORDS[0])
    for password in PASSWORDS[1:]:
        assert not used_before(user, password)
        services.change_password(password=password, by=user)
    assert [used_before(user, password) for password in PASSWORDS] == [False, True, True, True, True, True]
    assert FormerPassword.objects.filter(user=user).count() == 5
    assert not used_before(make_user(Role.REVIEWER, password="Silver-Meadow-1"), PASSWORDS[5])


def test_the_password_page_refuses_a_former_password(world: Any) -> None:
    user = make_user(Role.DESIGNER, password=PASSWORDS[0])
    services.change_password(password=PASSWORDS[1], by=user)
    client = Client()
    client.force_login(user)
    form = {"old_password": PASSWORDS[1], "new_password": PASSWORDS[0], "repeated": PASSWORDS[0]}
    assert client.post(reverse("password_change"), form).status_code == 422
    user.refresh_from_db()
    assert user.check_password(PASSWORDS[1])


def idle(role: str = Role.REVIEWER, days: int = 91, **fields: Any) -> User:
    """An account created long ago whose last sign-in was ``days`` ago."""
    long_ago = timezone.now() - dt.timedelta(days=400)
    last = timezone.now() - dt.timedelta(days=days)
    return make_user(role, created_at=long_ago, last_login=last, **fields)


def is_open(user: User) -> bool:
    user.refresh_from_db()
    return user.is_active


def test_idle_accounts_are_closed_once_and_audited(world: Any) -> None:
    unused, active, new = idle(), idle(days=89), make_user(Role.REVIEWER)
    never = make_user(Role.DESIGNER, created_at=timezone.now() - dt.timedelta(days=91))
    rehearsal = idle(is_synthetic=True)
    close_idle_accounts()
    assert [is_open(user) for user in (unused, never, active, new, rehearsal)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    rows = AuditEvent.objects.filter(action="account_closed", details__reason="idle")
    assert {row.subject_id for row in rows} == {str(unused.pk), str(never.pk)}
    assert idleness.close_idle_accounts() == 0


def test_accounts_of_respondents_stay_open(world: Any) -> None:
    User.objects.update(is_synthetic=False, created_at=timezone.now() - dt.timedelta(days=300))
    respondent = world.users["respondent"]
    assert respondent not in idleness.idle_accounts()
    assert world.users["reviewer"] in idleness.idle_accounts()


def test_a_reopened_account_stays_open(world: Any) -> None:
    unused = idle()
    close_idle_accounts()
    services.reopen_account(user=unused, by=world.users["system_administrator"])
    close_idle_accounts()
    assert is_open(unused)


def test_the_last_account_that_can_reopen_others_stays_open(world: Any) -> None:
    administrators = [world.users["system_administrator"], idle(Role.SYSTEM_ADMINISTRATOR, days=200)]
    long_ago = timezone.now() - dt.timedelta(days=100)
    User.objects.filter(pk=administrators[0].pk).update(created_at=long_ago)
    close_idle_accounts()
    assert [is_open(user) for user in administrators] == [True, False]


def test_an_idle_account_is_closed_at_sign_in(world: Any) -> None:
    user = idle(password=PASSWORDS[0])
    client = Client()
    good = {"username": user.username, "password": PASSWORDS[0]}
    answer = client.post(reverse("sign_in"), good, headers={"Accept-Language": "en"})
    assert answer.status_code == 422 and b"This account is closed" in answer.content
    assert not is_open(user) and "_auth_user_id" not in client.session
    guess = client.post(
        reverse("sign_in"), {**good, "password": "Wrong-Guess-1"}, headers={"Accept-Language": "en"}
    )
    assert guess.status_code == 422 and b"This account is closed" not in guess.content
