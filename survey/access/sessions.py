"""Duration of sessions: the time without a request and the total time are limited.

``now`` is the time of the database (survey.clock): the machines that answer a session's requests may differ.
"""

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any

from django.conf import settings

type Session = MutableMapping[str, Any]

STARTED = "signed_in_at"  # seconds since the epoch
ELSEWHERE = "sign_out_address"
NEXT = "next_page"  # the page to open after the steps of signing in


def start(session: Session, now: datetime) -> None:
    """Store the time of sign-in."""
    session[STARTED] = int(now.timestamp())


def came_from(session: Session, address: str) -> None:
    """Store the page for signing out of the provider that this session came from."""
    session[ELSEWHERE] = address


def sign_out_address(session: Session) -> str:
    """That page, with its query; empty for a session without a provider."""
    return str(session.get(ELSEWHERE, ""))


def age(session: Session, now: datetime) -> float:
    """Seconds since the sign-in; 0 for a session without ``start``."""
    return now.timestamp() - float(session.get(STARTED, now.timestamp()))


def too_old(session: Session, now: datetime) -> bool:
    """True when the session has reached its maximum age, regardless of activity."""
    if session.get(STARTED) is None:  # signed in without ``start``: the age is counted from now
        start(session, now)
    return bool(age(session, now) >= settings.SESSION_ABSOLUTE_SECONDS)


def seconds_remaining(session: Session, now: datetime) -> int:
    """Seconds until the session ends without a further request."""
    absolute = settings.SESSION_ABSOLUTE_SECONDS - age(session, now)
    return max(0, int(min(settings.SESSION_COOKIE_AGE, absolute)))
