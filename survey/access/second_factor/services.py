"""The second factor: time-based codes of an authenticator, and one-time recovery codes."""

import base64
import hashlib
import hmac
from collections.abc import MutableMapping
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from survey import audit, encryption
from survey.access.models import User
from survey.access.roles import Role
from survey.exceptions import Overloaded

CONTEXT = "second factor"  # of encrypted secrets
SETUP = "second_factor_setup"  # the encrypted key of an authenticator that is not confirmed yet
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # of the recovery codes that earlier versions made


def required_of(user: User) -> bool:
    """True for users with a role other than respondent."""
    return bool(settings.SECOND_FACTOR_REQUIRED and user.roles() - {Role.RESPONDENT.value})


def is_set_up(user: User) -> bool:
    """True when the account has a second factor."""
    return bool(is_mfa_enabled(user, FACTORS))


def is_verified(request: HttpRequest) -> bool:
    """True when the second factor was verified in this session."""
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)


def begin_setup(session: MutableMapping[str, Any]) -> str:
    """The key of the authenticator that is being set up; the same one until it is confirmed."""
    if SETUP not in session:
        session[SETUP] = encryption.encrypt(generate_totp_secret(), SETUP)
    return encryption.decrypt(session[SETUP], SETUP)


def qr_code(user: User, secret: str) -> str:
    """The QR code of a key as the address of an image."""
    adapter = get_adapter()
    svg = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


@transaction.atomic
def confirm_setup(request: HttpRequest, *, by: User, code: str) -> list[str] | None:
    """Add the authenticator that shows this code; its recovery codes, or None when the code is wrong."""
    User.objects.select_for_update().get(pk=by.pk)
    secret = begin_setup(request.session)
    if Authenticator.objects.filter(user=by, type=Authenticator.Type.TOTP).exists():
        return None
    if not validate_totp_code(secret, digits(code)):
        return None
    authenticator = TOTP.activate(by, secret).instance
    del request.session[SETUP]
    record_authentication(request, by, "mfa", id=authenticator.pk, type=authenticator.type)
    audit.record(by=by, action="second_factor_set_up", subject=by, kind=authenticator.type)
    return _make_recovery_codes(by)


def check_code(authenticator: Authenticator, code: str) -> bool:
    """True when the authenticator or the recovery codes accept this code; both accept it only once."""
    factor = authenticator.wrap()
    if authenticator.type == Authenticator.Type.TOTP:
        try:
            return bool(factor.validate_code(digits(code)))
        except RedisError as error:  # where used codes are remembered
            sentence = _("Codes of an authenticator cannot be checked at the moment. A recovery code works.")
            raise Overloaded(sentence, retry_after=10) from error
    candidates = [code, *fingerprints(authenticator.user_id, code)]
    return any(factor.validate_code(candidate) for candidate in candidates)


def kind_of(form: Any) -> str:
    """The kind of the factor that a valid form of the check was filled with."""
    factor = getattr(form, "authenticator", None) or form.cleaned_data["credential"]
    return str(factor.type)


def passkeys(user: Any) -> Any:
    """The passkeys of an account, the oldest first."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).order_by("created_at")


def has_passkey(user: User) -> bool:
    """True when the account has a passkey."""
    return bool(is_mfa_enabled(user, [Authenticator.Type.WEBAUTHN]))


def passkey_added(request: HttpRequest, *, by: User, first: bool) -> list[str]:
    """Record a new passkey. Was it the first factor, this session has it verified, and the codes are returned."""
    audit.record(by=by, action="passkey_added", subject=by)
    if not first:
        return []
    record_authentication(
        request, by, "mfa", id=passkeys(by).last().pk, type=str(Authenticator.Type.WEBAUTHN)
    )
    return _make_recovery_codes(by)


def is_last_needed(user: User) -> bool:
    """True when the account has one factor only and may not be without."""
    return required_of(user) and Authenticator.objects.filter(user=user, type__in=FACTORS).count() == 1


def unused_recovery_codes(user: User) -> int:
    """How many recovery codes are still unused."""
    codes = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(codes.wrap().get_unused_codes()) if codes else 0


@transaction.atomic
def renew_recovery_codes(*, by: User) -> list[str]:
    """Replace the recovery codes."""
    codes = _make_recovery_codes(by)
    audit.record(by=by, action="recovery_codes_renewed", subject=by)
    return codes


@transaction.atomic
def reset(*, user: User, by: User) -> None:
    """Delete all factors and codes. A new second factor is set up at the next sign-in."""
    Authenticator.objects.filter(user=user).delete()
    audit.record(by=by, action="second_factor_reset", subject=user)


def _make_recovery_codes(user: User) -> list[str]:
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    codes = RecoveryCodes.activate(user).get_unused_codes()
    return ["-".join(code[i : i + 4] for i in range(0, len(code), 4)) for code in codes]


def fingerprints(user_id: int, code: str) -> list[str]:
    """What is known of the recovery codes that earlier versions made: 80 bits of a keyed hash, by each secret key."""
    plain = "".join(c for c in code.lower() if c in _ALPHABET)
    message = f"recovery:{user_id}:{plain}".encode()
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hmac.digest(key.encode(), message, hashlib.sha256) for key in keys]
    return [base64.b32encode(digest[:10]).decode().lower() for digest in digests]


def digits(code: str) -> str:
    """ASCII digits of the input; full-width ones are converted."""
    return "".join(str(int(c)) for c in code if c.isdecimal())


def rotate_secrets() -> int:
    """Encrypt secrets with the current key where they are not; returns for how many factors."""
    rotated = 0
    for pk in list(Authenticator.objects.values_list("pk", flat=True)):
        with transaction.atomic():
            authenticator = Authenticator.objects.select_for_update().filter(pk=pk).first()
            data = _rotated(authenticator.data) if authenticator else None
            if authenticator and data != authenticator.data:
                authenticator.data = data
                authenticator.save(update_fields=["data"])
                rotated += 1
    return rotated


def _rotated(value: Any) -> Any:
    """The same JSON value with every encrypted text in it under the current key."""
    if isinstance(value, dict):
        return {key: _rotated(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rotated(part) for part in value]
    if isinstance(value, str) and encryption.is_encrypted(value) and encryption.needs_rotation(value):
        return encryption.encrypt(encryption.decrypt(value, CONTEXT), CONTEXT)
    return value
