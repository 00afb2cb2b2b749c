"""Progress of jobs."""

from contextlib import suppress

from django.core.cache import cache
from redis.exceptions import RedisError

from survey.jobs.models import Job


def percent_of(job: Job) -> int:
    """Progress of a job in percent, also while it stores results."""
    if job.state != Job.State.RUNNING:
        return job.percent
    with suppress(RedisError):
        return max(job.percent, cache.get(progress_key(job.pk)) or 0)
    return job.percent


def progress_key(pk: int) -> str:
    """Key of the cache for the percentage of a job that stores its results."""
    return f"job-progress:{pk}"
