"""Password recovery: the link, the response for unknown accounts, the end of sessions."""

import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.access.models import AttemptCounter, User
from survey.access.recovery import services as recovery
from survey.audit import AuditEvent
from survey.jobs.models import Job
from survey.jobs.services import sweep
from tests.background import do_waiting
from tests.factories import World, make_unit, make_user

OLD, NEW = "Rehearsal-2026-ok", "Silver-Meadow-2032"


@pytest.fixture
def person(world: World) -> User:
    return make_user(
        "respondent", unit=make_unit(), username="filler-one", password=OLD, email="filler@example.org"
    )


def send(name: str = "filler-one") -> None:
    """Request a link and send the e-mail."""
    recovery.ask_link(name, site="https://survey.example/")
    do_waiting("password_link")


@pytest.fixture
def link(person: User, mailoutbox: Any) -> str:
    send()
    (message,) = mail.outbox
    assert message.to == ["filler@example.org"]
    match = re.search(r"https://survey\.example(/\S+)", str(message.body))
    assert match
    return match[1]


def test_a_link_sets_a_new_password_once(client: Client, person: User, link: str) -> None:
    assert client.get(link).status_code == 200
    done = client.post(link, {"new_password": NEW, "repeated": NEW})
    assert done["Location"] == reverse("sign_in")
    person.refresh_from_db()
    assert person.check_password(NEW)
    assert client.get(link).status_code == 410
    assert AuditEvent.objects.filter(action="password_recovered", subject_id=str(person.pk)).count() == 1


def test_password_rules_apply_to_recovery(client: Client, person: User, link: str) -> None:
    assert client.post(link, {"new_password": "short", "repeated": "short"}).status_code == 422
    assert client.post(link, {"new_password": OLD, "repeated": OLD}).status_code == 422
    person.refresh_from_db()
    assert person.check_password(OLD)


def test_signing_in_ends_the_link(client: Client, person: User, link: str) -> None:
    client.force_login(person)
    assert Client().get(link).status_code == 410


def test_other_sessions_end(client: Client, person: User) -> None:
    client.force_login(person)
    assert client.get(reverse("tasks")).status_code == 200
    recovery.renew_password(user=person, password=NEW)
    assert client.get(reverse("tasks")).status_code == 302


@pytest.mark.parametrize("name", ["filler-one", "nobody-of-this-name", "closed"])
def test_the_response_is_the_same_for_every_account_name(client: Client, person: User, name: str) -> None:
    answer = client.post(reverse("password_forgotten"), {"username": name})
    page = re.sub(r'(csrf\S* content|value)="[^"]+"', "", answer.content.decode())
    other = client.post(reverse("password_forgotten"), {"username": "another"}).content.decode()
    assert page == re.sub(r'(csrf\S* content|value)="[^"]+"', "", other)


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"email": ""}], ids=["closed account", "no address"]
)
def test_no_mail_to_closed_accounts_or_without_address(
    person: User, mailoutbox: Any, change: dict[str, Any]
) -> None:
    User.objects.filter(pk=person.pk).update(**change)
    send()
    send("no-such-name")
    assert mail.outbox == []


def test_mails_and_requests_are_limited(client: Client, person: User, mailoutbox: Any) -> None:
    for _request in range(5):
        send()
    assert len(mail.outbox) == recovery.MAX_MAILS_PER_ACCOUNT == 3
    answers = [
        client.post(reverse("password_forgotten"), {"username": "x"}).status_code
        for _ in range(recovery.MAX_REQUESTS_PER_ADDRESS + 1)
    ]
    assert answers[-2:] == [200, 422]


def test_the_limits_end_with_their_hour_and_are_kept_in_the_database(client: Client, person: User) -> None:
    form = {"username": "x"}
    for _request in range(recovery.MAX_REQUESTS_PER_ADDRESS):
        client.post(reverse("password_forgotten"), form)
    cache.clear()  # the broker was restarted
    assert client.post(reverse("password_forgotten"), form).status_code == 422
    AttemptCounter.objects.update(wait_until=timezone.now())
    assert client.post(reverse("password_forgotten"), form).status_code == 200
    assert AttemptCounter.objects.get().attempts == 1


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [("192.0.2.1", "192.0.2.2", False), ("2001:db8::1", "2001:db8::ffff", True)],
    ids=["IPv4", "one network of IPv6"],
)
def test_requests_are_counted_by_what_one_party_holds(
    db: None, first: str, second: str, *, same: bool
) -> None:
    for _request in range(recovery.MAX_REQUESTS_PER_ADDRESS):
        assert recovery.may_ask(first)
    assert recovery.may_ask(second) is not same


@pytest.mark.parametrize("uid", ["MQ", "!!", "OTk5OTk5OTk5", "_"])
def test_invalid_links_answer_410(client: Client, world: World, uid: str) -> None:
    assert client.get(reverse("password_renew", args=[uid, "abc-def"])).status_code == 410


def test_a_link_is_not_mailed_after_an_hour(person: User, mailoutbox: Any) -> None:
    recovery.ask_link("filler-one", site="https://survey.example/")
    Job.objects.update(not_after=timezone.now())
    sweep()
    assert Job.objects.get().state == Job.State.EXPIRED and mail.outbox == []
