"""Files for the desks: requested, created by a worker, cancelled, downloaded, and removed when they expire.

Files are stored outside the web root. Only the requester may download a file, until it expires.
"""

from datetime import timedelta
from tempfile import TemporaryFile

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.base import File
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from survey import audit, clock, locks
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
from survey.jobs.storage import opened
from survey.review.filters import QueueFilter

Kind = DeskJob.Kind
JOB_KIND = "desk_file"
PERMISSIONS = {Kind.LETTERS: Permission.MANAGE_UNITS}  # other kinds: VIEW_SHEETS
LIFETIMES = {Kind.LETTERS: timedelta(hours=24)}  # letters contain codes in plain text
MAX_OPEN_JOBS = 3


def permission_of(kind: str) -> Permission:
    """The permission that a job of this kind requires."""
    return PERMISSIONS.get(Kind(kind), Permission.VIEW_SHEETS)


def jobs_of(user: User) -> "QuerySet[DeskJob]":
    """The jobs of a user, newest first."""
    return DeskJob.objects.filter(by=user).select_related("round", "job").order_by("-pk")


@transaction.atomic
def request_job(*, by: User, kind: str, round_: CollectionRound, setting: QueueFilter) -> DeskJob:
    """Request a file. Raises PermissionDenied, PolicyDenied."""
    if kind not in Kind.values:
        raise PolicyDenied(_("Choose what is to be made."))
    if not may(by, permission_of(kind)):
        raise PermissionDenied
    locks.hold(f"files of {by.pk}")
    if jobs_of(by).filter(job__state__in=jobs.OPEN).count() >= MAX_OPEN_JOBS:
        raise PolicyDenied(
            _("Wait until one of your %(count)s jobs is done, or cancel one.") % {"count": MAX_OPEN_JOBS}
        )
    row = DeskJob.objects.create(
        by=by, kind=kind, round=round_, filter=setting.written(), job=jobs.enqueue(JOB_KIND, by=by)
    )
    audit.record(by=by, action="job_requested", subject=row, kind=kind, year=round_.year, filter=row.filter)
    return row


@transaction.atomic
def cancel_job(job: DeskJob, *, by: User) -> DeskJob:
    """Cancel a job: at once while it waits, at its next step while it runs. Raises PolicyDenied when it has ended."""
    if not jobs.cancel(job.job_id):
        raise PolicyDenied(_("This job is over and cannot be cancelled."))
    audit.record(by=by, action="job_cancelled", subject=job, kind=job.kind)
    job.job.refresh_from_db()
    return job


def make_file(work: Work) -> None:
    """Create the file of a job. Raises PolicyDenied (permission has ended, no rows or too many)."""
    row = DeskJob.objects.select_related("by", "round").get(job=work.job)
    # Permissions may have ended since the request.
    if not may(row.by, permission_of(row.kind)):
        raise PolicyDenied(NOT_ALLOWED())
    make = letters.make if row.kind == Kind.LETTERS else exports.make
    with TemporaryFile() as file:  # without a name: a killed worker leaves nothing on its disk
        row.name, row.rows = make(row, file, work.progress)
        row.size = work.keep(file)
    work.expires_at = clock.present() + LIFETIMES.get(Kind(row.kind), timedelta(days=settings.JOB_DAYS))
    with work.store():
        row.save(update_fields=["name", "rows", "size"])
        audit.record(
            by=row.by, action="job_finished", subject=row, kind=row.kind, rows=row.rows, name=row.name
        )


def fetch_job(job: DeskJob, *, by: User) -> "File[bytes]":
    """The finished file, open; the download is recorded. Raises PolicyDenied when there is none or it has expired,
    FileMissing."""
    done = job.job
    is_over = done.expires_at is None or clock.present() >= done.expires_at
    if done.state != Job.State.DONE or is_over or not done.file:
        raise PolicyDenied(_("This file has expired. Ask for it again."))
    if not may(by, permission_of(job.kind)):
        raise PermissionDenied
    file = opened(done)
    audit.record(by=by, action="job_fetched", subject=job, kind=job.kind, name=job.name, rows=job.rows)
    return file
