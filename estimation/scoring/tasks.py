"""Celery entry point of the scores: safe to run twice, and cheap when there is nothing new."""

from celery import shared_task

from estimation.scoring import services


@shared_task(name="estimation.scoring.tasks.sweep_scores", expires=60, time_limit=900, ignore_result=True)
def sweep_scores() -> None:
    """Score what a finished run or a newly filed sheet has brought since the last sweep."""
    services.score_open_rounds()
