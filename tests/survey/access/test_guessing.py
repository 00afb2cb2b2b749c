"""Guessing passwords: who has to wait, and who does not."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.core import signing
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from survey.access import services
from survey.access.guessing import services as guessing
from survey.access.guessing.services import Limit, TooManyAttempts
from survey.access.models import AttemptCounter, User
from survey.audit import AuditEvent
from tests.concurrency import race
from tests.factories import World, make_unit, make_user

PASSWORD = "Rehearsal-2026-ok"
WRONG = "wrong"


@pytest.fixture
def respondent(world: World) -> User:
    return make_user("respondent", unit=make_unit(), username="filler-one", password=PASSWORD)


def post(client: Client, password: str = WRONG, name: str = "filler-one", address: str = "192.0.2.1") -> Any:
    return client.post(reverse("sign_in"), {"username": name, "password": password}, REMOTE_ADDR=address)


def later(seconds: float) -> None:
    """Let time pass for all counters."""
    for counter in AttemptCounter.objects.all():
        counter.last_at -= dt.timedelta(seconds=seconds)
        counter.wait_until = counter.wait_until and counter.wait_until - dt.timedelta(seconds=seconds)
        counter.save()


def test_failures_make_wait_and_the_page_says_until_when(
    client: Client, respondent: User, settings: Any
) -> None:
    answers = [post(client).status_code for _attempt in range(settings.SIGN_IN_FAILURE_LIMIT)]
    assert answers == [422] * settings.SIGN_IN_FAILURE_LIMIT
    refused = post(client, PASSWORD)
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) == 30
    until = refused.context["until"].astimezone(timezone.get_default_timezone())
    assert until.strftime("%H:%M") in refused.content.decode()
    assert "_auth_user_id" not in client.session
    row = AuditEvent.objects.get(action="sign_in_locked")
    assert not row.succeeded and row.subject_id == str(respondent.pk)


def test_the_wait_doubles_up_to_its_limit_and_a_refused_attempt_does_not_lengthen_it(
    client: Client, respondent: User, settings: Any
) -> None:
    for _attempt in range(settings.SIGN_IN_FAILURE_LIMIT):
        post(client)
    waits = []
    for _attempt in range(8):
        refused = [post(client) for _again in range(3)]
        assert {answer.status_code for answer in refused} == {429}
        waits.append(int(refused[-1].headers["Retry-After"]))
        later(waits[-1])
        assert post(client).status_code == 422
    assert waits == [30, 60, 120, 240, 480, 960, 1800, 1800]
    later(1800)
    assert post(client, PASSWORD).status_code == 302


def test_strangers_do_not_lock_out_the_owner_of_a_browser(client: Client, respondent: User) -> None:
    assert post(client, PASSWORD).status_code == 302
    client.post(reverse("sign_out"))
    attacker = Client()
    for attempt in range(40):
        post(attacker, address=f"203.0.113.{attempt}")
    assert post(attacker, PASSWORD, address="198.51.100.7").status_code == 429
    assert post(client, PASSWORD, address="203.0.113.1").status_code == 302


def test_a_known_browser_has_a_limit_of_its_own(client: Client, respondent: User, settings: Any) -> None:
    post(client, PASSWORD)
    client.post(reverse("sign_out"))
    for _attempt in range(settings.SIGN_IN_FAILURE_LIMIT):
        assert post(client).status_code == 422
    assert post(client, PASSWORD).status_code == 429
    assert post(Client(), PASSWORD).status_code == 302  # other browsers of the owner do not notice


def test_a_browser_is_known_only_for_its_accounts_and_with_our_signature(respondent: User) -> None:
    client = Client()
    post(client, PASSWORD)
    request = RequestFactory().get("/")
    request.COOKIES = {guessing.COOKIE: client.cookies[guessing.COOKIE].value}
    assert guessing.known_device(request, "filler-one")
    assert not guessing.known_device(request, "filler-two")
    for forged in ("", "x", client.cookies[guessing.COOKIE].value[:-1] + "x", signing.dumps([["a", "b"]])):
        request.COOKIES = {guessing.COOKIE: forged}
        assert not guessing.known_device(request, "filler-one")
    cookie = client.cookies[guessing.COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_one_address_that_tries_many_accounts_has_to_wait(respondent: User, settings: Any) -> None:
    settings.SIGN_IN_ADDRESS_LIMIT = 6
    for number in range(6):
        assert post(Client(), name=f"nobody-{number}").status_code == 422
    assert post(Client(), PASSWORD).status_code == 429
    assert post(Client(), PASSWORD, address="192.0.2.2").status_code == 302


def test_one_holder_of_many_ipv6_addresses_is_one_address() -> None:
    assert guessing.network_of("2001:db8:1:2:3::4") == guessing.network_of("2001:db8:1:2:ffff::1")
    assert guessing.network_of("2001:db8:1:2::1") != guessing.network_of("2001:db8:1:3::1")


def test_many_failures_of_the_whole_site_shorten_the_allowance_and_refuse_nobody_else(
    respondent: User, settings: Any
) -> None:
    settings.SIGN_IN_SITE_LIMIT = 10
    for number in range(10):
        post(Client(), name=f"nobody-{number}", address=f"203.0.113.{number}")
    assert post(Client(), PASSWORD).status_code == 302
    assert post(Client(), name="filler-two", address="192.0.2.9").status_code == 422
    assert post(Client(), name="filler-two", address="192.0.2.9").status_code == 429
    later(700)
    assert post(Client(), name="filler-three", address="192.0.2.10").status_code == 422
    assert post(Client(), name="filler-three", address="192.0.2.10").status_code == 422


def test_the_security_administrator_lifts_the_wait(client: Client, world: World, respondent: User) -> None:
    for _attempt in range(6):
        post(client)
    services.unlock(user=respondent, by=world.users["security_administrator"])
    assert post(client, PASSWORD).status_code == 302
    assert AuditEvent.objects.get(action="account_unlocked").details["attempts_forgotten"] == 5


def test_counters_hold_no_names_and_are_forgotten(client: Client, respondent: User) -> None:
    post(client, name="Secret-Password-1")
    assert "Secret" not in str(list(AttemptCounter.objects.values()))
    assert AttemptCounter.objects.count() == 3 and guessing.delete_old_counters() == 0
    later(13 * 3600)
    assert guessing.delete_old_counters() == 3


LIMIT = Limit("account", "filler-one", 1)


def test_two_requests_at_once_are_two_attempts(transactional_db: None) -> None:
    first, second = race(lambda: guessing.begin(LIMIT), lambda: guessing.begin(LIMIT))
    assert first.error is None and isinstance(second.error, TooManyAttempts)
    assert AttemptCounter.objects.get().attempts == 1


@pytest.mark.parametrize("case", ["wrong", "unknown", "closed", "closed and wrong", "right"])
def test_every_attempt_hashes_one_password(
    client: Client, respondent: User, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    User.objects.filter(pk=respondent.pk).update(is_active=not case.startswith("closed"))
    calls: list[str] = []
    kind = type(hashers.get_hasher())
    encode = kind.encode

    def counted(*args: Any) -> str:
        calls.append(case)
        return str(encode(*args))

    monkeypatch.setattr(kind, "encode", counted)
    post(client, "wrong" if "wrong" in case else PASSWORD, "nobody" if case == "unknown" else "filler-one")
    assert len(calls) == 1
