"""Celery entry points of the runs: each takes ids and calls one service; each is safe to run twice."""

import logging
from typing import Any

from celery import group, shared_task
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from estimation.runs import services
from estimation.runs.bootstrap import services as services_bootstrap
from estimation.runs.bootstrap.models import Bootstrap
from estimation.runs.compute.spec import RunSpec
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
    send_chunks(services_bootstrap.lost_chunks())


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


@shared_task(name="estimation.runs.tasks.compute_chunk", time_limit=1800, ignore_result=True)
def compute_chunk(chunk_id: int) -> None:
    """Compute some replicates of a bootstrap."""
    services_bootstrap.compute_chunk(chunk_id)


def enqueue_bootstrap(row: Bootstrap, *, queue: str | None = None) -> bool:
    """Hand the chunks that nobody has computed to the workers, as one group."""
    return send_chunks(services_bootstrap.waiting_chunks(row), queue=queue)


def send_chunks(chunk_ids: list[int], *, queue: str | None = None) -> bool:
    """Send chunks. False when the broker does not answer: the sweep sends them later."""
    if not chunk_ids:
        return True
    try:
        route: dict[str, Any] = {"queue": queue} if queue else {}
        group(compute_chunk.s(one) for one in chunk_ids).apply_async(**route)
    except (BrokerError, RedisError, OSError):
        logger.warning("the broker does not answer; %s chunks wait", len(chunk_ids))
        return False
    return True


def enqueue(run_id: int) -> bool:
    """Hand a queued run to a worker. False when the broker does not answer: the sweep sends it later."""
    try:
        execute_run.delay(run_id)
    except (BrokerError, RedisError, OSError):
        logger.warning("the broker does not answer; run %s stays queued", run_id)
        return False
    return True
