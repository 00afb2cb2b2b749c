"""The clock of a machine jumps an hour: nothing ends early, nothing stays open, nothing is published before its time."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode

from config import health
from estimation.releases import policies as releases
from estimation.releases.models import Release
from estimation.releases.policies import Request as ReleaseRequest
from estimation.releases.states import Action
from survey import clock
from survey.access import sessions
from survey.access.guessing import services as guessing
from survey.access.recovery.services import account_of, tokens
from survey.audit import AuditEvent
from survey.submissions.invitations import services as invitations
from survey.submissions.lifecycle.policies import Request, accepts_answers
from survey.submissions.lifecycle.states import Action as SheetAction
from tests.factories import World

pytestmark = pytest.mark.django_db
HALF = timedelta(minutes=30)
JUMPS = pytest.mark.parametrize("hours", [1, -1], ids=["forwards", "backwards"])


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the clock of this process; that of the database stays as it is."""
    true_now, true_time = timezone.now, time.time

    def shift(hours: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: true_now() + timedelta(hours=hours))
        monkeypatch.setattr(time, "time", lambda: true_time() + hours * 3600)

    return shift


@JUMPS
def test_the_present_is_that_of_the_database(jump: Any, hours: int) -> None:
    jump(hours)
    clock._last = None
    for _reading in range(2):
        assert abs(clock.present() - clock.now()) < HALF
    assert abs(timezone.now() - clock.now()) > HALF


def test_the_database_is_asked_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock._last = None
    with CaptureQueriesContext(connection) as asked:
        first = [clock.present() for _time in range(3)]
    assert len(asked) == 1 and first == sorted(first)
    running = clock._running
    monkeypatch.setattr(clock, "_running", lambda: running() + clock.MEASURED_FOR + 1)
    with CaptureQueriesContext(connection) as asked:
        assert abs(clock.present() - first[0]) < HALF, "read anew, and not carried on"
    assert len(asked) == 1


@JUMPS
def test_sessions_end_by_the_time_of_the_database(
    jump: Any, hours: int, client: Client, world: World
) -> None:
    client.force_login(world.users["audit_administrator"])
    key = client.session.session_key
    begun = client.session.get(sessions.STARTED)
    jump(hours)
    assert client.get(reverse("audit")).status_code == 200, "still open"
    stored = Session.objects.get(pk=key)
    assert abs(stored.expire_date - clock.now() - HALF) < HALF
    assert begun is None or sessions.age(client.session, clock.present()) < 1800
    Session.objects.filter(pk=key).update(expire_date=clock.now() - timedelta(seconds=1))
    assert client.get(reverse("audit")).status_code == 302, "ended"


@JUMPS
def test_the_longest_session_is_measured_by_the_database(
    jump: Any, hours: int, client: Client, world: World, settings: Any
) -> None:
    client.force_login(world.users["audit_administrator"])
    session = client.session
    sessions.start(session, clock.now() - HALF)
    session.save()
    jump(hours)
    settings.SESSION_ABSOLUTE_SECONDS = 3600
    assert client.get(reverse("audit")).status_code == 200
    settings.SESSION_ABSOLUTE_SECONDS = 600
    assert client.get(reverse("audit")).status_code == 302


@JUMPS
def test_a_round_closes_by_the_time_of_the_database(jump: Any, hours: int, world: World) -> None:
    sheet = world.sheet
    request = Request(world.users["respondent"], SheetAction.SUBMIT)
    jump(hours)
    # Closed or not open yet by the clock of the host, and open by that of the database.
    sheet.round.opens_at, sheet.round.closes_at = clock.now() - HALF, clock.now() + HALF
    assert accepts_answers(sheet, request) is None
    assert sheet.round.is_open()
    sheet.round.closes_at = clock.now() - timedelta(seconds=1)
    assert accepts_answers(sheet, request) is not None
    assert not sheet.round.is_open()
    sheet.assignment.round = sheet.round
    assert not sheet.assignment.accepts_answers()
    sheet.assignment.extended_until = clock.now() + HALF
    assert sheet.assignment.accepts_answers()


@JUMPS
def test_invitations_end_by_the_time_of_the_database(jump: Any, hours: int, world: World) -> None:
    sheet, by = world.sheet, world.users["respondent"]
    jump(hours)
    for left, count in ((HALF, 1), (-timedelta(seconds=1), 0)):
        sheet.invitations.all().delete()
        sheet.invitations.create(
            name="", email="", sections=["P"], secret_hash="x", invited_by=by, expires_at=clock.now() + left
        )
        assert invitations.live(sheet).count() == count


@JUMPS
def test_a_release_keeps_its_embargo(jump: Any, hours: int) -> None:
    jump(hours)
    request = ReleaseRequest(None, Action.PUBLISH)
    assert releases.embargo_over(Release(embargo_until=clock.now() + HALF), request) is not None
    assert releases.embargo_over(Release(embargo_until=clock.now() - timedelta(seconds=1)), request) is None


@JUMPS
def test_a_link_for_a_password_lasts_an_hour_of_the_database(
    jump: Any, hours: int, world: World, settings: Any
) -> None:
    user = world.users["reviewer"]
    uid, token = urlsafe_base64_encode(str(user.pk).encode()), tokens.make_token(user)
    jump(hours)
    settings.PASSWORD_RESET_TIMEOUT = 1800
    assert account_of(uid, token) == user
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert account_of(uid, token) is None


@JUMPS
def test_waits_after_failures_are_those_of_the_database(jump: Any, hours: int, settings: Any) -> None:
    settings.SIGN_IN_FIRST_WAIT_SECONDS = 1800
    limit = guessing.Limit("account", "somebody", 1)
    guessing.begin(limit)
    jump(hours)
    with pytest.raises(guessing.TooManyAttempts) as refused:
        guessing.begin(limit)
    assert 0 < refused.value.seconds <= 1801


@JUMPS
def test_audit_rows_name_the_time_of_the_database(jump: Any, hours: int, world: World) -> None:
    jump(hours)
    row = AuditEvent.objects.create(action="sign_in")
    assert abs(row.at - clock.now()) < HALF


@JUMPS
def test_heartbeats_are_compared_by_the_clock_of_the_broker(jump: Any, hours: int) -> None:
    health.heartbeat()
    jump(hours)
    age = health.age_of(health.HEARTBEAT)
    assert age is not None and age < 1800
    health.note_beat()
    jump(0)
    age = health.age_of(health.BEAT)
    assert age is not None and age < 1800
