"""The sessions of a user: list, end one, end all others, and end all of an account."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from survey import audit, clock
from survey.access.models import User
from survey.access.own_sessions import devices


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has not ended."""

    pk: int
    device: str  # browser and system
    user_agent: str
    address: str
    started_at: dt.datetime
    used_at: dt.datetime
    is_current: bool


def open_sessions(request: HttpRequest, user: User) -> list[OpenSession]:
    """The sessions of a user, the current one first, then by last use."""
    rows = {row.session_key: row for row in UserSession.objects.filter(user_id=user.pk)}
    ends = dict(
        Session.objects.filter(session_key__in=rows, expire_date__gt=clock.present()).values_list(
            "session_key", "expire_date"
        )
    )
    # Every request extends its session, so the expiry gives the time of the last request.
    idle = dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    listed = [
        OpenSession(
            row.pk,
            devices.name_of(row.user_agent),
            row.user_agent,
            row.ip,
            row.created_at,
            ends[key] - idle,
            key == request.session.session_key,
        )
        for key, row in rows.items()
        if key in ends
    ]
    return sorted(listed, key=lambda session: (not session.is_current, -session.used_at.timestamp()))


@transaction.atomic
def end_session(*, pk: int, by: User) -> bool:
    """End one of one's own sessions; False when it has ended already."""
    ended = _end(UserSession.objects.filter(pk=pk, user_id=by.pk).values_list("session_key", flat=True))
    if ended:
        audit.record(by=by, action="session_ended", subject=by)
    return bool(ended)


@transaction.atomic
def end_other_sessions(*, by: User, keep: str | None) -> int:
    """End all of one's own sessions but the one with this key; how many."""
    ended = end_sessions_of(by, keep=keep)
    audit.record(by=by, action="other_sessions_ended", subject=by, sessions=ended)
    return ended


@transaction.atomic
def end_sessions_of(user: User, keep: str | None = None) -> int:
    """End the sessions of an account, all but the one with this key; how many."""
    rows = UserSession.objects.filter(user_id=user.pk)
    return _end(rows.exclude(session_key=keep or "").values_list("session_key", flat=True))


def begin(request: HttpRequest) -> None:
    """List the session of this request, whose key has changed. Sessions in cookies cannot be listed."""
    if isinstance(request.session, SessionStore):
        UserSession.objects.create_from_request(request)


def forget(request: HttpRequest) -> None:
    """Take the session of this request off the list."""
    UserSession.objects.filter(session_key=request.session.session_key).delete()


def _end(keys: Iterable[str]) -> int:
    ended = list(keys)
    count: int = Session.objects.filter(session_key__in=ended).delete()[0]
    UserSession.objects.filter(session_key__in=ended).delete()
    return count
