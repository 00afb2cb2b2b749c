"""The second factor cannot be bypassed."""

import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from survey.access import services
from survey.access.models import User
from survey.access.second_factor import services as second_factor
from survey.audit import AuditEvent
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


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06}"


def set_up_device(user: User) -> tuple[TOTPDevice, list[str]]:
    device = second_factor.begin_setup(by=user)
    confirmed = second_factor.confirm_setup(by=user, code=code_of(device))
    assert confirmed is not None
    return confirmed


def sign_in(client: Client) -> None:
    form = {"username": "staff-one", "password": PASSWORD}
    assert client.post(reverse("sign_in"), form).status_code == 302


def test_staff_without_a_device_must_set_up_a_device(client: Client, staff: User) -> None:
    sign_in(client)
    for name in ("home", "accounts", "audit"):
        assert client.get(reverse(name)).url == reverse("second_factor_setup")
    assert client.post(reverse("account_new"), {"username": "abc", "name": "A"}).status_code == 302
    assert not User.objects.filter(username="abc").exists()


def test_setup_shows_a_code_that_the_content_policy_allows(client: Client, staff: User) -> None:
    sign_in(client)
    body = client.get(reverse("second_factor_setup")).content.decode()
    assert "<svg" in body and " style=" not in body and "onclick" not in body
    device = TOTPDevice.objects.get(user=staff)
    assert not device.confirmed
    wrong = client.post(reverse("second_factor_setup"), {"code": "000000"})
    assert wrong.status_code == 422
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    done = client.post(reverse("second_factor_setup"), {"code": code_of(device)})
    assert done.status_code == 200 and len(done.context["codes"]) == second_factor.RECOVERY_CODES
    assert client.get(reverse("accounts")).status_code == 200
    assert AuditEvent.objects.filter(action="second_factor_set_up", actor_id=staff.pk).count() == 1


def test_the_password_alone_does_not_suffice(client: Client, staff: User) -> None:
    set_up_device(staff)
    sign_in(client)
    for name in PROTECTED:
        answer = client.get(reverse(name))
        assert (answer.status_code, answer.url) == (302, reverse("second_factor")), name
    new = "Another-2026-ok"
    client.post(reverse("password_change"), {"old_password": PASSWORD, "new_password": new, "repeated": new})
    staff.refresh_from_db()
    assert staff.check_password(PASSWORD)
    assert client.get("/api/v1/schema/").status_code == 403


def test_a_code_is_accepted_once(client: Client, staff: User) -> None:
    device, _codes = set_up_device(staff)
    TOTPDevice.objects.update(last_t=-1)
    sign_in(client)
    code = code_of(device)
    assert client.post(reverse("second_factor"), {"code": code}).status_code == 302
    assert client.get(reverse("accounts")).status_code == 200
    other = Client()
    sign_in(other)
    assert other.post(reverse("second_factor"), {"code": code}).status_code == 422
    assert other.get(reverse("accounts")).status_code == 302


def test_recovery_codes_work_once_and_are_not_stored_in_plain(client: Client, staff: User) -> None:
    _device, codes = set_up_device(staff)
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert len(stored) == 10 and not stored & {code.replace("-", "") for code in codes}
    sign_in(client)
    assert client.post(reverse("second_factor"), {"code": codes[0].upper()}).status_code == 302
    assert client.get(reverse("accounts")).status_code == 200
    other = Client()
    sign_in(other)
    assert other.post(reverse("second_factor"), {"code": codes[0]}).status_code == 422
    assert second_factor.unused_recovery_codes(staff) == 9


def test_wrong_codes_are_throttled(client: Client, staff: User) -> None:
    device, _codes = set_up_device(staff)
    TOTPDevice.objects.update(last_t=-1)
    sign_in(client)
    for _attempt in range(3):
        assert client.post(reverse("second_factor"), {"code": "000000"}).status_code == 422
    assert client.post(reverse("second_factor"), {"code": code_of(device)}).status_code == 422
    assert AuditEvent.objects.filter(action="second_factor", succeeded=False).count() == 4


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
    assert client.get(reverse("notice")).url == reverse("second_factor")


def test_reset_requires_another_person(world: World, staff: User) -> None:
    set_up_device(staff)
    officer = world.users["security_administrator"]
    services.reset_second_factor(user=staff, by=officer)
    assert second_factor.device_of(staff) is None
    with pytest.raises(PolicyDenied):
        services.reset_second_factor(user=officer, by=officer)
