"""Background work of the accounts; everything is safe to run twice."""

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils.translation import gettext_lazy as _

from survey.access.guessing import services as guessing
from survey.access.idleness import services as idleness
from survey.access.recovery import services as recovery
from survey.jobs.kinds import MESSAGE, register

register(
    "password_link",
    recovery.send_link,
    label=_("E-mail with a link for a new password"),
    retry_on=(OSError,),
    **MESSAGE,
)


@shared_task(name="survey.access.tasks.delete_ended_sessions", expires=3600, ignore_result=True)
def delete_ended_sessions() -> None:
    """Delete sessions that have ended, their entries in the lists of users, and counters that no longer count."""
    call_command("clearsessions")
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    guessing.delete_old_counters()


@shared_task(name="survey.access.tasks.close_idle_accounts", expires=3600, ignore_result=True)
def close_idle_accounts() -> None:
    """Close idle accounts."""
    idleness.close_idle_accounts()
