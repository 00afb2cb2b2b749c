"""manage.py set_up on an installation without accounts, and the checklist."""

import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from estimation.design.models import SampleDesign
from survey.access.first_administrators import services
from survey.access.first_administrators.selectors import ROLES, holders
from survey.access.first_administrators.services import Person
from survey.access.models import RoleAssignment, User
from survey.access.roles import Role
from survey.audit import AuditEvent, record
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied
from survey.operations.checklist.selectors import checklist

pytestmark = pytest.mark.django_db
FLAGS = (
    *("--system-account", "wang", "--system-name", "王", "--system-email", "wang@example.org"),
    *("--security-account", "li", "--audit-account", "zhao", "--no-input"),
)


def set_up(*arguments: str) -> str:
    out = io.StringIO()
    call_command("set_up", *arguments, stdout=out)
    return out.getvalue()


def missing() -> set[str]:
    return {item.name for item in checklist() if item.missing}


def test_three_persons_get_one_time_passwords(client: Client) -> None:
    passwords = dict(re.findall(r"account (\w+), one-time password (\S+) ", set_up(*FLAGS)))
    assert set(passwords) == {"wang", "li", "zhao"} and len(set(passwords.values())) == 3
    assert {role: user and user.username for role, user in holders().items()} == dict(
        zip(ROLES, ("wang", "li", "zhao"), strict=True)
    )
    assert User.objects.get(username="wang").email == "wang@example.org"
    assert AuditEvent.objects.filter(action="role_granted", details__by_set_up=True).count() == 3
    # The password works once: the first page is the one that replaces it.
    client.post(reverse("sign_in"), {"username": "wang", "password": passwords["wang"]})
    assert client.get(reverse("accounts"))["Location"] == reverse("password_change")


def test_it_is_safe_to_repeat() -> None:
    set_up(*FLAGS)
    users, grants = User.objects.count(), RoleAssignment.objects.count()
    again = set_up(*FLAGS)
    assert "one-time password" not in again
    assert (User.objects.count(), RoleAssignment.objects.count()) == (users, grants)


def test_a_closed_account_holds_no_role() -> None:
    set_up(*FLAGS)
    User.objects.filter(username="li").update(is_active=False)
    assert holders()[Role.SECURITY_ADMINISTRATOR] is None
    assert "administrators" in missing()
    assert "account chen" in set_up("--security-account", "chen", "--no-input")


def test_one_person_cannot_hold_two_roles() -> None:
    with pytest.raises(CommandError, match="Three different persons"):
        set_up("--system-account", "wang", "--audit-account", "WANG", "--no-input")
    services.create({Role.SYSTEM_ADMINISTRATOR: Person("wang")})
    with pytest.raises(PolicyDenied):
        services.create({Role.AUDIT_ADMINISTRATOR: Person("Wang")})
    assert User.objects.count() == 1


def test_it_asks_for_what_the_flags_do_not_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["wang", "王", "", "", "zhao", "", "zhao@example.org"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    set_up()
    assert {role for role, user in holders().items() if user} == {
        Role.SYSTEM_ADMINISTRATOR,
        Role.AUDIT_ADMINISTRATOR,
    }
    assert next(answers, None) is None


def test_the_checklist_follows_the_installation(settings: Any) -> None:
    # The base of the tests has regions, forms and an open round, and nothing else.
    assert missing() >= {"administrators", "settings", "frame", "sample design", "mail", "backup"}
    assert not missing() & {"regions", "round", "forms"}
    set_up(*FLAGS)
    for name in ("SURVEY_AUTHORITY", "SURVEY_AUTHORITY_EN", "SURVEY_CONTACT", "SITE_ADDRESS"):
        setattr(settings, name, "x")
    settings.DEFAULT_FROM_EMAIL = "survey@stats.example.org"
    record(by=None, action="test_mail_sent")
    round_ = CollectionRound.objects.get(year=2025)
    designer, approver = User.objects.filter(username__in=["li", "zhao"])
    now = timezone.now()
    SampleDesign.objects.create(
        round=round_,
        content_hash="0" * 64,
        state="approved",
        drawn_by=designer,
        drawn_at=now,
        approved_by=approver,
        approved_at=now,
    )
    assert not missing() & {"administrators", "settings", "sample design", "mail"}
    record(by=None, action="backup_made")
    assert "backup" in missing()  # until it has been restored on trial
    record(by=None, action="backup_verified")
    assert "backup" not in missing()


def test_missing_items_are_named_and_give_exit_code_1() -> None:
    text = set_up(*FLAGS)
    assert re.search(r"^missing +settings: set SURVEY_AUTHORITY \(", text, re.MULTILINE)
    assert re.search(r"^done +administrators$", text, re.MULTILINE)
    with pytest.raises(CommandError, match="items are missing"):
        set_up("--no-input", "--check")
