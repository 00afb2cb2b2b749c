"""One's own sessions: seen, ended one by one or all at once, and ended by what ends an account's access."""

import datetime as dt
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from config.celery import app
from survey.access import services
from survey.access.models import User
from survey.access.own_sessions.devices import name_of
from survey.access.recovery import services as recovery
from survey.access.tasks import delete_ended_sessions
from survey.audit import AuditEvent
from tests.factories import World, make_unit, make_user

PASSWORD = "Rehearsal-2026-ok"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0"
WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/114.0 Mobile Safari/537.36 MicroMessenger/8.0.47"


@pytest.fixture
def person(world: World) -> User:
    return make_user("respondent", unit=make_unit(), username="filler-one", password=PASSWORD)


def open_browser(name: str = "filler-one", agent: str = "curl/8.1", address: str = "192.0.2.1") -> Client:
    client = Client(REMOTE_ADDR=address, headers={"User-Agent": agent})
    form = {"username": name, "password": PASSWORD}
    assert client.post(reverse("sign_in"), form).status_code == 302
    return client


def is_open(client: Client) -> bool:
    return client.get(reverse("sessions")).status_code == 200


def test_the_list_shows_device_address_and_last_use(person: User) -> None:
    other = open_browser(agent=EDGE, address="192.0.2.2")
    key = other.session.session_key
    ends = timezone.now() + dt.timedelta(minutes=20)
    Session.objects.filter(session_key=key).update(expire_date=ends)
    client = open_browser()
    client.cookies["django_language"] = "en"
    shown = client.get(reverse("sessions")).context["sessions"]
    assert [(row.device, row.address, row.is_current) for row in shown] == [
        ("curl 8", "192.0.2.1", True),
        ("Edge 126 on Windows", "192.0.2.2", False),
    ]
    assert shown[1].used_at == ends - dt.timedelta(minutes=30)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (EDGE, "Edge 126 on Windows"),
        (WECHAT, "WeChat Browser 8 on Android"),
        ("curl/8.1", "curl 8"),
        ("", "Unknown browser"),
        ("<b>(((" * 30, "Unknown browser"),
    ],
    ids=["Edge", "WeChat", "without a system", "empty", "strange"],
)
def test_browser_and_system_are_named(agent: str, name: str) -> None:
    with override("en"):
        assert name_of(agent) == name


def test_the_text_of_the_browser_is_a_detail(person: User) -> None:
    page = open_browser(agent=EDGE).get(reverse("sessions")).content.decode()
    before, _details, after = page.partition('<details class="small-text">')
    assert "Edge 126" in before and EDGE not in before and EDGE in after


def test_ending_one_session_and_all_others(person: User) -> None:
    client, second, third, fourth = (open_browser(agent=f"Browser/{number}") for number in range(4))
    listed = {row.user_agent: row.pk for row in client.get(reverse("sessions")).context["sessions"]}
    client.post(reverse("sessions"), {"session": listed["Browser/1"]})
    assert [is_open(browser) for browser in (client, second, third, fourth)] == [True, False, True, True]
    client.post(reverse("sessions"))
    assert [is_open(browser) for browser in (client, third, fourth)] == [True, False, False]
    assert AuditEvent.objects.filter(action="session_ended", actor_id=person.pk).count() == 1
    assert AuditEvent.objects.get(action="other_sessions_ended").details == {"sessions": 2}


def test_sessions_are_ended_after_the_password_when_the_sign_in_was_long_ago(person: User) -> None:
    client, other = open_browser(), open_browser()
    chosen = UserSession.objects.get(session_key=other.session.session_key).pk
    session = client.session
    session["signed_in_at"] -= 16 * 60
    session.save()
    asked = client.post(reverse("sessions"), {"session": chosen})
    assert asked["Location"] == f"{reverse('account_reauthenticate')}?next=%2Fsessions%2F"
    assert is_open(other) and is_open(client)
    assert client.post(asked["Location"], {"password": "wrong"}).status_code == 422
    assert is_open(other)
    confirmed = client.post(asked["Location"], {"password": PASSWORD, "next": reverse("sessions")})
    assert confirmed["Location"] == reverse("sessions")
    assert is_open(client) and not is_open(other)


def test_the_security_administrator_ends_all_sessions_of_an_account(person: User, world: World) -> None:
    url, form = reverse("roles_of", args=[person.pk]), {"action": "end_sessions"}
    theirs, client = open_browser(), Client()
    for role in ("system_administrator", "audit_administrator", "reviewer"):
        client.force_login(world.users[role])
        assert client.post(url, form).status_code == 404
    assert is_open(theirs)
    client.force_login(world.users["security_administrator"])
    assert 'value="end_sessions"' in client.get(url).content.decode()
    assert client.post(url, form).status_code == 302
    assert not is_open(theirs) and is_open(open_browser())
    row = AuditEvent.objects.get(action="sessions_ended", actor_id=world.users["security_administrator"].pk)
    assert (row.subject_id, row.details["sessions"]) == (str(person.pk), 1)
    own = reverse("roles_of", args=[world.users["security_administrator"].pk])
    client.post(own, form)
    assert client.get(own).status_code == 200


@pytest.mark.parametrize("chosen", ["theirs", "-1", "x", "9" * 40])
def test_sessions_of_others_are_not_ended(person: User, chosen: str) -> None:
    make_user("respondent", unit=make_unit(), username="filler-two", password=PASSWORD)
    other, client = open_browser("filler-two"), open_browser()
    key = str(UserSession.objects.get(user__username="filler-two").pk)
    client.post(reverse("sessions"), {"session": key if chosen == "theirs" else chosen})
    assert is_open(other) and is_open(client)


def test_signing_out_takes_the_session_off_the_list(person: User) -> None:
    client, other = open_browser(), open_browser()
    client.post(reverse("sign_out"))
    assert not is_open(client) and is_open(other)
    assert UserSession.objects.filter(user=person).count() == Session.objects.count() == 1


@pytest.mark.parametrize("act", ["change", "reset", "recover", "close"])
def test_what_ends_access_ends_the_sessions(person: User, world: World, act: str) -> None:
    client, other = open_browser(), open_browser()
    administrator, new = world.users["system_administrator"], "Another-2026-ok"
    if act == "change":
        form = {"old_password": PASSWORD, "new_password": new, "repeated": new}
        assert client.post(reverse("password_change"), form).status_code == 302
        assert is_open(client)
    elif act == "reset":
        services.reset_password(user=person, by=administrator)
    elif act == "recover":
        recovery.renew_password(user=person, password=new)
    else:
        services.close_account(user=person, by=administrator)
    kept = 1 if act == "change" else 0
    assert Session.objects.count() == UserSession.objects.count() == kept
    assert not is_open(other)


def test_ended_sessions_are_deleted_every_night(person: User) -> None:
    open_browser()
    open_browser()
    first: Any = Session.objects.order_by("pk").first()
    Session.objects.filter(pk=first.pk).update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    delete_ended_sessions()
    assert Session.objects.count() == UserSession.objects.count() == 1
    entry = app.conf.beat_schedule["delete-ended-sessions"]
    assert entry["task"] == delete_ended_sessions.name
