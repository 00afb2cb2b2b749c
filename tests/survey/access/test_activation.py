"""Activation of a respondent's account with the code of the letter."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.access.activation import codes
from survey.access.activation import services as activation
from survey.access.models import ActivationCode, AttemptCounter, RoleAssignment, User
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from tests.factories import World

WRONG = "AAAA-AAAA-AAAA"  # well formed, like the codes of earlier letters
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


def enter_code(client: Client, world: World, code: str) -> Any:
    return client.post(reverse("activate"), {"credit_code": world.unit.uscc, "code": code})


def test_activation_from_code_to_account(client: Client, world: World, code: str) -> None:
    assert enter_code(client, world, code).url == reverse("activate_notice")
    assert client.get(reverse("activate_account"))["Location"] == reverse(
        "activate_notice"
    )  # the notice is required first
    assert client.get(reverse("activate_notice")).status_code == 200
    assert client.post(reverse("activate_notice"))["Location"] == reverse("activate_account")
    assert client.get(reverse("activate_account")).status_code == 200
    assert client.post(reverse("activate_account"), ACCOUNT)["Location"] == reverse("home")
    user = User.objects.get(username="new-filler")
    assert int(client.session["_auth_user_id"]) == user.pk
    assert user.notice_read_at is not None
    grant = RoleAssignment.objects.get(user=user)
    assert (grant.role, grant.unit_id) == ("respondent", world.unit.pk)
    used = ActivationCode.objects.get()
    assert used.used_by_id == user.pk and used.used_at is not None
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"activation_code_issued", "account_activated", "role_granted", "sign_in"} <= actions


def test_code_is_accepted_in_lower_case_with_spaces_and_full_width_digits(
    client: Client, world: World, code: str
) -> None:
    full_width = code.lower().replace("-", " ").translate({ord(c): ord(c) + 0xFEE0 for c in "23456789"})
    assert enter_code(client, world, full_width).status_code == 302


def test_the_code_is_not_stored(world: World, code: str) -> None:
    row = ActivationCode.objects.get()
    assert code not in row.code_hash and code.replace("-", "") not in row.code_hash
    assert code.replace("-", "") not in str(list(AuditEvent.objects.values()))


def test_strangers_cannot_use_up_a_letter(client: Client, world: World, code: str) -> None:
    for attempt in range(40):
        attacker = Client(REMOTE_ADDR=f"203.0.113.{attempt % 4}")
        assert enter_code(attacker, world, WRONG).status_code in {422, 429}
    assert enter_code(Client(REMOTE_ADDR="203.0.113.0"), world, code).status_code == 429
    assert AuditEvent.objects.filter(action="activation_refused", succeeded=False).count() == 20
    assert enter_code(client, world, code).status_code == 302


def test_wrong_codes_make_their_address_wait(client: Client, world: World, code: str) -> None:
    for _attempt in range(activation.FREE_ATTEMPTS):
        assert enter_code(client, world, WRONG).status_code == 422
    refused = enter_code(client, world, code)
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) == 30
    AttemptCounter.objects.update(wait_until=None)
    assert enter_code(client, world, code).status_code == 302


def test_the_count_of_wrong_codes_stops_at_the_largest_number_of_its_column(
    client: Client, world: World, code: str
) -> None:
    for stored, expected in ((0, 1), (32_766, 32_767), (32_767, 32_767)):
        ActivationCode.objects.update(failed_attempts=stored)
        assert enter_code(client, world, WRONG).status_code == 422
        assert ActivationCode.objects.get().failed_attempts == expected


def test_typing_errors_are_recognised_and_not_counted(client: Client, world: World, code: str) -> None:
    plain = code.replace("-", "")
    for place in range(len(plain)):
        for other in codes.ALPHABET.replace(plain[place], ""):
            assert codes.is_mistyped(plain[:place] + other + plain[place + 1 :])
        swapped = plain[:place] + plain[place : place + 2][::-1] + plain[place + 2 :]
        assert swapped == plain or codes.is_mistyped(swapped)
    for typed in (plain[:-1], plain + "A", "0" + plain[1:], "", "填报" * 8):
        assert enter_code(client, world, typed).status_code == 422
    assert not AttemptCounter.objects.exists() and not codes.is_mistyped(code.lower())


def test_codes_of_letters_that_were_sent_before_are_accepted(client: Client, world: World, code: str) -> None:
    row = ActivationCode.objects.get()
    row.code_hash = activation._hashes(world.unit.pk, "ABCDEFGHJKMN")[0]
    row.save()
    assert enter_code(client, world, "abcd-efgh-jkmn").status_code == 302


def test_codes_and_sessions_outlive_a_change_of_the_secret_key_that_names_the_former_one(
    client: Client, world: World, code: str, settings: Any
) -> None:
    client.force_login(world.users["respondent"])
    former, settings.SECRET_KEY = settings.SECRET_KEY, "k" * 60
    visitor, signed_in = Client(), Client()
    signed_in.cookies = client.cookies
    assert enter_code(visitor, world, code).status_code == 422
    settings.SECRET_KEY_FALLBACKS = [former]
    assert enter_code(visitor, world, code).url == reverse("activate_notice")
    assert signed_in.get(reverse("sessions")).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []  # Django has renewed the session with the present key
    assert signed_in.get(reverse("sessions")).status_code == 200


def test_unknown_unit_and_wrong_code_get_the_same_message(client: Client, world: World, code: str) -> None:
    wrong = enter_code(client, world, WRONG).context["form"].summary()
    form = {"credit_code": "91110000MA0000000X", "code": code}
    assert client.post(reverse("activate"), form).context["form"].summary() == wrong


def test_expired_code_is_refused(client: Client, world: World, code: str) -> None:
    ActivationCode.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert enter_code(client, world, code).status_code == 422


def test_used_code(client: Client, world: World, code: str) -> None:
    row = ActivationCode.objects.get()
    activation.activate_account(code=row, username="first", name="A", password="Rehearsal-2026-ok")
    assert enter_code(client, world, code).status_code == 422
    with pytest.raises(PolicyDenied):
        activation.activate_account(code=row, username="second", name="B", password="Rehearsal-2026-ok")
    assert not User.objects.filter(username="second").exists()


def test_two_sessions_with_the_same_code_create_one_account(world: World, code: str) -> None:
    first, second = Client(), Client()
    for browser in (first, second):
        enter_code(browser, world, code)
        browser.post(reverse("activate_notice"))
    first.post(reverse("activate_account"), ACCOUNT)
    answer = second.post(reverse("activate_account"), {**ACCOUNT, "username": "another"})
    assert answer["Location"] == reverse("activate")
    assert not User.objects.filter(username="another").exists()


def test_code_of_another_unit_is_refused(client: Client, world: World, code: str) -> None:
    form = {"credit_code": world.outside.uscc, "code": code}
    assert client.post(reverse("activate"), form).status_code == 422


def test_later_pages_require_the_code(client: Client, world: World) -> None:
    for name in ("activate_notice", "activate_account"):
        assert client.get(reverse(name))["Location"] == reverse("activate")
        assert client.post(reverse(name), ACCOUNT)["Location"] == reverse("activate")
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
def test_invalid_accounts_show_field_errors(
    client: Client, world: World, code: str, change: dict[str, str], wrong: str
) -> None:
    User.objects.create_user("taken", None)
    enter_code(client, world, code)
    client.post(reverse("activate_notice"))
    answer = client.post(reverse("activate_account"), {**ACCOUNT, **change})
    assert answer.status_code == 422 and wrong in answer.context["form"].errors
    assert ActivationCode.objects.get().used_at is None


def test_password_must_not_contain_the_credit_code(
    client: Client, world: World, code: str, settings: Any
) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [
        {"NAME": "survey.access.passwords.services.NotTheCreditCodeValidator"}
    ]
    enter_code(client, world, code)
    client.post(reverse("activate_notice"))
    own = {"new_password": world.unit.uscc.lower() + "!", "repeated": world.unit.uscc.lower() + "!"}
    answer = client.post(reverse("activate_account"), {**ACCOUNT, **own})
    assert "new_password" in answer.context["form"].errors


def test_a_new_code_replaces_the_previous_code(client: Client, world: World, code: str) -> None:
    fresh = activation.issue_activation_code(unit=world.unit, by=world.users["provincial_administrator"])
    assert enter_code(client, world, code).status_code == 422
    assert enter_code(client, world, fresh).status_code == 302


@pytest.mark.parametrize(
    "role", ["outside_administrator", "respondent", "methodologist", "system_administrator"]
)
def test_only_the_desk_of_the_unit_issues_codes(world: World, role: str) -> None:
    with pytest.raises(PermissionDenied):
        activation.issue_activation_code(unit=world.unit, by=world.users[role])
    assert not ActivationCode.objects.exists()


def test_one_address_that_tries_many_units_has_to_wait(
    client: Client, world: World, monkeypatch: Any
) -> None:
    monkeypatch.setattr(activation, "FREE_ATTEMPTS_PER_ADDRESS", 3)
    answers = [
        client.post(reverse("activate"), {"credit_code": f"9111000{unit}", "code": WRONG}).status_code
        for unit in range(4)
    ]
    assert answers == [422, 422, 422, 429]
