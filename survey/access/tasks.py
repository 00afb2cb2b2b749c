"""Background work of the accounts; everything is safe to run twice."""

from celery import shared_task

from survey.access.idleness import services as idleness
from survey.access.recovery import services as recovery
from survey.jobs.kinds import MESSAGE, register

register("password_link", recovery.send_link, retry_on=(OSError,), **MESSAGE)


@shared_task(name="survey.access.tasks.close_idle_accounts", expires=3600, ignore_result=True)
def close_idle_accounts() -> None:
    """Close idle accounts."""
    idleness.close_idle_accounts()
