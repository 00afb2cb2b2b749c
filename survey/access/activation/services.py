"""From the activation letter to an account: the unit's credit code and a code that works once.

A code has 60 random bits, so a keyed hash is enough to store it: the attempts and days for which it is valid do not
suffice to guess it.
"""

import datetime as dt
import hmac
import secrets
import unicodedata
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from survey import audit
from survey.access.models import ActivationCode, RoleAssignment, User
from survey.access.roles import Permission, Role
from survey.access.scope import may
from survey.exceptions import PolicyDenied

VALID_DAYS = 30
MAX_FAILURES = 5  # per code
MAX_FAILURES_PER_ADDRESS = 30  # per hour, over all units
# No 0/O, 1/I/L: the code is read from paper.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_LENGTH = 12


@transaction.atomic
def issue_activation_code(*, unit: Any, by: User) -> str:
    """Create a code for a unit and return it in plain text; earlier unused codes expire."""
    if not may(by, Permission.MANAGE_UNITS, unit):
        raise PermissionDenied
    now = timezone.now()
    earlier = ActivationCode.objects.filter(unit=unit, used_at=None, expires_at__gt=now)
    replaced = earlier.update(expires_at=now)
    plain = "".join(secrets.choice(_ALPHABET) for _position in range(_LENGTH))
    expires = now + dt.timedelta(days=VALID_DAYS)
    ActivationCode.objects.create(unit=unit, code_hash=_hash(unit.pk, plain), expires_at=expires)
    audit.record(
        by=by,
        action="activation_code_issued",
        subject=unit,
        region_path=unit.review_region.path,
        expires_at=expires.isoformat(),
        replaced=replaced,
    )
    return "-".join(plain[i : i + 4] for i in range(0, _LENGTH, 4))


def check_code(*, credit_code: str, code: str, address: str | None) -> ActivationCode:
    """The valid code that was entered; wrong ones are counted and audited.

    Raises PolicyDenied with one and the same sentence whether unit, code or date is wrong, so that the
    page does not reveal which credit codes are in the frame.
    """
    key = f"activation-failures:{address}"
    if cache.get(key, 0) >= MAX_FAILURES_PER_ADDRESS:
        raise PolicyDenied(_("Too many wrong codes came from your network. Please try again in an hour."))
    uscc = _normalise(credit_code)
    with transaction.atomic():
        candidate = (
            ActivationCode.objects.select_for_update(of=("self",))
            .select_related("unit__review_region")
            .filter(unit__uscc=uscc, used_at=None, expires_at__gt=timezone.now())
            .order_by("-id")
            .first()
        )
        if candidate and candidate.failed_attempts < MAX_FAILURES:
            if hmac.compare_digest(candidate.code_hash, _hash(candidate.unit_id, _normalise(code))):
                return candidate
            candidate.failed_attempts += 1
            candidate.save(update_fields=["failed_attempts"])
        audit.record(
            by=None,
            action="activation_refused",
            subject=candidate.unit if candidate else None,
            succeeded=False,
            credit_code=uscc[:18],
            attempts=candidate.failed_attempts if candidate else None,
        )
    cache.add(key, 0, timeout=3600)
    cache.incr(key)
    raise PolicyDenied(
        _(
            "Credit code and activation code do not belong together, or the code has expired, has been used "
            "or was mistyped too often. Check both; your statistics bureau issues a new code."
        )
    )


def pending_code(pk: Any) -> ActivationCode | None:
    """The code that this session has entered, while it is valid."""
    return (
        ActivationCode.objects.filter(
            pk=pk, used_at=None, expires_at__gt=timezone.now(), failed_attempts__lt=MAX_FAILURES
        )
        .select_related("unit__review_region")
        .first()
    )


@transaction.atomic
def activate_account(
    *, code: ActivationCode, username: str, name: str, password: str, email: str = ""
) -> User:
    """Use up the code: a respondent's account with its grant for the one unit."""
    now = timezone.now()
    used = ActivationCode.objects.filter(
        pk=code.pk, used_at=None, expires_at__gt=now, failed_attempts__lt=MAX_FAILURES
    ).update(used_at=now)
    if not used:
        raise PolicyDenied(_("This activation code has already been used or has expired."))
    if User.objects.filter(username__iexact=username).exists():
        raise PolicyDenied(_("This account name is taken."))
    user = User.objects.create_user(
        username, password, name=name, email=email, notice_read_at=now, is_synthetic=code.unit.is_synthetic
    )
    ActivationCode.objects.filter(pk=code.pk).update(used_by=user)
    RoleAssignment.objects.create(
        user=user, role=Role.RESPONDENT, region_id=code.unit.review_region_id, unit=code.unit
    )
    path = code.unit.review_region.path
    audit.record(by=user, action="account_activated", subject=code.unit, region_path=path)
    audit.record(
        by=user,
        action="role_granted",
        subject=user,
        region_path=path,
        role=Role.RESPONDENT.value,
        unit=code.unit_id,
        by_activation=True,
    )
    return user


def _normalise(text: str) -> str:
    """Upper case without separators; full-width characters become plain ones."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in folded if c.isascii() and c.isalnum())


def _hash(unit_id: int, code: str) -> str:
    message = f"activation:{unit_id}:{code}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, "sha256").hexdigest()
