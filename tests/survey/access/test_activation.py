"""From the letter to the account."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.access.activation import services as activation
from survey.access.models import ActivationCode, RoleAssignment, User
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from tests.factories import World

ACCOUNT = {
    "username": "new-filler",
    "name": "填报员",
    "email": "",
    "new_password": "Rehearsal-2026-ok",
    "repeated": "Rehearsal-2026-ok",
}


@pytest.fixture
def code(world: World) -> str:
    return activation.issue_activation_code(unit=world.unit, by=world.users["provincial_administrator"])


def prove(client: Client, world: World, code: str) -> Any:
    return client.post(reverse("activate"), {"credit_code": world.unit.uscc, "code": code})


def test_the_whole_way(client: Client, world: World, code: str) -> None:
    assert prove(client, world, code).url == reverse("activate_notice")
    assert client.get(reverse("activate_account")).url == reverse("activate_notice")  # the notice comes first
    assert client.get(reverse("activate_notice")).status_code == 200
    assert client.post(reverse("activate_notice")).url == reverse("activate_account")
    assert client.get(reverse("activate_account")).status_code == 200
    assert client.post(reverse("activate_account"), ACCOUNT).url == reverse("home")
    user = User.objects.get(username="new-filler")
    assert int(client.session["_auth_user_id"]) == user.pk
    assert user.notice_read_at is not None
    grant = RoleAssignment.objects.get(user=user)
    assert (grant.role, grant.unit_id) == ("respondent", world.unit.pk)
    used = ActivationCode.objects.get()
    assert used.used_by_id == user.pk and used.used_at is not None
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"activation_code_issued", "account_activated", "role_granted", "sign_in"} <= actions


def test_the_code_is_read_as_people_type_it(client: Client, world: World, code: str) -> None:
    full_width = code.lower().replace("-", " ").translate({ord(c): ord(c) + 0xFEE0 for c in "23456789"})
    assert prove(client, world, full_width).status_code == 302


def test_the_code_is_not_stored(world: World, code: str) -> None:
    row = ActivationCode.objects.get()
    assert code not in row.code_hash and code.replace("-", "") not in row.code_hash
    assert code.replace("-", "") not in str(list(AuditEvent.objects.values()))


def test_wrong_code_counts_and_a_code_dies_of_five(client: Client, world: World, code: str) -> None:
    for attempt in range(1, activation.MAX_FAILURES + 1):
        assert prove(client, world, "AAAA-AAAA-AAAA").status_code == 422
        assert ActivationCode.objects.get().failed_attempts == attempt
    assert prove(client, world, code).status_code == 422
    assert AuditEvent.objects.filter(action="activation_refused", succeeded=False).count() == 6


def test_unknown_unit_and_wrong_code_read_the_same(client: Client, world: World, code: str) -> None:
    wrong = prove(client, world, "AAAA-AAAA-AAAA").context["form"].summary()
    form = {"credit_code": "91110000MA0000000X", "code": code}
    assert client.post(reverse("activate"), form).context["form"].summary() == wrong


def test_expired_code(client: Client, world: World, code: str) -> None:
    ActivationCode.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert prove(client, world, code).status_code == 422


def test_used_code(client: Client, world: World, code: str) -> None:
    row = ActivationCode.objects.get()
    activation.activate_account(code=row, username="first", name="A", password="Rehearsal-2026-ok")
    assert prove(client, world, code).status_code == 422
    with pytest.raises(PolicyDenied):
        activation.activate_account(code=row, username="second", name="B", password="Rehearsal-2026-ok")
    assert not User.objects.filter(username="second").exists()


def test_two_browsers_with_one_code_make_one_account(world: World, code: str) -> None:
    first, second = Client(), Client()
    for browser in (first, second):
        prove(browser, world, code)
        browser.post(reverse("activate_notice"))
    first.post(reverse("activate_account"), ACCOUNT)
    answer = second.post(reverse("activate_account"), {**ACCOUNT, "username": "another"})
    assert answer.url == reverse("activate")
    assert not User.objects.filter(username="another").exists()


def test_code_of_another_unit(client: Client, world: World, code: str) -> None:
    form = {"credit_code": world.outside.uscc, "code": code}
    assert client.post(reverse("activate"), form).status_code == 422


def test_inner_pages_need_the_code(client: Client, world: World) -> None:
    for name in ("activate_notice", "activate_account"):
        assert client.get(reverse(name)).url == reverse("activate")
        assert client.post(reverse(name), ACCOUNT).url == reverse("activate")
    assert not User.objects.filter(username="new-filler").exists()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"username": "x"}, "username"),
        ({"username": "<script>"}, "username"),
        ({"username": "TAKEN"}, "username"),
        ({"new_password": "short"}, "new_password"),
        ({"repeated": "Rehearsal-2026-no"}, "repeated"),
        ({"name": ""}, "name"),
    ],
)
def test_bad_accounts_are_explained(
    client: Client, world: World, code: str, change: dict[str, str], wrong: str
) -> None:
    User.objects.create_user("taken", None)
    prove(client, world, code)
    client.post(reverse("activate_notice"))
    answer = client.post(reverse("activate_account"), {**ACCOUNT, **change})
    assert answer.status_code == 422 and wrong in answer.context["form"].errors
    assert ActivationCode.objects.get().used_at is None


def test_the_credit_code_is_no_password(client: Client, world: World, code: str, settings: Any) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [
        {"NAME": "survey.access.passwords.services.NotTheCreditCodeValidator"}
    ]
    prove(client, world, code)
    client.post(reverse("activate_notice"))
    own = {"new_password": world.unit.uscc.lower() + "!", "repeated": world.unit.uscc.lower() + "!"}
    answer = client.post(reverse("activate_account"), {**ACCOUNT, **own})
    assert "new_password" in answer.context["form"].errors


def test_a_new_code_replaces_the_old_one(client: Client, world: World, code: str) -> None:
    fresh = activation.issue_activation_code(unit=world.unit, by=world.users["provincial_administrator"])
    assert prove(client, world, code).status_code == 422
    assert prove(client, world, fresh).status_code == 302


@pytest.mark.parametrize(
    "role", ["outside_administrator", "respondent", "methodologist", "system_administrator"]
)
def test_only_the_desk_of_the_unit_issues_codes(world: World, role: str) -> None:
    with pytest.raises(PermissionDenied):
        activation.issue_activation_code(unit=world.unit, by=world.users[role])
    assert not ActivationCode.objects.exists()


def test_guessing_over_units_stops_at_the_address(client: Client, world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(activation, "MAX_FAILURES_PER_ADDRESS", 3)
    for _attempt in range(3):
        client.post(reverse("activate"), {"credit_code": "9" * 18, "code": "A"})
    rows = AuditEvent.objects.filter(action="activation_refused").count()
    assert client.post(reverse("activate"), {"credit_code": "9" * 18, "code": "A"}).status_code == 422
    assert AuditEvent.objects.filter(action="activation_refused").count() == rows == 3
