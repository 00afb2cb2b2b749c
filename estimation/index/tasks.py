"""Celery entry points of the index."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from estimation.index import services

logger = logging.getLogger(__name__)


@shared_task(name="estimation.index.tasks.compute_index", time_limit=1800, ignore_result=True)
def compute_index(index_id: int) -> None:
    """Compute one queued index."""
    services.compute_index(index_id)


@shared_task(name="estimation.index.tasks.index_new_runs", expires=60, ignore_result=True)
def index_new_runs() -> None:
    """Compute the index of new runs and of runs whose replicates are new; take up what was left."""
    for index_id in services.waiting_indices():
        services.compute_index(index_id)


def enqueue(index_id: int) -> bool:
    """Hand an index to a worker. False when the broker does not answer: the sweep computes it later."""
    try:
        compute_index.delay(index_id)
    except (BrokerError, RedisError, OSError):
        logger.warning("the broker does not answer; index %s stays queued", index_id)
        return False
    return True
