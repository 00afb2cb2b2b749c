"""Long work of the desks: requested, done by a worker with progress, cancelled, fetched, and thrown away.

A job makes one file outside the web root. Only who asked for it may fetch it, and only until it expires.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
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
from survey.fieldwork.models import DeskJob
from survey.review.filters import QueueFilter

logger = logging.getLogger(__name__)
State, Kind = DeskJob.State, DeskJob.Kind
type Report = Callable[[int, int], None]
PERMISSIONS = {Kind.LETTERS: Permission.MANAGE_UNITS}  # every export is for those who read the sheets
KEPT = {Kind.LETTERS: timedelta(hours=24)}  # letters hold codes in plain
AT_ONCE = 3
LOST_AFTER = timedelta(minutes=15)


class Cancelled(Exception):
    """Raised between two pieces of work when somebody asked the job to stop."""


def permission_of(kind: str) -> Permission:
    """What a job of this kind takes."""
    return PERMISSIONS.get(Kind(kind), Permission.VIEW_SHEETS)


def jobs_of(user: User) -> "QuerySet[DeskJob]":
    """A person's own jobs, newest first."""
    return DeskJob.objects.filter(by=user).select_related("round").order_by("-pk")


@transaction.atomic
def request_job(*, by: User, kind: str, round_: CollectionRound, setting: QueueFilter) -> DeskJob:
    """Queue a job; the caller hands it to a worker. Raises PermissionDenied, PolicyDenied."""
    if kind not in Kind.values:
        raise PolicyDenied(_("Choose what is to be made."))
    if not may(by, permission_of(kind)):
        raise PermissionDenied
    waiting = jobs_of(by).filter(state__in=[State.QUEUED, State.RUNNING])
    if waiting.count() >= AT_ONCE:
        raise PolicyDenied(
            _("Wait until one of your %(count)s jobs is done, or cancel one.") % {"count": AT_ONCE}
        )
    job = DeskJob.objects.create(by=by, kind=kind, round=round_, filter=setting.written())
    audit.record(by=by, action="job_requested", subject=job, kind=kind, year=round_.year, filter=job.filter)
    return job


@transaction.atomic
def cancel_job(job: DeskJob, *, by: User) -> DeskJob:
    """Stop a job: at once while it waits, at its next step while it runs. Raises PolicyDenied when it is over."""
    row = DeskJob.objects.select_for_update().get(pk=job.pk, by=by)
    if row.state == State.QUEUED:
        _end(row.pk, State.QUEUED, State.CANCELLED)
    elif row.state == State.RUNNING:
        DeskJob.objects.filter(pk=row.pk).update(cancel_requested=True)
    else:
        raise PolicyDenied(_("This job is over and cannot be cancelled."))
    audit.record(by=by, action="job_cancelled", subject=row, kind=row.kind)
    row.refresh_from_db()
    return row


def run_job(job_id: int) -> bool:
    """Do a queued job. False when it was not there to be taken; safe to deliver twice."""
    now = timezone.now()
    if not DeskJob.objects.filter(pk=job_id, state=State.QUEUED).update(
        state=State.RUNNING, started_at=now, beat_at=now
    ):
        return False
    job = DeskJob.objects.select_related("by", "round").get(pk=job_id)
    path = _folder() / f"{job.pk}-{job.secret}"
    try:
        # Permissions may have ended since the job was asked for.
        if not may(job.by, permission_of(job.kind)):
            raise PolicyDenied(_("You may not do this any more."))
        make = letters.make if job.kind == Kind.LETTERS else exports.make
        made = make(job, path, _reporter(job))
    except Cancelled:
        path.unlink(missing_ok=True)
        _end(job.pk, State.RUNNING, State.CANCELLED)
    except PolicyDenied as refused:
        path.unlink(missing_ok=True)
        _end(job.pk, State.RUNNING, State.FAILED, error=str(refused.sentence))
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("job %s failed", job_id)
        path.unlink(missing_ok=True)
        _end(job.pk, State.RUNNING, State.FAILED, error=f"{type(error).__name__}: {error}"[:300])
    else:
        _finish(job, path, made)
    return True


def _reporter(job: DeskJob) -> Report:
    def report(done: int, total: int) -> None:
        mine = DeskJob.objects.filter(pk=job.pk, state=State.RUNNING)
        mine.update(done=done, total=total, beat_at=timezone.now())
        if mine.filter(cancel_requested=True).exists() or not mine.exists():
            raise Cancelled

    return report


def _finish(job: DeskJob, path: Path, made: tuple[str, int]) -> None:
    name, rows = made
    now = timezone.now()
    with transaction.atomic():
        expires = now + KEPT.get(Kind(job.kind), timedelta(days=settings.JOB_DAYS))
        DeskJob.objects.filter(pk=job.pk, state=State.RUNNING).update(
            state=State.FINISHED,
            finished_at=now,
            expires_at=expires,
            path=path.name,
            name=name,
            rows=rows,
            size=path.stat().st_size,
            done=rows,
            total=rows,
        )
        audit.record(by=job.by, action="job_finished", subject=job, kind=job.kind, rows=rows, name=name)


def _end(pk: int, origin: str, state: str, error: str = "") -> None:
    DeskJob.objects.filter(pk=pk, state=origin).update(state=state, error=error, finished_at=timezone.now())


def fetch_job(job: DeskJob, *, by: User) -> Path:
    """The finished file, with a row in the audit trail. Raises PolicyDenied when there is none (any more)."""
    path = _folder() / job.path if job.path else None
    if job.state != State.FINISHED or path is None or not path.exists():
        raise PolicyDenied(_("This file has expired. Ask for it again."))
    if job.expires_at is None or timezone.now() >= job.expires_at:
        raise PolicyDenied(_("This file has expired. Ask for it again."))
    if not may(by, permission_of(job.kind)):
        raise PermissionDenied
    audit.record(by=by, action="job_fetched", subject=job, kind=job.kind, name=job.name, rows=job.rows)
    return path


def expire_jobs() -> int:
    """Delete what is too old, and give up what a worker has left; returns the number of deleted files."""
    now = timezone.now()
    DeskJob.objects.filter(state=State.RUNNING, beat_at__lt=now - LOST_AFTER).update(
        state=State.FAILED,
        error=_("The worker stopped while it did this job. Ask for it again."),
        finished_at=now,
    )
    old = DeskJob.objects.filter(state=State.FINISHED, expires_at__lte=now)
    for job in old:
        (_folder() / job.path).unlink(missing_ok=True)
    return old.update(state=State.EXPIRED, path="")


def waiting_jobs() -> list[int]:
    """Queued jobs whose message may have been lost."""
    rows = DeskJob.objects.filter(state=State.QUEUED, requested_at__lt=timezone.now() - timedelta(minutes=1))
    return list(rows.values_list("pk", flat=True))


def _folder() -> Path:
    folder = Path(settings.JOB_FOLDER)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
