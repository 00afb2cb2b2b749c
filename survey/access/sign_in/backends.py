"""Accounts with a password, checked with the same work whether the account exists, is closed, or neither."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from survey.access.idleness import services as idleness
from survey.access.models import User


class AccountBackend(ModelBackend):
    """Exactly one password is hashed for every attempt. That an account is closed learns who knows its password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """The user with this name and password. Raises ValidationError when the account is closed."""
        if username is None or password is None:
            return None
        user = User.objects.filter(username=username).first()
        if user is None:
            make_password(password)
            return None
        if not user.check_password(password):
            return None
        if not user.is_active or idleness.close_idle_accounts(only=user):
            raise ValidationError(closed_message(), code="account_closed")
        return user


def closed_message() -> str:
    """What the owner of a closed account is shown."""
    return _(
        "This account is closed: by an administrator, or because nobody has signed in for a long time. "
        "A system administrator can open it again."
    )
