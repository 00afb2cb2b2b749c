"""Duration of sessions: the time without a request and the total time are limited."""

import time
from collections.abc import MutableMapping
from typing import Any

from django.conf import settings

type Session = MutableMapping[str, Any]

STARTED = "signed_in_at"  # seconds since the epoch
NEXT = "next_page"  # the page to open after the steps of signing in


def start(session: Session) -> None:
    """Store the time of sign-in."""
    session[STARTED] = int(time.time())


def too_old(session: Session) -> bool:
    """True when the session has reached its maximum age, regardless of activity."""
    started = session.get(STARTED)
    if started is None:  # signed in without ``start``: the age is counted from now
        start(session)
        return False
    return bool(time.time() - started >= settings.SESSION_ABSOLUTE_SECONDS)


def seconds_remaining(session: Session) -> int:
    """Seconds until the session ends without a further request."""
    started = session.get(STARTED, time.time())
    absolute = settings.SESSION_ABSOLUTE_SECONDS - (time.time() - started)
    return max(0, int(min(settings.SESSION_COOKIE_AGE, absolute)))
