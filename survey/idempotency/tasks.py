"""Periodic work of the package."""

from celery import shared_task

from survey.idempotency import services


@shared_task(name="survey.idempotency.tasks.delete_old_keys", expires=3600, ignore_result=True)
def delete_old_keys() -> None:
    """Delete the keys of requests that nobody repeats any more."""
    services.delete_old()
