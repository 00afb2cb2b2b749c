"""Retry or discard a failed job. The caller checks the permission."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey import audit
from survey.exceptions import PolicyDenied
from survey.jobs.kinds import registered
from survey.jobs.models import Job
from survey.jobs.services import requeue_failed

State = Job.State


def can_retry(job: Job) -> bool:
    """Whether a failed job can be tried again.

    Not when it is too late for it, nor when the end of its kind has changed other rows and nothing changes them back.
    """
    kind = registered().get(job.kind)
    too_late = job.not_after is not None and job.not_after <= timezone.now()
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
            requeue_failed(row)
    except IntegrityError as error:
        raise PolicyDenied(_("The same job has been requested again meanwhile.")) from error


@transaction.atomic
def discard(job_id: int, *, by: Any) -> None:
    """Take a failed job off the list; what it was given is deleted. Raises PolicyDenied."""
    row = _failed(job_id)
    audit.record(by=by, action="job_discarded", subject=row, kind=row.kind)
    row.state, row.arguments = State.CANCELLED, {}
    row.save(update_fields=["state", "arguments"])


def _failed(job_id: int) -> Job:
    row = Job.objects.select_for_update().filter(pk=job_id, state=State.FAILED).first()
    if row is None:
        raise PolicyDenied(_("This job has not failed, or somebody has already dealt with it."))
    return row
