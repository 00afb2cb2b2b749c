"""Celery entry points of the sample design: each takes ids and calls one service; each is safe to run twice."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from estimation.design.hand_over import services as services_hand_over
from estimation.design.models import SampleDesign

logger = logging.getLogger(__name__)


@shared_task(name="estimation.design.tasks.do_hand_over", time_limit=900, ignore_result=True)
def do_hand_over(pk: int) -> None:
    """Hand one approved sample over to its round."""
    services_hand_over.do_hand_over(pk)


@shared_task(name="estimation.design.tasks.resume_hand_overs", expires=15, ignore_result=True)
def resume_hand_overs() -> None:
    """Send again what waits for a worker: its message was lost, or its worker was."""
    for pk in services_hand_over.waiting_hand_overs():
        _send(pk)


def proceed(design: SampleDesign) -> bool:
    """A small sample at once, a large one by a worker. False when the broker does not answer."""
    if design.summary.get("n", 0) <= services_hand_over.SMALL_SAMPLE:
        services_hand_over.do_hand_over(design.pk)
        return True
    return _send(design.pk)


def _send(pk: int) -> bool:
    try:
        do_hand_over.delay(pk)
    except (BrokerError, RedisError, OSError):
        logger.warning("the broker does not answer; the hand-over of design %s waits", pk)
        return False
    return True
