"""How long a session lasts: so long without a request, and so long in all."""

import time

from django.conf import settings
from django.http import HttpRequest

STARTED = "signed_in_at"  # seconds since the epoch
SECOND_FACTOR_PENDING = "second_factor_pending"


def start(request: HttpRequest) -> None:
    """Note the time of sign-in."""
    request.session[STARTED] = int(time.time())


def too_old(request: HttpRequest) -> bool:
    """True when the session has reached its absolute age, however busy it was."""
    started = request.session.get(STARTED)
    if started is None:  # signed in by a way that did not note the time: the clock starts now
        start(request)
        return False
    return bool(time.time() - started >= settings.SESSION_ABSOLUTE_SECONDS)


def seconds_left(request: HttpRequest) -> int:
    """Seconds until the session ends if nothing more is asked of the server."""
    started = request.session.get(STARTED, time.time())
    absolute = settings.SESSION_ABSOLUTE_SECONDS - (time.time() - started)
    return max(0, int(min(settings.SESSION_COOKIE_AGE, absolute)))
