"""A hand-over by a worker: requested on the page, done once, resumed when the worker dies.

The work is one transaction in which the row of its job is locked: while it lasts no other worker can claim it.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from estimation.design.messages import HAND_OVER_NOT_ALLOWED
from estimation.design.models import SampleDesign
from estimation.design.services import State, allow, hand_over, locked, refuse_begun
from survey import audit
from survey.access.models import User
from survey.exceptions import PolicyDenied
from survey.jobs import selectors as jobs_selectors
from survey.jobs import services as jobs
from survey.jobs.services import Work

SMALL_SAMPLE = 2_000  # handed over while the person waits


@transaction.atomic
def request_hand_over(design: SampleDesign, *, by: User | None) -> SampleDesign:
    """Request the hand-over of a sample; a repeated request changes nothing.

    Raises PermissionDenied, PolicyDenied (not approved, the round has begun).
    """
    allow(by)
    row = locked(design, (State.APPROVED, State.HANDED_OVER))
    if row.state == State.HANDED_OVER or row.is_being_handed_over:
        return row
    refuse_begun(row.round)
    row.job = jobs.enqueue("hand_over", row.pk, by=by, send=not _is_small(row))
    row.save(update_fields=["job"])
    audit.record(
        by=by,
        action="design_hand_over_requested",
        subject=row,
        year=row.round.year,
        content_hash=row.content_hash,
    )
    return row


def _is_small(design: SampleDesign) -> bool:
    return (design.summary.n or 0) <= SMALL_SAMPLE


def proceed(design: SampleDesign) -> bool:
    """Hand a small sample over at once. False when it needs a worker and the broker is not reachable."""
    if design.job is None or not _is_small(design):
        return design.job is None or jobs.was_sent(design.job)
    jobs.run(design.job.pk)
    return True


def do_hand_over(work: Work) -> None:
    """Hand over the design that is the key of a job. Raises PolicyDenied."""
    row = SampleDesign.objects.get(pk=int(work.job.key))
    try:
        with work.store():
            hand_over(row, by=jobs.requester(work.job), beat=work.progress)
    except PermissionDenied as refused:
        raise PolicyDenied(HAND_OVER_NOT_ALLOWED()) from refused


def percent_of(design: SampleDesign) -> int | None:
    """Progress of the hand-over in percent; None while it waits for a worker."""
    job = design.job
    return jobs_selectors.percent_of(job) if job is not None and job.state == job.State.RUNNING else None
