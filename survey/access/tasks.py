"""Celery entry points of the room; each is safe to run twice."""

from celery import shared_task

from survey.access import idleness


@shared_task(name="survey.access.tasks.close_idle_accounts", expires=3600, ignore_result=True)
def close_idle_accounts() -> None:
    """Close what nobody has used for too long."""
    idleness.close_idle_accounts()
