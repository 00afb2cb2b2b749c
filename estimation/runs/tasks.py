"""Celery entry points of the runs: each takes ids and calls one service; each is safe to run twice."""

import logging

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from estimation.runs import services
from estimation.runs.spec import RunSpec
from survey.exceptions import SurveyError

logger = logging.getLogger(__name__)


@shared_task(name="estimation.runs.tasks.execute_run", time_limit=1800, ignore_result=True)
def execute_run(run_id: int) -> None:
    """Compute one queued run."""
    services.execute_run(run_id)


@shared_task(name="estimation.runs.tasks.resume_lost_runs", expires=15, ignore_result=True)
def resume_lost_runs() -> None:
    """Send again what waits for a worker: its message was lost, or its worker was."""
    for run_id in services.lost_runs():
        enqueue(run_id)


@shared_task(name="estimation.runs.tasks.sweep_stale_rounds", expires=300, ignore_result=True)
def sweep_stale_rounds() -> None:
    """Recompute rounds whose accepted data have changed, when the office has switched that on."""
    if not settings.RECOMPUTE_ON_CHANGE:
        return
    for round_ in services.stale_rounds():
        try:
            run, waits = services.request_run(round=round_, by=None, spec=RunSpec())
        except SurveyError as refusal:
            logger.warning("round %s is not recomputed: %s", round_.year, refusal)
            continue
        if waits:
            enqueue(run.pk)


def enqueue(run_id: int) -> bool:
    """Hand a queued run to a worker. False when the broker does not answer: the sweep sends it later."""
    try:
        execute_run.delay(run_id)
    except (BrokerError, RedisError, OSError):
        logger.warning("the broker does not answer; run %s stays queued", run_id)
        return False
    return True
