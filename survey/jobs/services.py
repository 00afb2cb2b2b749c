"""Writes of background work: request, claim, report, store, fail, cancel, and the sweep that loses nothing.

A job is requested by a row in the caller's transaction. A message to the broker only points at the row, and the
sweep sends it again when it was lost. Who works on a job holds a token under a lease: a sign of life extends it, a
worker that dies lets it lapse, and whoever lost the token can store nothing any more.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from celery import current_app
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from survey.exceptions import SurveyError
from survey.jobs import storage
from survey.jobs.kinds import Cancelled, Kind, LostClaim, kind_of, known
from survey.jobs.messages import LATE, MEMORY
from survey.jobs.models import Job
from survey.sentences import Sentence

logger = logging.getLogger(__name__)
State = Job.State
NO_ERROR = Sentence()
OPEN = (State.WAITING, State.RUNNING)
TASK = "survey.jobs.tasks.run_job"
RESEND_AFTER = timedelta(seconds=settings.RUN_RESEND_SECONDS)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
AT_ONCE = 500  # messages of one sweep
type Report = Callable[[str, int], None]


def enqueue(
    kind: str,
    key: object = "",
    *,
    by: Any | None = None,
    arguments: Mapping[str, Any] | None = None,
    not_after: datetime | None = None,
    queue: str = "",
    send: bool = True,
) -> Job:
    """Ask for work inside the caller's transaction; a job of this kind and key that is still open is returned.

    ``by`` is a user, or None for the system itself. With ``send`` a worker is told when the transaction is
    committed; without it the caller does the work at once, and the sweep sends it only if the caller dies.
    """
    job = Job(
        kind=kind,
        key=str(key),
        requested_by=getattr(by, "pk", None),
        arguments=dict(arguments or {}),
        not_after=not_after,
        queue=queue,
        sent_at=None if send else timezone.now(),
    )
    try:
        with transaction.atomic():
            job.save()
    except IntegrityError:
        return Job.objects.get(kind=kind, key=str(key), state__in=OPEN)
    if send:
        transaction.on_commit(partial(deliver, job.pk), robust=True)
    return job


def enqueue_missing(kind: str, key: object) -> Job | None:
    """Ask for what a sweep has found missing. None when it has failed within a day: it would fail again."""
    lately = timezone.now() - timedelta(days=1)
    failed = Job.objects.filter(kind=kind, key=str(key), state=State.FAILED, finished_at__gt=lately)
    return None if failed.exists() else enqueue(kind, key)


def run_waiting(*kinds: str) -> int:
    """Do every waiting job of these kinds in this process, and those that they ask for. Returns their number."""
    done = 0
    while job := Job.objects.filter(
        state=State.WAITING, kind__in=kinds, available_at__lte=timezone.now()
    ).first():
        done += run(job.pk)
    return done


def deliver(job_id: int) -> bool:
    """Send a message for a waiting job. False when the broker does not answer: the sweep sends it later."""
    job = Job.objects.filter(pk=job_id, state=State.WAITING).first()
    if job is None:
        return True
    options: dict[str, Any] = {"queue": job.queue} if job.queue else {}
    try:
        current_app.send_task(TASK, args=[job_id], time_limit=kind_of(job.kind).time_limit, **options)
    except (BrokerError, RedisError, OSError):
        logger.warning("the broker does not answer; job %s (%s) waits", job_id, job.kind)
        return False
    Job.objects.filter(pk=job_id).update(sent_at=timezone.now())
    return True


def was_sent(job: Job) -> bool:
    """False while no message about a waiting job has reached the broker."""
    job.refresh_from_db()
    return job.state != State.WAITING or job.sent_at is not None


def requester(job: Job) -> Any | None:
    """The person who asked for a job; None when it was the system itself."""
    if job.requested_by is None:
        return None
    return get_user_model().objects.filter(pk=job.requested_by).first()


def claim(job_id: int) -> "Work | None":
    """Take a waiting job. None when it is not there to be taken; of two who try, one gets it."""
    now = timezone.now()
    row = Job.objects.filter(pk=job_id).first()
    if row is None:
        return None
    kind = kind_of(row.kind)
    due = Q(not_after=None) | Q(not_after__gt=now)
    token = uuid4().hex
    taken = Job.objects.filter(due, pk=job_id, state=State.WAITING, available_at__lte=now).update(
        state=State.RUNNING,
        attempts=F("attempts") + 1,
        token=token,
        heartbeat_at=now,
        leased_until=now + timedelta(seconds=kind.lease),
        started_at=now,
        done=0,
        total=0,
        stage="",
        error=Sentence(),
    )
    return Work(Job.objects.get(pk=job_id), kind, token) if taken else None


def run(job_id: int, *, report: Report | None = None) -> bool:
    """Do a waiting job. False when it was not there to be claimed; safe to deliver twice.

    ``report`` also gets each stage and percentage, and lets an exception through after the job has ended. A
    failing database leaves the job as it is: its lease lapses, and the sweep puts it back.
    """
    work = claim(job_id)
    if work is None:
        return False
    work.report = report
    try:
        work.kind.do(work)
        if not work.stored:
            with work.store():
                pass
    except Cancelled:
        work.end(State.CANCELLED)
    except LostClaim:
        logger.warning("job %s (%s) was taken over by another worker", job_id, work.job.kind)
    except SurveyError as refusal:
        work.end(State.FAILED, refusal.stored)
    except DatabaseError:
        raise
    except MemoryError:
        work.end(State.FAILED, MEMORY())
    except work.kind.retry_on as error:
        work.put_back(error)
    except Exception as error:
        logger.exception("job %s (%s) failed", job_id, work.job.kind)
        work.end(State.FAILED, work.kind.stopped(error=f"{error}"[:300] or type(error).__name__))
        if report is not None:
            raise
    finally:
        if not work.stored:
            storage.remove(work.file_name)
    return True


class Work:
    """One attempt at a job: what its worker reads and reports. Everything that it writes needs its token."""

    def __init__(self, job: Job, kind: Kind, token: str) -> None:
        self.job, self.kind, self.token = job, kind, token
        self.report: Report | None = None
        self.file_name = ""
        self.expires_at: datetime | None = None  # when the file of this job is removed
        self.stored = self._storing = False

    def mine(self) -> "QuerySet[Job]":
        """The row, while it is ours."""
        return Job.objects.filter(pk=self.job.pk, state=State.RUNNING, token=self.token)

    def progress(self, done: int, total: int = 100, stage: str = "") -> None:
        """A sign of life. Raises Cancelled, or LostClaim when the job is no longer ours.

        While results are stored the row is locked, which is sign of life enough, and others see nothing of it:
        then the percentage stands in the cache.
        """
        if self._storing:
            with suppress(RedisError):
                cache.set(_cache_key(self.job.pk), done * 100 // (total or 1), self.kind.lease)
        else:
            now = timezone.now()
            alive = (
                self.mine()
                .filter(cancel_requested=False)
                .update(
                    done=done,
                    total=total,
                    stage=stage,
                    heartbeat_at=now,
                    leased_until=now + timedelta(seconds=self.kind.lease),
                )
            )
            if not alive:
                raise Cancelled if self.mine().exists() else LostClaim
        if self.report is not None:
            self.report(stage, done * 100 // (total or 1))

    def file(self) -> Path:
        """Where this attempt writes its file. The row knows the name first, so that no file is forgotten."""
        self.file_name = f"{self.job.pk}-{self.token}"
        if not self.mine().update(file=self.file_name):
            raise LostClaim
        return storage.folder() / self.file_name

    @contextmanager
    def store(self) -> Iterator[Job]:
        """A transaction in which results are stored and the job is done. Raises LostClaim, Cancelled.

        The row is locked from the beginning, so that nobody takes the job over meanwhile.
        """
        with transaction.atomic():
            row = self.mine().select_for_update().first()
            if row is None:
                raise LostClaim
            if row.cancel_requested:
                raise Cancelled
            self._storing = True
            try:
                yield row
            finally:
                self._storing = False
            self.mine().update(
                state=State.DONE, finished_at=timezone.now(), expires_at=self.expires_at, arguments={}
            )
        self.stored = True

    def end(self, state: str, error: Sentence = NO_ERROR) -> None:
        """End without a result."""
        _end(self.mine(), state, error)

    def put_back(self, error: Exception) -> None:
        """Try again later, each time after a longer pause; fail after the last attempt."""
        logger.warning("job %s (%s), attempt %s: %r", self.job.pk, self.job.kind, self.job.attempts, error)
        if self.job.attempts >= self.kind.attempts:
            self.end(State.FAILED, self.kind.stopped(error=f"{type(error).__name__}: {error}"[:300]))
            return
        pause = min(FIRST_PAUSE * 2 ** (self.job.attempts - 1), LONGEST_PAUSE)
        with transaction.atomic():
            row = self.mine().select_for_update().first()
            if row is not None:
                _wait_again(row, timezone.now() + pause)


def percent_of(job: Job) -> int:
    """How far a job is, also while it stores."""
    if job.state != State.RUNNING:
        return job.percent
    with suppress(RedisError):
        return max(job.percent, cache.get(_cache_key(job.pk)) or 0)
    return job.percent


def cancel(job_id: int) -> bool:
    """Stop a job: at once while it waits, at its next sign of life while it runs.

    False when it is over, or so far that its results are being stored.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
            row = Job.objects.select_for_update().get(pk=job_id)
            if row.state == State.WAITING:
                _end(Job.objects.filter(pk=job_id), State.CANCELLED)
            else:
                Job.objects.filter(pk=job_id, state=State.RUNNING).update(cancel_requested=True)
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    except OperationalError:  # somebody holds the row for longer
        return False
    return row.is_open


def sweep() -> int:
    """Give back what dead workers had, end what is too late, remove files, send what waits. Returns messages."""
    now = timezone.now()
    _take_back(now)
    for pk in Job.objects.filter(state=State.WAITING, not_after__lte=now).values_list("pk", flat=True):
        _end(Job.objects.filter(pk=pk, state=State.WAITING), State.EXPIRED, LATE())
    _remove_expired(now)
    storage.remove_strays()
    for name, kind in known().items():
        if kind.keep is not None:
            Job.objects.filter(kind=name, finished_at__lt=now - kind.keep).exclude(state__in=OPEN).delete()
    return _send_waiting(now)


def _take_back(now: datetime) -> None:
    # A row that is locked belongs to somebody who is storing and therefore alive.
    for pk in Job.objects.filter(state=State.RUNNING, leased_until__lt=now).values_list("pk", flat=True):
        with transaction.atomic():
            row = (
                Job.objects.select_for_update(skip_locked=True)
                .filter(pk=pk, state=State.RUNNING, leased_until__lt=now)
                .first()
            )
            if row is None:
                continue
            mine = Job.objects.filter(pk=pk)
            if row.cancel_requested:
                _end(mine, State.CANCELLED)
            elif row.attempts >= kind_of(row.kind).attempts:
                _end(mine, State.FAILED, kind_of(row.kind).lost(count=row.attempts))
            else:
                row.sent_at = None
                _wait_again(row, now)


def _wait_again(row: Job, available_at: datetime) -> None:
    """Put a job back that is locked; the package that owns it is told."""
    storage.remove(row.file)
    row.state, row.token, row.file, row.available_at = State.WAITING, "", "", available_at
    row.save()
    waits = kind_of(row.kind).waits
    if waits is not None:
        waits(row)


@transaction.atomic
def _end(rows: "QuerySet[Job]", state: str, error: Sentence = NO_ERROR) -> None:
    """End one job without a result, tell the package that owns it, and remove its file."""
    row = rows.select_for_update().first()
    if row is None:
        return
    storage.remove(row.file)
    row.state, row.error = state, error
    row.finished_at, row.file, row.token = timezone.now(), "", ""
    ended = kind_of(row.kind).ended
    if ended is not None:
        ended(row)
    row.arguments = {}
    row.save()


def _remove_expired(now: datetime) -> None:
    for row in Job.objects.filter(state=State.DONE, expires_at__lte=now).exclude(file=""):
        storage.remove(row.file)
        Job.objects.filter(pk=row.pk).update(state=State.EXPIRED, file="")


def _send_waiting(now: datetime) -> int:
    old = Q(sent_at=None) | Q(sent_at__lte=now - RESEND_AFTER)
    waiting = Job.objects.filter(old, state=State.WAITING, available_at__lte=now)
    sent = 0
    for row in waiting.order_by(F("sent_at").asc(nulls_first=True), "pk")[:AT_ONCE]:
        if not deliver(row.pk):
            break
        sent += 1
    return sent


def _cache_key(pk: int) -> str:
    return f"job-progress:{pk}"
