"""Celery entry points of background work; both are safe to run twice."""

from celery import shared_task

from survey.jobs import services


@shared_task(name=services.TASK, ignore_result=True)
def run_job(job_id: int) -> None:
    """Do one job. The sender gives the time limit of its kind."""
    services.run(job_id)


@shared_task(name="survey.jobs.tasks.sweep", expires=15, time_limit=300, ignore_result=True)
def sweep() -> None:
    """Resume, end, remove and send what has to be."""
    services.sweep()
