"""Limits for guessing passwords and codes: waits that grow with every failure, and that lock out nobody else.

Attempts are counted before they are checked and taken back when they succeed, each in a short transaction that
locks its row: parallel requests count like those one after the other. Counted are attempts

- of a browser that has signed in to this account before (a signed cookie says so), by itself;
- of all other browsers, by account and by address.

So strangers that try the password of an account wait longer and longer, while browsers of its owner do not notice.
When the whole site sees many failures, the allowance of unknown browsers is a quarter; no attempt is refused
only because of others at other accounts and addresses.
"""

import datetime as dt
import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

from survey import clock, locks
from survey.access.models import AttemptCounter

FORGOTTEN_AFTER = dt.timedelta(hours=12)  # without an attempt a counter starts again
SITE_PERIOD = dt.timedelta(minutes=10)
SALT = "known_device"
COOKIE = f"{settings.COOKIE_PREFIX}known_device"
COOKIE_AGE = 400 * 24 * 3600  # the survey calls once a year
COOKIE_ACCOUNTS = 5  # accounts that one browser is known for
DEVICE_LIMIT = 20  # failures after which a known browser is treated as any other


class TooManyAttempts(Exception):
    """The attempt was not checked; the next one is possible at ``until``."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(until)
        self.until = until

    @property
    def seconds(self) -> int:
        """Seconds to wait, at least one."""
        return max(1, int((self.until - clock.present()).total_seconds()) + 1)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is counted together, and how many attempts are free of waiting."""

    kind: str
    origin: str
    free: int

    @property
    def key(self) -> str:
        """The key of its counter."""
        return _hash(f"{self.kind}:{self.origin}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that may be checked. ``succeeded`` takes it back, ``failed`` leaves it counted."""

    limits: tuple[Limit, ...]

    def succeeded(self) -> None:
        """The attempt was no guess."""
        keys = [limit.key for limit in self.limits]
        with transaction.atomic():
            for counter in AttemptCounter.objects.select_for_update().filter(key__in=keys).order_by("key"):
                counter.attempts = max(0, counter.attempts - 1)
                counter.wait_until = None
                counter.save(update_fields=["attempts", "wait_until"])

    def failed(self) -> None:
        """One more failure of the whole site; the attempt is already counted for its origin."""
        with transaction.atomic():
            _count(_site(), clock.present(), SITE_PERIOD)


def begin(*limits: Limit) -> Attempt:
    """Count an attempt that is about to be checked. Raises TooManyAttempts when one of the limits makes it wait."""
    now = clock.present()
    with transaction.atomic():
        waits = [
            wait for limit in sorted(limits, key=lambda limit: limit.key) if (wait := _count(limit, now))
        ]
        if waits:
            transaction.set_rollback(True)
    if waits:
        raise TooManyAttempts(max(waits))
    return Attempt(limits)


def begin_sign_in(request: HttpRequest, username: str, address: str | None) -> Attempt:
    """Count an attempt to sign in with a password. Raises TooManyAttempts."""
    device = known_device(request, username)
    if device:
        try:
            return begin(Limit("device", device, settings.SIGN_IN_FAILURE_LIMIT))
        except TooManyAttempts:
            if _attempts(Limit("device", device, 0)) < DEVICE_LIMIT:
                raise
    part = 4 if _attempts(_site(), SITE_PERIOD) >= settings.SIGN_IN_SITE_LIMIT else 1
    return begin(
        _account(username, max(1, settings.SIGN_IN_FAILURE_LIMIT // part)),
        Limit("address", network_of(address), max(1, settings.SIGN_IN_ADDRESS_LIMIT // part)),
    )


def begin_code(request: HttpRequest, username: str) -> Attempt:
    """Count an attempt at the second factor, which only who knows the password reaches. Raises TooManyAttempts."""
    origin = known_device(request, username) or username
    return begin(Limit("code", origin, settings.SIGN_IN_FAILURE_LIMIT))


def granted(kind: str, origin: str, *, most: int, period: dt.timedelta) -> bool:
    """Count a request; False, and nothing is counted, after ``most`` in the period that begins with the first one."""
    key = Limit(kind, origin, most).key
    with transaction.atomic():
        locks.hold(f"requests {key}")
        now = clock.present()
        counter = AttemptCounter.objects.filter(key=key).first() or AttemptCounter(key=key)
        if counter.wait_until is None or counter.wait_until <= now:
            counter.attempts, counter.wait_until = 0, now + period  # here: the end of the period
        if counter.attempts >= most:
            return False
        counter.attempts += 1
        counter.last_at = now
        counter.save()
    return True


def reset_account(username: str) -> int:
    """Forget the failures of unknown browsers at an account; how many there were."""
    limit = _account(username, 0)
    attempts = _attempts(limit)
    AttemptCounter.objects.filter(key=limit.key).delete()
    return attempts


def delete_old_counters() -> int:
    """Delete the counters that no longer count; how many there were."""
    return AttemptCounter.objects.filter(last_at__lt=clock.present() - FORGOTTEN_AFTER).delete()[0]


def network_of(address: str | None) -> str:
    """The part of an address that one party holds: an IPv4 address, or 64 bits of an IPv6 address."""
    if address is None:
        return ""
    parsed = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((address, 64), strict=False)) if parsed.version == 6 else address


def known_device(request: HttpRequest, username: str) -> str:
    """The identifier of this browser for an account that has signed in with it before; else nothing."""
    return dict(_devices(request)).get(_hash(f"account:{username}")[:32], "")


def remember_device(request: HttpRequest, response: HttpResponseBase, username: str) -> None:
    """Let the browser be known for this account, now that its user has signed in."""
    account = _hash(f"account:{username}")[:32]
    devices = dict(_devices(request))
    identifier = devices.pop(account, "") or secrets.token_urlsafe(12)
    remembered = [[account, identifier], *([name, device] for name, device in devices.items())][
        :COOKIE_ACCOUNTS
    ]
    response.set_cookie(
        COOKIE,
        signing.dumps(remembered, salt=SALT),
        max_age=COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _devices(request: HttpRequest) -> list[tuple[str, str]]:
    try:
        devices = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=COOKIE_AGE)
        return [(str(account), str(identifier)) for account, identifier in devices]
    except (signing.BadSignature, TypeError, ValueError):
        return []


def _count(limit: Limit, now: dt.datetime, period: dt.timedelta = FORGOTTEN_AFTER) -> dt.datetime | None:
    """Count one attempt under the lock of its row; or, when it must wait, until when."""
    AttemptCounter.objects.bulk_create([AttemptCounter(key=limit.key)], ignore_conflicts=True)
    counter = AttemptCounter.objects.select_for_update().get(key=limit.key)
    if counter.last_at < now - period:
        counter.attempts, counter.wait_until = 0, None
    if counter.wait_until and counter.wait_until > now:
        return counter.wait_until
    counter.attempts += 1
    counter.last_at = now
    if counter.attempts >= limit.free:
        counter.wait_until = now + _wait(counter.attempts - limit.free)
    counter.save()
    return None


def _wait(number: int) -> dt.timedelta:
    """How long the attempt after this many failures beyond the free ones has to wait."""
    seconds = settings.SIGN_IN_FIRST_WAIT_SECONDS * 2 ** min(number, 30)
    return dt.timedelta(seconds=min(seconds, settings.SIGN_IN_LONGEST_WAIT_SECONDS))


def _attempts(limit: Limit, period: dt.timedelta = FORGOTTEN_AFTER) -> int:
    since = clock.present() - period
    attempts = AttemptCounter.objects.filter(key=limit.key, last_at__gte=since)
    return attempts.values_list("attempts", flat=True).first() or 0


def _account(username: str, free: int) -> Limit:
    return Limit("account", username, free)


def _site() -> Limit:
    """Failures of the whole site are counted and never wait."""
    return Limit("site", "", 2**31 - 1)


def _hash(text: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), f"attempts:{text}".encode(), hashlib.sha256).hexdigest()
