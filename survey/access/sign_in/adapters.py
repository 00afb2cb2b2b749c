"""What signing in means here, in the hooks of django-allauth: limits, sessions, audit rows, no accounts of its own."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from survey import audit, clock
from survey.access import sessions
from survey.access.guessing import services as guessing
from survey.access.idleness import services as idleness
from survey.access.models import User
from survey.access.passwords import hashers
from survey.access.passwords import services as passwords
from survey.access.sign_in.backends import closed_message
from survey.exceptions import Overloaded


class AccountAdapter(DefaultAccountAdapter):
    """Hooks of every way to sign in: password, passkey, single sign-on."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("Account or password is wrong."),
        "incorrect_code": _("This code is wrong or has been used already."),
        "incorrect_password": _("This is not your current password."),
    }

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The user of a name and a password. Raises TooManyAttempts, and ValidationError for a closed account."""
        hashers.check_queue()
        username = credentials.get("username", "")
        attempt = guessing.begin_sign_in(request, username, audit.current_address())
        try:
            user = authenticate(request, **credentials)
        except ValidationError:
            attempt.succeeded()
            self._record_failure(username)
            raise
        except Overloaded:  # nothing was checked
            attempt.succeeded()
            raise
        if isinstance(user, User):
            attempt.succeeded()
            return user
        attempt.failed()
        self._record_failure(username)
        return None

    def pre_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse | None:
        """Refuse a closed account, and close one that nobody has used for too long."""
        idleness.close_idle_accounts(only=user)
        user.refresh_from_db(fields=["is_active"])
        response: HttpResponse | None = super().pre_login(request, user, **options)
        return response

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Back to the page of sign-in, with the reason."""
        audit.record(by=None, action="sign_in", subject=user, succeeded=False, known=True)
        messages.error(request, closed_message())
        return redirect("sign_in")

    def login(self, request: HttpRequest, user: User) -> None:
        """Begin the session: new key, time of sign-in, the steps that follow from the age of the password."""
        super().login(request, user)
        request.session.cycle_key()
        sessions.start(request.session, clock.present())
        if not user.must_change_password and passwords.has_expired(user):
            user.must_change_password = True
            user.save(update_fields=["must_change_password"])
        audit.record(by=user, action="sign_in", subject=user, kind=_method_of(request, user))

    def post_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse:
        """Where the user wanted to go. The browser is known for this account from now on."""
        response: HttpResponse = super().post_login(request, user, **options)
        guessing.remember_device(request, response, user.username)
        return response

    def is_reauthentication_required(self, *, app: str, **options: Any) -> bool:
        """The password is asked for again before a factor is changed, except soon after signing in."""
        age = sessions.age(context.request.session, clock.present())
        return bool(age > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by activation and by administrators only."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that audit rows have, too; a socket without one has none."""
        return audit.current_address() or "0.0.0.0"  # noqa: S104 the unspecified address, nothing is bound to it

    def add_message(self, request: HttpRequest, level: int, *arguments: Any, **options: Any) -> None:
        """Only messages that are given as text: the package's own say what the page shows anyhow."""
        if options.get("message"):
            messages.add_message(request, level, options["message"])

    def _record_failure(self, username: str) -> None:
        account = User.objects.filter(username=username).first()
        # The input is recorded only when it is an account: people enter passwords into the wrong field.
        audit.record(by=None, action="sign_in", subject=account, succeeded=False, known=account is not None)


def _method_of(request: HttpRequest, user: User) -> str:
    """How the person proved who they are first: password, kind of factor, provider; empty after an activation."""
    first: dict[str, Any] = next(iter(get_authentication_records(request, user)), {})
    return str(first.get("type") or first.get("provider") or first.get("method") or "")
