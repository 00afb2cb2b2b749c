"""Files for the desks: requested, made by a worker, cancelled, fetched, and removed when they expire.

A file lies outside the web root. Only who asked for it may fetch it, and only until it expires.
"""

from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from survey import audit
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied
from survey.fieldwork.exports import selectors as exports
from survey.fieldwork.exports.letters import services as letters
from survey.fieldwork.exports.messages import NOT_ALLOWED
from survey.fieldwork.models import DeskJob
from survey.jobs import services as jobs
from survey.jobs.models import Job
from survey.jobs.services import Work
from survey.jobs.storage import folder
from survey.review.filters import QueueFilter

Kind = DeskJob.Kind
JOB = "desk_file"
PERMISSIONS = {Kind.LETTERS: Permission.MANAGE_UNITS}  # every export is for those who read the sheets
KEPT = {Kind.LETTERS: timedelta(hours=24)}  # letters hold codes in plain
AT_ONCE = 3


def permission_of(kind: str) -> Permission:
    """What a job of this kind takes."""
    return PERMISSIONS.get(Kind(kind), Permission.VIEW_SHEETS)


def jobs_of(user: User) -> "QuerySet[DeskJob]":
    """A person's own jobs, newest first."""
    return DeskJob.objects.filter(by=user).select_related("round", "job").order_by("-pk")


@transaction.atomic
def request_job(*, by: User, kind: str, round_: CollectionRound, setting: QueueFilter) -> DeskJob:
    """Ask for a file. Raises PermissionDenied, PolicyDenied."""
    if kind not in Kind.values:
        raise PolicyDenied(_("Choose what is to be made."))
    if not may(by, permission_of(kind)):
        raise PermissionDenied
    if jobs_of(by).filter(job__state__in=jobs.OPEN).count() >= AT_ONCE:
        raise PolicyDenied(
            _("Wait until one of your %(count)s jobs is done, or cancel one.") % {"count": AT_ONCE}
        )
    row = DeskJob.objects.create(
        by=by, kind=kind, round=round_, filter=setting.written(), job=jobs.enqueue(JOB, by=by)
    )
    audit.record(by=by, action="job_requested", subject=row, kind=kind, year=round_.year, filter=row.filter)
    return row


@transaction.atomic
def cancel_job(job: DeskJob, *, by: User) -> DeskJob:
    """Stop a job: at once while it waits, at its next step while it runs. Raises PolicyDenied when it is over."""
    if not jobs.cancel(job.job_id):
        raise PolicyDenied(_("This job is over and cannot be cancelled."))
    audit.record(by=by, action="job_cancelled", subject=job, kind=job.kind)
    job.job.refresh_from_db()
    return job


def make_file(work: Work) -> None:
    """Make the file of a job. Raises PolicyDenied (no permission any more, nothing or too much to write)."""
    row = DeskJob.objects.select_related("by", "round").get(job=work.job)
    # Permissions may have ended since the file was asked for.
    if not may(row.by, permission_of(row.kind)):
        raise PolicyDenied(NOT_ALLOWED())
    path = work.file()
    make = letters.make if row.kind == Kind.LETTERS else exports.make
    row.name, row.rows = make(row, path, work.progress)
    row.size = path.stat().st_size
    work.expires_at = timezone.now() + KEPT.get(Kind(row.kind), timedelta(days=settings.JOB_DAYS))
    with work.store():
        row.save(update_fields=["name", "rows", "size"])
        audit.record(
            by=row.by, action="job_finished", subject=row, kind=row.kind, rows=row.rows, name=row.name
        )


def fetch_job(job: DeskJob, *, by: User) -> Path:
    """The finished file, with a row in the audit trail. Raises PolicyDenied when there is none (any more)."""
    done = job.job
    path = folder() / done.file
    is_over = done.expires_at is None or timezone.now() >= done.expires_at
    if done.state != Job.State.DONE or is_over or not done.file or not path.exists():
        raise PolicyDenied(_("This file has expired. Ask for it again."))
    if not may(by, permission_of(job.kind)):
        raise PermissionDenied
    audit.record(by=by, action="job_fetched", subject=job, kind=job.kind, name=job.name, rows=job.rows)
    return path
