"""From the activation letter to an account: the unit's credit code and a code that works once.

Wrong codes make the network address that sent them wait, never the unit: its credit code is public, and a letter that
others could use up by guessing would keep the unit out. With 74 random bits a code cannot be guessed within the days
for which it is valid, and a keyed hash is enough to store it.
"""

import datetime as dt
import hmac
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from survey import audit, clock, locks
from survey.access.activation import codes
from survey.access.guessing import services as guessing
from survey.access.guessing.services import Limit
from survey.access.models import ActivationCode, RoleAssignment, User
from survey.access.roles import Permission, Role
from survey.access.scope import may
from survey.exceptions import PolicyDenied

VALID_DAYS = 30
FREE_ATTEMPTS = 5  # wrong codes for one unit from one address, before it has to wait
FREE_ATTEMPTS_PER_ADDRESS = 30  # the same over all units


@transaction.atomic
def issue_activation_code(*, unit: Any, by: User) -> str:
    """Create a code for a unit and return it in plain text; earlier unused codes expire."""
    if not may(by, Permission.MANAGE_UNITS, unit):
        raise PermissionDenied
    locks.hold(f"activation code of {unit.pk}")
    now = clock.present()
    earlier = ActivationCode.objects.filter(unit=unit, used_at=None, expires_at__gt=now)
    replaced = earlier.update(expires_at=now)
    plain = codes.new_code()
    expires = now + dt.timedelta(days=VALID_DAYS)
    ActivationCode.objects.create(unit=unit, code_hash=_hashes(unit.pk, plain)[0], expires_at=expires)
    audit.record(
        by=by,
        action="activation_code_issued",
        subject=unit,
        region_path=unit.review_region.path,
        expires_at=expires.isoformat(),
        replaced=replaced,
    )
    return codes.as_printed(plain)


def check_code(*, credit_code: str, code: str, address: str | None) -> ActivationCode:
    """The valid code that was entered; wrong ones are counted and audited.

    Raises PolicyDenied with one and the same sentence whether unit, code or date is wrong, so that the
    page does not reveal which credit codes are in the frame; TooManyAttempts when the address has to wait.
    """
    if codes.is_mistyped(code):
        raise PolicyDenied(_("This activation code has a typing error. Compare it with the letter."))
    uscc, network = codes.normalise(credit_code), guessing.network_of(address)
    attempt = guessing.begin(
        Limit("activation", f"{network} {uscc}", FREE_ATTEMPTS),
        Limit("activation address", network, FREE_ATTEMPTS_PER_ADDRESS),
    )
    candidate = (
        ActivationCode.objects.select_related("unit__review_region")
        .filter(unit__uscc=uscc, used_at=None, expires_at__gt=clock.present())
        .order_by("-id")
        .first()
    )
    entered = _hashes(candidate.unit_id if candidate else 0, codes.normalise(code))
    if candidate and any(hmac.compare_digest(candidate.code_hash, entry) for entry in entered):
        attempt.succeeded()
        return candidate
    attempt.failed()
    with transaction.atomic():
        if candidate:
            ActivationCode.objects.filter(pk=candidate.pk).update(
                failed_attempts=Least(F("failed_attempts") + 1, 32767)
            )
        audit.record(
            by=None,
            action="activation_refused",
            subject=candidate.unit if candidate else None,
            succeeded=False,
            credit_code=uscc[:18],
        )
    raise PolicyDenied(
        _(
            "Credit code and activation code do not belong together, or the code has expired or has been used. "
            "Check both; your statistics bureau issues a new code."
        )
    )


def pending_code(pk: Any) -> ActivationCode | None:
    """The code that this session has entered, while it is valid."""
    return (
        ActivationCode.objects.filter(pk=pk, used_at=None, expires_at__gt=clock.present())
        .select_related("unit__review_region")
        .first()
    )


@transaction.atomic
def activate_account(
    *, code: ActivationCode, username: str, name: str, password: str, email: str = ""
) -> User:
    """Use up the code: a respondent's account with its grant for the one unit."""
    now = clock.present()
    used = ActivationCode.objects.filter(pk=code.pk, used_at=None, expires_at__gt=now).update(used_at=now)
    if not used:
        raise PolicyDenied(_("This activation code has already been used or has expired."))
    locks.hold(f"account {username.lower()}")
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


def _hashes(unit_id: int, code: str) -> list[str]:
    """The keyed hash of a code, by the present secret key and by the former ones."""
    message = f"activation:{unit_id}:{code}".encode()
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [hmac.new(key.encode(), message, "sha256").hexdigest() for key in keys]
