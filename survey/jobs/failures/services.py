"""Retry or discard a failed job. The caller checks the permission."""

from datetime import timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from survey import audit, clock
from survey.exceptions import PolicyDenied
from survey.jobs.kinds import registered
from survey.jobs.models import Job
from survey.jobs.services import NO_ERROR, deliver, requeue

State = Job.State
KEPT = timedelta(days=30)  # for so long a failed job can be retried


def can_retry(job: Job) -> bool:
    """Whether a failed job can be tried again.

    Not when it is too late for it, nor when the end of its kind has changed other rows and nothing changes them back.
    """
    kind = registered().get(job.kind)
    too_late = job.not_after is not None and job.not_after <= clock.now()
    return kind is not None and not too_late and (kind.ended is None or kind.waits is not None)


@transaction.atomic
def retry(job_id: int, *, by: Any) -> None:
    """Let a failed job wait again, with all its attempts. Raises PolicyDenied."""
    row = _failed(job_id)
    if not can_retry(row):
        raise PolicyDenied(_("This job cannot be tried again. Request it anew on its own page."))
    audit.record(by=by, action="job_retried", subject=row, kind=row.kind, attempts=row.attempts)
    try:
        with transaction.atomic():
            row.attempts, row.error, row.finished_at, row.sent_at = 0, NO_ERROR, None, None
            row.cancel_requested = False
            requeue(row, clock.now())
    except IntegrityError as error:
        raise PolicyDenied(_("The same job has been requested again meanwhile.")) from error
    transaction.on_commit(partial(deliver, row.pk), robust=True)


@transaction.atomic
def discard(job_id: int, *, by: Any) -> None:
    """Take a failed job off the list; what it was given is deleted. Raises PolicyDenied."""
    row = _failed(job_id)
    audit.record(by=by, action="job_discarded", subject=row, kind=row.kind)
    row.state, row.arguments = State.CANCELLED, {}
    row.save(update_fields=["state", "arguments"])


def delete_arguments() -> int:
    """Delete what jobs that failed long ago were given. Returns their number."""
    old = Job.objects.filter(state=State.FAILED, finished_at__lt=clock.now() - KEPT)
    return old.exclude(arguments={}).update(arguments={})


def _failed(job_id: int) -> Job:
    row = Job.objects.select_for_update().filter(pk=job_id, state=State.FAILED).first()
    if row is None:
        raise PolicyDenied(_("This job has not failed, or somebody has already dealt with it."))
    return row
