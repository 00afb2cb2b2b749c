"""Background jobs: enqueue, claim, report progress, store results, fail, cancel, and the periodic sweep.

A job is requested by a row in the caller's transaction. A message to the broker only has its primary key, and the
sweep sends it again when it was lost. A worker has a token under a lease: heartbeats extend the lease, it expires
when the worker dies, and an attempt whose token was replaced cannot store anything. Times are those of the database.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from os import SEEK_END
from typing import IO, Any
from uuid import uuid4

from celery import current_app
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from structlog.contextvars import bound_contextvars

from config.files.faults import FilesUnavailable
from config.monitoring.logs import request_id
from survey import clock
from survey.exceptions import SurveyError
from survey.jobs import storage
from survey.jobs.kinds import Cancelled, Kind, LostClaim, kind_of, registered
from survey.jobs.messages import LATE, MEMORY
from survey.jobs.models import Job
from survey.jobs.selectors import progress_key
from survey.sentences import Sentence

logger = logging.getLogger(__name__)
State = Job.State
NO_ERROR = Sentence()
OPEN = (State.WAITING, State.RUNNING)
TASK = "survey.jobs.tasks.run_job"
RESEND_AFTER = timedelta(seconds=settings.RUN_RESEND_SECONDS)
FIRST_DELAY, MAX_DELAY = timedelta(seconds=30), timedelta(hours=1)
MAX_MESSAGES = 500  # messages of one sweep
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
    """Enqueue a job in the caller's transaction; an open job of this kind and key is returned instead.

    ``by`` is a user, or None for the system. With ``send`` a message is sent when the transaction is committed;
    without it the caller runs the job at once, and the sweep sends a message only if the caller does not.
    """
    now = clock.now()
    job = Job(
        requested_at=now,
        available_at=now,
        kind=kind,
        key=str(key),
        requested_by=getattr(by, "pk", None),
        request_id=request_id(),
        arguments=dict(arguments or {}),
        not_after=not_after,
        queue=queue,
        sent_at=None if send else now,
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
    """Enqueue a job that a sweep found missing. None when it failed within a day: it would fail again."""
    lately = clock.now() - timedelta(days=1)
    failed = Job.objects.filter(kind=kind, key=str(key), state=State.FAILED, finished_at__gt=lately)
    return None if failed.exists() else enqueue(kind, key)


def run_waiting(*kinds: str) -> int:
    """Run all waiting jobs of these kinds in this process, including those that they enqueue. Returns their number."""
    done = 0
    while job := Job.objects.filter(
        state=State.WAITING, kind__in=kinds, available_at__lte=clock.now()
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
    Job.objects.filter(pk=job_id).update(sent_at=clock.now())
    return True


def was_sent(job: Job) -> bool:
    """False while no message about a waiting job has reached the broker, or can reach it after the transaction."""
    job.refresh_from_db()
    return job.state != State.WAITING or job.sent_at is not None or will_be_sent()


def will_be_sent() -> bool:
    """True inside a transaction, whose commit sends the messages, while the broker answers."""
    if not connection.in_atomic_block:
        return False
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    except (BrokerError, RedisError, OSError):
        return False
    return True


def requester(job: Job) -> Any | None:
    """The user who requested a job; None when it was the system."""
    if job.requested_by is None:
        return None
    return get_user_model().objects.filter(pk=job.requested_by).first()


def claim(job_id: int) -> "Work | None":
    """Claim a waiting job. None when it is not available; only one of concurrent callers gets it."""
    now = clock.now()
    row = Job.objects.filter(pk=job_id).first()
    if row is None:
        return None
    kind = kind_of(row.kind)
    due = Q(not_after=None) | Q(not_after__gt=now)
    token = uuid4().hex
    claimed = Job.objects.filter(due, pk=job_id, state=State.WAITING, available_at__lte=now).update(
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
    return Work(Job.objects.get(pk=job_id), kind, token) if claimed else None


def run(job_id: int, *, report: Report | None = None) -> bool:
    """Run a waiting job. False when it could not be claimed; messages may be delivered twice.
    ``report`` is called with each stage and percentage; with it, exceptions are raised at the end.
    A database error leaves the job: its lease expires, and the sweep requeues it.
    """
    work = claim(job_id)
    if work is None:
        return False
    with bound_contextvars(**work.job.log_ids()):
        _do(work, report)
    return True


def _do(work: "Work", report: Report | None) -> None:
    """Do the work of a claimed job and end it, whatever happens but a database error."""
    job_id = work.job.pk
    retried: tuple[type[Exception], ...] = (*work.kind.retry_on, FilesUnavailable)
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
    except retried as error:
        work.put_back(error)
    except Exception as error:
        logger.exception("job %s (%s) failed", job_id, work.job.kind)
        work.end(State.FAILED, work.kind.stopped(error=f"{error}"[:300] or type(error).__name__))
        if report is not None:
            raise
    finally:
        if not work.stored:
            storage.remove(work.file_name)


class Work:
    """One attempt at a job, as passed to the function of its kind. All writes require the token of the attempt."""

    def __init__(self, job: Job, kind: Kind, token: str) -> None:
        self.job, self.kind, self.token = job, kind, token
        self.report: Report | None = None
        self.file_name = ""
        self.expires_at: datetime | None = None  # when the file of this job is removed
        self.stored = self._storing = False

    def owned(self) -> "QuerySet[Job]":
        """The row of the job, if this attempt still has the claim."""
        return Job.objects.filter(pk=self.job.pk, state=State.RUNNING, token=self.token)

    def progress(self, done: int, total: int = 100, stage: str = "") -> None:
        """Send a heartbeat with the progress. Raises Cancelled, or LostClaim when another attempt has the claim.

        While results are stored the row is locked, so the lease needs no extension and updates would not be visible:
        the percentage is written to the cache.
        """
        if self._storing:
            with suppress(RedisError):
                cache.set(progress_key(self.job.pk), done * 100 // (total or 1), self.kind.lease)
        else:
            now = clock.now()
            extended = (
                self.owned()
                .filter(cancel_requested=False)
                .update(
                    done=done,
                    total=total,
                    stage=stage,
                    heartbeat_at=now,
                    leased_until=now + timedelta(seconds=self.kind.lease),
                )
            )
            if not extended:
                raise Cancelled if self.owned().exists() else LostClaim
        if self.report is not None:
            self.report(stage, done * 100 // (total or 1))

    def keep(self, content: IO[bytes]) -> int:
        """Store the file of this attempt, its name first; returns its size. Raises LostClaim, StorageFull."""
        self.file_name = f"{self.job.pk}-{self.token}"
        if not self.owned().update(file=self.file_name):
            raise LostClaim
        size = content.seek(0, SEEK_END)
        content.seek(0)
        storage.write(self.file_name, content)
        return size

    @contextmanager
    def store(self) -> Iterator[Job]:
        """A transaction that stores results and marks the job as done. Raises LostClaim, Cancelled.

        The row is locked from the beginning, so that no other worker can claim the job meanwhile.
        """
        with transaction.atomic():
            row = self.owned().select_for_update().first()
            if row is None:
                raise LostClaim
            if row.cancel_requested:
                raise Cancelled
            self._storing = True
            try:
                yield row
            finally:
                self._storing = False
            self.owned().update(
                state=State.DONE, finished_at=clock.now(), expires_at=self.expires_at, arguments={}
            )
        self.stored = True

    def end(self, state: str, error: Sentence = NO_ERROR) -> None:
        """End the job without a result."""
        _end(self.owned(), state, error)

    def put_back(self, error: Exception) -> None:
        """Requeue the job with exponential delay; fail after the last attempt."""
        logger.warning("job %s (%s), attempt %s: %r", self.job.pk, self.job.kind, self.job.attempts, error)
        if self.job.attempts >= self.kind.attempts:
            self.end(State.FAILED, self.kind.stopped(error=f"{type(error).__name__}: {error}"[:300]))
            return
        delay = min(FIRST_DELAY * 2 ** (self.job.attempts - 1), MAX_DELAY)
        with transaction.atomic():
            row = self.owned().select_for_update().first()
            if row is not None:
                requeue(row, clock.now() + delay)


def cancel(job_id: int) -> bool:
    """Cancel a job: at once while it waits, at its next heartbeat while it runs.

    False when it has ended or is storing its results.
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
    except OperationalError:  # the row is locked for longer
        return False
    return row.is_open


def sweep() -> int:
    """Requeue jobs with an expired lease, expire late jobs, remove files, send messages. Returns messages sent."""
    now = clock.now()
    _requeue_expired(now)
    for pk in Job.objects.filter(state=State.WAITING, not_after__lte=now).values_list("pk", flat=True):
        _end(Job.objects.filter(pk=pk, state=State.WAITING), State.EXPIRED, LATE())
    _remove_expired(now)
    storage.remove_orphans()
    for name, kind in registered().items():
        if kind.keep is not None:
            Job.objects.filter(kind=name, finished_at__lt=now - kind.keep).exclude(state__in=OPEN).delete()
    return _send_waiting(now)


def _requeue_expired(now: datetime) -> None:
    # A locked row belongs to a worker that is storing results.
    for pk in Job.objects.filter(state=State.RUNNING, leased_until__lt=now).values_list("pk", flat=True):
        with transaction.atomic():
            row = (
                Job.objects.select_for_update(skip_locked=True)
                .filter(pk=pk, state=State.RUNNING, leased_until__lt=now)
                .first()
            )
            if row is None:
                continue
            expired = Job.objects.filter(pk=pk)
            if row.cancel_requested:
                _end(expired, State.CANCELLED)
            elif row.attempts >= kind_of(row.kind).attempts:
                _end(expired, State.FAILED, kind_of(row.kind).lost(count=row.attempts))
            else:
                row.sent_at = None
                requeue(row, now)


def requeue(row: Job, available_at: datetime) -> None:
    """Requeue a locked job and call the ``waits`` function of its kind."""
    storage.remove(row.file)
    row.state, row.token, row.file, row.available_at = State.WAITING, "", "", available_at
    row.save()
    waits = kind_of(row.kind).waits
    if waits is not None:
        waits(row)


@transaction.atomic
def _end(rows: "QuerySet[Job]", state: str, error: Sentence = NO_ERROR) -> None:
    """End a job without a result, call the ``ended`` function of its kind, and remove its file."""
    row = rows.select_for_update().first()
    if row is None:
        return
    storage.remove(row.file)
    row.state, row.error = state, error
    row.finished_at, row.file, row.token = clock.now(), "", ""
    ended = kind_of(row.kind).ended
    if ended is not None:
        ended(row)
    if state != State.FAILED:  # a failed job can be retried
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
    for row in waiting.order_by(F("sent_at").asc(nulls_first=True), "pk")[:MAX_MESSAGES]:
        if not deliver(row.pk):
            break
        sent += 1
    return sent
