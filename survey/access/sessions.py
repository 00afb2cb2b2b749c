"""How long a session lasts: so long without a request, and so long in all."""

import time
from collections.abc import MutableMapping
from typing import Any

from django.conf import settings

type Session = MutableMapping[str, Any]

STARTED = "signed_in_at"  # seconds since the epoch
SECOND_FACTOR_PENDING = "second_factor_pending"


def start(session: Session) -> None:
    """Note the time of sign-in."""
    session[STARTED] = int(time.time())


def too_old(session: Session) -> bool:
    """True when the session has reached its absolute age, however busy it was."""
    started = session.get(STARTED)
    if started is None:  # signed in by a way that did not note the time: the clock starts now
        start(session)
        return False
    return bool(time.time() - started >= settings.SESSION_ABSOLUTE_SECONDS)


def seconds_left(session: Session) -> int:
    """Seconds until the session ends if nothing more is asked of the server."""
    started = session.get(STARTED, time.time())
    absolute = settings.SESSION_ABSOLUTE_SECONDS - (time.time() - started)
    return max(0, int(min(settings.SESSION_COOKIE_AGE, absolute)))
