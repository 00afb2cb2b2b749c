"""Password recovery: a link by e-mail that is valid once and for an hour.

The answer is the same, and takes the same time, whether the account exists or not: a worker looks it up. A second
factor is still required afterwards.
"""

from datetime import datetime, timedelta

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from survey import audit, clock
from survey.access.guessing import services as guessing
from survey.access.models import User
from survey.access.own_sessions.services import end_sessions_of
from survey.jobs.mail.services import message_of
from survey.jobs.services import Work, enqueue

MAX_REQUESTS_PER_ADDRESS = 10  # per hour
MAX_MAILS_PER_ACCOUNT = 3  # per hour
HOUR = timedelta(hours=1)


class LinkTokens(PasswordResetTokenGenerator):
    """Tokens of links, whose age is counted by the clock of the database."""

    def _now(self) -> datetime:
        return timezone.make_naive(clock.present())


tokens = LinkTokens()


def may_ask(address: str | None) -> bool:
    """Count a request from a network; False when there were too many."""
    network = guessing.network_of(address)
    return guessing.granted("recovery_address", network, most=MAX_REQUESTS_PER_ADDRESS, period=HOUR)


def ask_link(username: str, *, site: str) -> None:
    """Enqueue the e-mail with the link; a worker looks the account up within the hour."""
    parameters = {"username": username, "language": get_language() or "zh-hans", "site": site}
    enqueue("password_link", arguments=parameters, not_after=clock.present() + HOUR)


def send_link(work: Work) -> None:
    """Send the link to the e-mail address of the account, if the account exists and has one."""
    username, language, site = (work.job.arguments[name] for name in ("username", "language", "site"))
    user = User.objects.filter(username=username, is_active=True).exclude(email="").first()
    if user is None:
        return
    # A retry is not counted as another request.
    if work.job.attempts == 1 and not _may_send(user):
        return
    uid = urlsafe_base64_encode(str(user.pk).encode())
    path = reverse("password_renew", args=[uid, tokens.make_token(user)])
    with translation.override(language):
        text = render_to_string("email/password.txt", {"user": user, "link": f"{site.rstrip('/')}{path}"})
        message = message_of(work.job, _("Your new password"), text, user.email)
    message.send()
    with work.store():
        audit.record(by=None, action="password_link_sent", subject=user)


def _may_send(user: User) -> bool:
    return guessing.granted("recovery_account", user.username, most=MAX_MAILS_PER_ACCOUNT, period=HOUR)


def account_of(uid: str, token: str) -> User | None:
    """The account of a link while the link is valid, else None."""
    try:
        key = int(urlsafe_base64_decode(uid))
    except (ValueError, OverflowError):
        return None
    user = User.objects.filter(pk=key, is_active=True).first()
    return user if user is not None and tokens.check_token(user, token) else None


@transaction.atomic
def renew_password(*, user: User, password: str) -> None:
    """Set the password, which the form has validated; this ends the link, other sessions and a lockout."""
    user.set_password(password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    guessing.reset_account(user.username)
    end_sessions_of(user)
    audit.record(by=user, action="password_recovered", subject=user)
