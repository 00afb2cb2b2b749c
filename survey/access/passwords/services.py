"""Password rules beyond those of Django, and passwords that the system makes."""

import datetime as dt
import secrets
import string
from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from survey.access.models import FormerPassword
from survey.access.roles import Role
from survey.audit import AuditEvent

CLASSES_WANTED = 3
REMEMBERED = 5  # the present password and the four before it may not come back
DAYS_OF_RESPONDENTS = 180
DAYS_OF_ADMINISTRATION = 90
# Without characters that are easily confused when a password is read from paper.
_LOWER = "abcdefghjkmnpqrstuvwxyz"
_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "23456789"


class ThreeOfFourClassesValidator:
    """Lower case, upper case, digits, other characters: three of the four must occur."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when fewer than three kinds of characters occur."""
        kinds = (
            any(c in string.ascii_lowercase for c in password),
            any(c in string.ascii_uppercase for c in password),
            any(c.isdigit() for c in password),
            any(not c.isdigit() and c not in string.ascii_letters for c in password),
        )
        if sum(kinds) < CLASSES_WANTED:
            raise ValidationError(self.get_help_text(), code="password_too_uniform")

    def get_help_text(self) -> str:
        """The rule as a sentence."""
        return _(
            "The password must contain at least three of these: lower-case letters, "
            "upper-case letters, digits, other characters."
        )


class NotTheCreditCodeValidator:
    """The credit code of one's unit is printed on every letter, so it is no secret."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when the password contains the credit code of a unit of this user."""
        for code in _credit_codes(user):
            if code.casefold() in password.casefold():
                raise ValidationError(self.get_help_text(), code="password_is_credit_code")

    def get_help_text(self) -> str:
        """The rule as a sentence."""
        return _("The password must not contain the credit code of your unit.")


class NotAFormerPasswordValidator:
    """The last passwords of an account do not come back, however they were set.

    Django tells validators when a user with a new password has been saved; that is where hashes are kept.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when the password is one of the last REMEMBERED of this user."""
        if user is None or user.pk is None:
            return
        kept = user.former_passwords.order_by("-pk").values_list("password_hash", flat=True)
        if any(check_password(password, encoded) for encoded in kept[:REMEMBERED]):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def password_changed(self, password: str, user: Any = None) -> None:
        """Keep the hash that was just stored and forget the oldest."""
        if user is None or user.pk is None:
            return
        FormerPassword.objects.create(user=user, password_hash=user.password)
        rows = FormerPassword.objects.filter(user=user).order_by("-pk")
        FormerPassword.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[REMEMBERED:])).delete()

    def get_help_text(self) -> str:
        """The rule as a sentence."""
        return _("The new password must not be one of your last five.")


def _credit_codes(user: Any) -> list[str]:
    if user is None:
        return []
    if user.pk is None:  # an account that is being made: the activation names its unit
        return list(getattr(user, "credit_codes", []))
    return list(
        user.assignments.filter(ended_at=None, unit__isnull=False).values_list("unit__uscc", flat=True)
    )


def initial_password() -> str:
    """A random password to be used once: 16 characters of three kinds."""
    alphabet = _LOWER + _UPPER + _DIGITS
    while True:
        made = "".join(secrets.choice(alphabet) for _place in range(16))
        if all(any(c in kind for c in made) for kind in (_LOWER, _UPPER, _DIGITS)):
            return made


def has_expired(user: Any) -> bool:
    """True when the password is older than the rules allow; asked once, at sign-in.

    The audit trail knows when it was last changed. Rehearsal accounts keep their printed passwords.
    """
    if user.is_synthetic:
        return False
    changes = AuditEvent.objects.filter(
        actor_id=user.pk, action__in=["password_changed", "account_activated"]
    ).order_by("-at")
    changed = changes.values_list("at", flat=True).first() or user.created_at
    days = DAYS_OF_ADMINISTRATION if user.roles() - {Role.RESPONDENT.value} else DAYS_OF_RESPONDENTS
    return bool(timezone.now() - changed > dt.timedelta(days=days))
