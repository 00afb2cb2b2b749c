"""Celery entry points of the room; each is safe to run twice."""

from functools import partial

from celery import shared_task
from django.db import transaction

from survey.access.idleness import services as idleness
from survey.access.recovery import services as recovery


@shared_task(name="survey.access.tasks.close_idle_accounts", expires=3600, ignore_result=True)
def close_idle_accounts() -> None:
    """Close what nobody has used for too long."""
    idleness.close_idle_accounts()


@shared_task(
    name="survey.access.tasks.send_password_link",
    ignore_result=True,
    expires=3600,
    autoretry_for=(OSError,),
    retry_backoff=30,
    max_retries=3,
)
def send_password_link(username: str, language: str, site: str) -> None:
    """Mail a link for a forgotten password, if there is such an account."""
    recovery.send_link(username, language, site)


def send_password_link_later(username: str, language: str, site: str) -> None:
    """The looking-up is left to a worker: the page answers alike for every name."""
    transaction.on_commit(partial(send_password_link.delay, username, language, site), robust=True)
