"""Celery entry points of the frame: each takes ids and calls one service; each is safe to run twice."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from survey.frame import services
from survey.frame.models import FrameImport

logger = logging.getLogger(__name__)


@shared_task(name="survey.frame.tasks.check_import", time_limit=900, ignore_result=True)
def check_import(pk: int) -> None:
    """Check one uploaded file."""
    services.check_import(pk)


@shared_task(name="survey.frame.tasks.apply_import", time_limit=900, ignore_result=True)
def apply_import(pk: int) -> None:
    """Apply one confirmed file."""
    services.apply_import(pk)


@shared_task(name="survey.frame.tasks.resume_imports", expires=15, ignore_result=True)
def resume_imports() -> None:
    """Send again what waits for a worker: its message was lost."""
    for pk, state in services.waiting_imports():
        _send(pk, state)


def proceed(row: FrameImport) -> bool:
    """Check or apply: a small file at once, a large one by a worker. False when the broker does not answer."""
    if row.size <= services.SMALL_FILE:
        work = services.check_import if row.state == FrameImport.State.QUEUED else services.apply_import
        work(row.pk)
        return True
    return _send(row.pk, row.state)


def _send(pk: int, state: str) -> bool:
    task = check_import if state == FrameImport.State.QUEUED else apply_import
    try:
        task.delay(pk)
    except (BrokerError, RedisError, OSError):
        logger.warning("the broker does not answer; import %s stays %s", pk, state)
        return False
    return True
