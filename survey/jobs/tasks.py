"""Celery tasks of background jobs; both are idempotent."""

from celery import shared_task

from survey.jobs import services
from survey.jobs.failures import services as failures


@shared_task(name=services.TASK, ignore_result=True)
def run_job(job_id: int) -> None:
    """Run a job. The sender sets the time limit of its kind."""
    services.run(job_id)


@shared_task(name="survey.jobs.tasks.sweep", expires=15, time_limit=300, ignore_result=True)
def sweep() -> None:
    """Requeue, expire, remove and send what is due."""
    services.sweep()
    failures.delete_arguments()
