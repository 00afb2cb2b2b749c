"""The second factor cannot be bypassed."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client
from django.urls import reverse

from survey.access import services
from survey.access.models import AttemptCounter, User
from survey.access.second_factor import services as second_factor
from survey.audit import AuditEvent
from survey.encryption import decrypt
from survey.exceptions import PolicyDenied
from tests.factories import World, make_user

PASSWORD = "Rehearsal-2026-ok"
PROTECTED = ["home", "accounts", "account_new", "password_change", "second_factor_setup", "notice"]


@pytest.fixture(autouse=True)
def _required(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = True


@pytest.fixture
def staff(world: World) -> User:
    return make_user("system_administrator", username="staff-one", password=PASSWORD)


def code_of(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def set_up_device(user: User) -> tuple[str, list[str]]:
    """An authenticator and its recovery codes; the key is what the person's telephone has."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret, second_factor.renew_recovery_codes(by=user)


def sign_in(client: Client) -> None:
    form = {"username": "staff-one", "password": PASSWORD}
    assert client.post(reverse("sign_in"), form).status_code == 302


def test_staff_without_a_device_must_set_up_a_device(client: Client, staff: User) -> None:
    sign_in(client)
    for name in ("home", "accounts", "audit"):
        assert client.get(reverse(name))["Location"] == reverse("second_factor_setup")
    assert client.post(reverse("account_new"), {"username": "abc", "name": "A"}).status_code == 302
    assert not User.objects.filter(username="abc").exists()


def test_setup_shows_a_code_that_the_content_policy_allows(client: Client, staff: User) -> None:
    sign_in(client)
    body = client.get(reverse("second_factor_setup")).content.decode()
    assert 'src="data:image/svg+xml;base64,' in body and " style=" not in body and "onclick" not in body
    secret = client.get(reverse("second_factor_setup")).context["secret"].replace(" ", "")
    assert secret not in str(dict(client.session.items()))
    assert client.post(reverse("second_factor_setup"), {"code": "000000"}).status_code == 422
    assert not Authenticator.objects.exists()
    done = client.post(reverse("second_factor_setup"), {"code": code_of(secret)})
    assert done.status_code == 200 and len(set(done.context["codes"])) == 10
    assert client.get(reverse("accounts")).status_code == 200
    assert AuditEvent.objects.filter(action="second_factor_set_up", actor_id=staff.pk).count() == 1
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in stored and decrypt(stored, "second factor") == secret


def test_the_password_is_asked_for_again_before_the_first_authenticator(client: Client, staff: User) -> None:
    sign_in(client)
    session = client.session
    session["signed_in_at"] -= 16 * 60
    session.save()
    asked = client.get(reverse("second_factor_setup"))
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert client.post(reverse("second_factor_setup"), {"code": "000000"}).status_code == 302
    page = client.get(asked["Location"])  # also for those who may open no other page before
    assert page.status_code == 200
    form = {"password": PASSWORD, "next": reverse("second_factor_setup")}
    assert client.post(asked["Location"], form).status_code in (302, 422)
    assert client.get(reverse("second_factor_setup")).context["qr"]


def test_setting_up_ends_sessions_that_began_without(client: Client, staff: User) -> None:
    other = Client()
    sign_in(other)
    sign_in(client)
    secret = client.get(reverse("second_factor_setup")).context["secret"].replace(" ", "")
    client.post(reverse("second_factor_setup"), {"code": code_of(secret)})
    assert other.get(reverse("accounts"))["Location"].startswith(reverse("sign_in"))
    assert client.get(reverse("accounts")).status_code == 200


def test_a_session_without_the_factor_ends_when_the_account_has_one(client: Client, staff: User) -> None:
    sign_in(client)
    TOTP.activate(staff, generate_totp_secret())
    assert client.get(reverse("accounts"))["Location"].startswith(reverse("sign_in"))
    assert "_auth_user_id" not in client.session


def test_the_password_alone_does_not_suffice(client: Client, staff: User) -> None:
    set_up_device(staff)
    sign_in(client)
    for name in PROTECTED:
        answer = client.get(reverse(name))
        assert (answer.status_code, answer["Location"]) == (302, reverse("second_factor")), name
    new = "Another-2026-ok"
    client.post(reverse("password_change"), {"old_password": PASSWORD, "new_password": new, "repeated": new})
    staff.refresh_from_db()
    assert staff.check_password(PASSWORD)
    assert client.get("/api/v1/schema/").status_code == 403


def test_a_code_is_accepted_once(client: Client, staff: User) -> None:
    secret, _codes = set_up_device(staff)
    sign_in(client)
    code = code_of(secret)
    assert client.post(reverse("second_factor"), {"code": f"{code[:3]} {code[3:]}"}).status_code == 302
    assert client.get(reverse("accounts")).status_code == 200
    other = Client()
    sign_in(other)
    assert other.post(reverse("second_factor"), {"code": code}).status_code == 422
    assert other.get(reverse("accounts")).status_code == 302


def test_recovery_codes_work_once_and_are_not_stored_in_plain(client: Client, staff: User) -> None:
    _secret, codes = set_up_device(staff)
    stored = str(Authenticator.objects.get(type="recovery_codes").data)
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)
    sign_in(client)
    assert client.post(reverse("second_factor"), {"code": codes[0].replace("-", " ")}).status_code == 302
    assert client.get(reverse("accounts")).status_code == 200
    other = Client()
    sign_in(other)
    assert other.post(reverse("second_factor"), {"code": codes[0]}).status_code == 422
    assert second_factor.unused_recovery_codes(staff) == 9


def test_wrong_codes_have_to_wait(client: Client, staff: User, settings: Any) -> None:
    secret, _codes = set_up_device(staff)
    sign_in(client)
    for _attempt in range(settings.SIGN_IN_FAILURE_LIMIT):
        assert client.post(reverse("second_factor"), {"code": "000000"}).status_code == 422
    refused = client.post(reverse("second_factor"), {"code": code_of(secret)})
    assert refused.status_code == 429 and 0 < int(refused.headers["Retry-After"]) <= 31
    assert AuditEvent.objects.filter(action="second_factor", succeeded=False).count() == 5
    AttemptCounter.objects.update(wait_until=None)
    assert client.post(reverse("second_factor"), {"code": code_of(secret)}).status_code == 302


def test_without_the_cache_recovery_codes_work_and_others_are_not_accepted(
    client: Client, staff: User, settings: Any
) -> None:
    secret, codes = set_up_device(staff)
    sign_in(client)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}
    assert client.post(reverse("second_factor"), {"code": code_of(secret)}).status_code == 503
    assert client.post(reverse("second_factor"), {"code": codes[0]}).status_code == 302


def test_another_account_can_be_chosen_before_the_code(client: Client, staff: User) -> None:
    set_up_device(staff)
    sign_in(client)
    assert client.get(reverse("sign_in"))["Location"] == reverse("second_factor")
    client.post(reverse("sign_out"))
    assert client.get(reverse("sign_in")).status_code == 200


def test_respondents_need_a_second_factor_only_after_setting_one_up(
    client: Client, world: World, settings: Any
) -> None:
    user = world.users["respondent"]
    client.force_login(user)
    assert client.get(reverse("notice")).status_code == 200
    settings.SECOND_FACTOR_REQUIRED = False
    user.set_password(PASSWORD)
    user.username = "staff-one"
    user.save()
    set_up_device(user)
    sign_in(client)
    assert client.get(reverse("notice"))["Location"] == reverse("second_factor")


def test_reset_requires_another_person(world: World, staff: User) -> None:
    set_up_device(staff)
    officer = world.users["security_administrator"]
    services.reset_second_factor(user=staff, by=officer)
    assert not second_factor.is_set_up(staff)
    with pytest.raises(PolicyDenied):
        services.reset_second_factor(user=officer, by=officer)
