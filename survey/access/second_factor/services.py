"""The second factor: time-based codes of an authenticator, and one-time recovery codes."""

import base64
import hashlib
import hmac
import secrets

import segno
from django.conf import settings
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from survey import audit
from survey.access.models import User
from survey.access.roles import Role

RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def required_of(user: User) -> bool:
    """True for users with a role other than respondent."""
    return bool(settings.SECOND_FACTOR_REQUIRED and user.roles() - {Role.RESPONDENT.value})


def is_verified(user: User) -> bool:
    """True when the second factor was verified in this session."""
    return bool(user.is_verified())  # type: ignore[attr-defined]  # OTPMiddleware adds it


def device_of(user: User) -> TOTPDevice | None:
    """The confirmed authenticator of this user."""
    device: TOTPDevice | None = TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).first()
    return device


@transaction.atomic
def begin_setup(*, by: User) -> TOTPDevice:
    """The unconfirmed device that is being set up; the same one until it is confirmed."""
    device: TOTPDevice
    device, _created = TOTPDevice.objects.get_or_create(
        user_id=by.pk, confirmed=False, defaults={"name": "authenticator"}
    )
    return device


def secret_of(device: TOTPDevice) -> str:
    """The key for manual entry into an authenticator: base 32 in groups of four."""
    text = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def qr_code(device: TOTPDevice) -> str:
    """Inline SVG without style attributes, which the content security policy would block."""
    code = segno.make(device.config_url, error="m")
    return str(code.svg_inline(scale=5, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None))


@transaction.atomic
def confirm_setup(*, by: User, code: str) -> tuple[TOTPDevice, list[str]] | None:
    """Confirm the device with one of its codes. Returns it with new recovery codes; None for a wrong code."""
    device = TOTPDevice.objects.select_for_update().filter(user_id=by.pk, confirmed=False).first()
    if device is None or not device.verify_token(_digits(code)):
        return None
    device.confirmed = True
    device.save()
    codes = _create_recovery_codes(by)
    audit.record(by=by, action="second_factor_set_up", subject=by)
    return device, codes


@transaction.atomic
def verify(*, by: User, code: str) -> TOTPDevice | StaticDevice | None:
    """The device that accepts this code, or None. A recovery code is deleted; both devices are throttled."""
    code = code.strip()
    totp = TOTPDevice.objects.select_for_update().filter(user_id=by.pk, confirmed=True).first()
    if totp and len(_digits(code)) == totp.digits and _digits(code) == code.replace(" ", ""):
        accepted: TOTPDevice | StaticDevice | None = totp if totp.verify_token(_digits(code)) else None
    else:
        static = StaticDevice.objects.select_for_update().filter(user_id=by.pk, confirmed=True).first()
        accepted = static if static and static.verify_token(_fingerprint(by, code)) else None
    audit.record(
        by=by,
        action="second_factor",
        subject=by,
        succeeded=accepted is not None,
        kind=type(accepted).__name__ if accepted else "",
    )
    return accepted


def locked(user: User) -> bool:
    """True while throttling after wrong codes lasts (it doubles with each wrong code)."""
    device = device_of(user)
    return bool(device and not device.verify_is_allowed()[0])


def unused_recovery_codes(user: User) -> int:
    """Number of unused recovery codes."""
    return sum(device.token_set.count() for device in StaticDevice.objects.filter(user_id=user.pk))


@transaction.atomic
def renew_recovery_codes(*, by: User) -> list[str]:
    """Create ten new codes and delete the old ones."""
    codes = _create_recovery_codes(by)
    audit.record(by=by, action="recovery_codes_renewed", subject=by)
    return codes


@transaction.atomic
def reset(*, user: User, by: User) -> None:
    """Delete all devices and codes: the user sets up a new second factor at the next sign-in."""
    TOTPDevice.objects.filter(user_id=user.pk).delete()
    StaticDevice.objects.filter(user_id=user.pk).delete()
    audit.record(by=by, action="second_factor_reset", subject=user)


def _create_recovery_codes(user: User) -> list[str]:
    """Create ten codes. Only their keyed fingerprints are stored, so reading the table reveals none."""
    StaticDevice.objects.filter(user_id=user.pk).delete()
    device = StaticDevice.objects.create(user_id=user.pk, name="recovery", confirmed=True)
    codes = ["".join(secrets.choice(_ALPHABET) for _position in range(10)) for _code in range(RECOVERY_CODES)]
    for code in codes:
        device.token_set.create(token=_fingerprint(user, code))
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _fingerprint(user: User, code: str) -> str:
    """16 characters (80 bits) of a keyed hash, the width of the column of django-otp."""
    plain = "".join(c for c in code.lower() if c in _ALPHABET)
    digest = hmac.new(settings.SECRET_KEY.encode(), f"recovery:{user.pk}:{plain}".encode(), hashlib.sha256)
    return base64.b32encode(digest.digest()[:10]).decode().lower()


def _digits(code: str) -> str:
    """The decimal digits of the input as ASCII, full-width digits included."""
    return "".join(str(int(c)) for c in code if c.isdecimal())
