"""Password validators in addition to Django's, and generated passwords."""

import datetime as dt
import secrets
import string
import threading
from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from survey import clock
from survey.access.models import FormerPassword
from survey.access.passwords.words import words
from survey.access.roles import Role
from survey.audit import AuditEvent

MIN_CHARACTER_CLASSES = 3
# A password that a program finds with fewer attempts is refused: common ones, names, dates, keyboard patterns, words of
# the survey and what people add to these. What follows the examined length makes a password no easier.
LEAST_GUESSES = 10**9
EXAMINED_LENGTH = 72
HISTORY_LENGTH = 5  # the current password and the four before it may not be reused
MAX_AGE_DAYS_RESPONDENT = 180
MAX_AGE_DAYS_OFFICE = 90
# Without characters that are easily confused when a password is read from paper.
_LOWER = "abcdefghjkmnpqrstuvwxyz"
_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "23456789"
_estimating = threading.Lock()


class ThreeOfFourClassesValidator:
    """Requires three of four character classes: lower case, upper case, digits, others."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when fewer than three character classes occur."""
        kinds = (
            any(c in string.ascii_lowercase for c in password),
            any(c in string.ascii_uppercase for c in password),
            any(c.isdigit() for c in password),
            any(not c.isdigit() and c not in string.ascii_letters for c in password),
        )
        if sum(kinds) < MIN_CHARACTER_CLASSES:
            raise ValidationError(self.get_help_text(), code="password_too_uniform")

    def get_help_text(self) -> str:
        """The rule as a sentence."""
        return _(
            "The password must contain at least three of these: lower-case letters, "
            "upper-case letters, digits, other characters."
        )


class HardToGuessValidator:
    """Requires a password that is not soon found by a program that knows what people choose."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError for a common password, and for one of few words, names, dates and patterns."""
        own = [getattr(user, name, "") or "" for name in ("username", "name", "email")]
        if _guesses(password, [*own, *words()]) < LEAST_GUESSES:
            raise ValidationError(self.get_help_text(), code="password_easy_to_guess")

    def get_help_text(self) -> str:
        """The rule as a sentence."""
        return _(
            "The password is too easy to guess: it is made of a common password, a word of this survey, a name, "
            "a date or neighbouring keys. Choose several words that do not belong together."
        )


class NotTheCreditCodeValidator:
    """Rejects the credit code of the user's unit, which is printed on every letter."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when the password contains the credit code of a unit of this user."""
        for code in _credit_codes(user):
            if code.casefold() in password.casefold():
                raise ValidationError(self.get_help_text(), code="password_is_credit_code")

    def get_help_text(self) -> str:
        """The rule as a sentence."""
        return _("The password must not contain the credit code of your unit.")


class NotAFormerPasswordValidator:
    """Rejects the last passwords of an account, however they were set.

    Django calls ``password_changed`` when a user with a new password has been saved; it stores the hash.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when the password is one of the last HISTORY_LENGTH of this user."""
        if user is None or user.pk is None:
            return
        former = user.former_passwords.order_by("-pk").values_list("password_hash", flat=True)
        if any(check_password(password, encoded) for encoded in former[:HISTORY_LENGTH]):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def password_changed(self, password: str, user: Any = None) -> None:
        """Store the hash of the new password and delete the oldest."""
        if user is None or user.pk is None:
            return
        FormerPassword.objects.create(user=user, password_hash=user.password)
        rows = FormerPassword.objects.filter(user=user).order_by("-pk")
        FormerPassword.objects.filter(
            pk__in=list(rows.values_list("pk", flat=True)[HISTORY_LENGTH:])
        ).delete()

    def get_help_text(self) -> str:
        """The rule as a sentence."""
        return _("The new password must not be one of your last five.")


def _guesses(password: str, known: list[str]) -> int:
    from zxcvbn import zxcvbn  # 70 ms and some megabytes, only for processes that set passwords

    with _estimating:  # the package keeps the known words in a variable of its own
        return int(zxcvbn(password[:EXAMINED_LENGTH], user_inputs=known)["guesses"])


def _credit_codes(user: Any) -> list[str]:
    if user is None:
        return []
    if user.pk is None:  # an account that is being created: the activation sets its unit
        return list(getattr(user, "credit_codes", []))
    return list(
        user.assignments.filter(ended_at=None, unit__isnull=False).values_list("unit__uscc", flat=True)
    )


def initial_password() -> str:
    """A random one-time password: 16 characters of three classes."""
    alphabet = _LOWER + _UPPER + _DIGITS
    while True:
        password = "".join(secrets.choice(alphabet) for _position in range(16))
        if all(any(c in kind for c in password) for kind in (_LOWER, _UPPER, _DIGITS)):
            return password


def has_expired(user: Any) -> bool:
    """True when the password is older than the rules allow; checked at sign-in.

    The time of the last change is that of its audit row. Passwords of rehearsal accounts do not expire.
    """
    if user.is_synthetic:
        return False
    changes = AuditEvent.objects.filter(
        actor_id=user.pk, action__in=["password_changed", "account_activated"]
    ).order_by("-at")
    changed = changes.values_list("at", flat=True).first() or user.created_at
    days = MAX_AGE_DAYS_OFFICE if user.roles() - {Role.RESPONDENT.value} else MAX_AGE_DAYS_RESPONDENT
    return bool(clock.present() - changed > dt.timedelta(days=days))
