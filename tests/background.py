"""Runs background jobs in the process of the test."""

from django.utils import timezone

from survey.jobs.models import Job
from survey.jobs.services import enqueue, run


def do_waiting(*kinds: str) -> list[Job]:
    """Run every job of these kinds (default: all) and those that they enqueue, without delays."""
    done: dict[int, Job] = {}
    while True:
        waiting = Job.objects.filter(state=Job.State.WAITING).order_by("pk")
        job = (waiting.filter(kind__in=kinds) if kinds else waiting).first()
        if job is None:
            return list(Job.objects.filter(pk__in=done).order_by("pk"))
        Job.objects.filter(pk=job.pk).update(available_at=timezone.now())
        assert run(job.pk)
        done[job.pk] = job


def do(kind: str, key: object = "", **arguments: object) -> Job:
    """Enqueue a job and run it."""
    job = enqueue(kind, key, arguments=arguments)
    assert run(job.pk)
    job.refresh_from_db()
    return job
