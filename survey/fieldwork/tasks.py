"""Celery entry points of the fieldwork: each takes ids and calls one service; each is safe to run twice."""

import logging

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from survey.fieldwork.exports import services as jobs
from survey.fieldwork.reminders import services as reminders

logger = logging.getLogger(__name__)


@shared_task(name="survey.fieldwork.tasks.run_job", time_limit=3600, ignore_result=True)
def run_job(job_id: int) -> None:
    """Make the file of one job."""
    jobs.run_job(job_id)


@shared_task(name="survey.fieldwork.tasks.tidy_jobs", expires=600, ignore_result=True)
def tidy_jobs() -> None:
    """Delete expired files, give up lost jobs, send again what waits for a worker."""
    jobs.expire_jobs()
    for job_id in jobs.waiting_jobs():
        enqueue_job(job_id)


@shared_task(name="survey.fieldwork.tasks.send_reminders", time_limit=3600, ignore_result=True)
def send_reminders(batch_id: int) -> None:
    """Decide and send the reminders of one batch."""
    reminders.send_batch(batch_id)


@shared_task(name="survey.fieldwork.tasks.remind_by_calendar", expires=3600, ignore_result=True)
def remind_by_calendar() -> None:
    """Seven, three and one day before the deadline, when the office has switched that on."""
    if not settings.REMINDERS_AUTOMATIC:
        return
    for batch_id in reminders.calendar_batches():
        send_reminders.delay(batch_id)


def enqueue_job(job_id: int) -> bool:
    """Hand a queued job to a worker. False when the broker does not answer: ``tidy_jobs`` sends it later."""
    return _handed(run_job, job_id)


def enqueue_reminders(batch_id: int) -> bool:
    """Hand a batch to a worker. False when the broker does not answer."""
    return _handed(send_reminders, batch_id)


def _handed(task: object, key: int) -> bool:
    try:
        task.delay(key)  # type: ignore[attr-defined]  # a Celery task
    except (BrokerError, RedisError, OSError):
        logger.warning("the broker does not answer; %s %s stays queued", task, key)
        return False
    return True
