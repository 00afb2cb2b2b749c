"""Background jobs on PostgreSQL: requests, claims, progress, ends, sweep."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone, translation
from redis import Redis

from config.celery import app
from survey.exceptions import PolicyDenied
from survey.jobs import services
from survey.jobs.kinds import LostClaim
from survey.jobs.messages import LATE, STOPPED
from survey.jobs.models import Job
from survey.jobs.selectors import percent_of
from survey.jobs.services import Work, cancel, claim, enqueue, run, sweep

pytestmark = pytest.mark.django_db
State = Job.State


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    """A separate folder for the files of jobs."""
    settings.JOB_FOLDER = tmp_path
    return tmp_path


@pytest.fixture
def queue() -> Iterator[str]:
    """The name of an unused queue."""
    name = f"test-{uuid4().hex}"
    yield name
    broker().delete(name)


def broker() -> Redis:
    """A client of the broker."""
    return Redis.from_url(app.conf.broker_url)


def sent(queue: str) -> list[int]:
    """Primary keys of the jobs in the messages of a queue, oldest first."""
    bodies = [json.loads(message)["body"] for message in reversed(broker().lrange(queue, 0, -1))]  # type: ignore[arg-type]  # the client is synchronous
    return [json.loads(b64decode(body))[0][0] for body in bodies]


def expire_lease(job: Job) -> None:
    """Let the lease of a job expire."""
    Job.objects.filter(pk=job.pk).update(leased_until=timezone.now() - timedelta(seconds=1))


def failing(error: Exception) -> Any:
    """The function of a kind that raises this error."""

    def do(_work: Work) -> None:
        raise error

    return do


def test_enqueue_returns_the_open_job_of_a_key(register: Any) -> None:
    register("count", lambda work: None)
    first = enqueue("count", 7, arguments={"a": 1})
    assert enqueue("count", 7).pk == first.pk
    assert enqueue("count", 8).pk != first.pk
    assert enqueue("count").pk != enqueue("count").pk  # without a key each request is a job
    assert run(first.pk) and enqueue("count", 7).pk != first.pk


def test_enqueue_sends_when_the_transaction_is_committed(
    register: Any, queue: str, django_capture_on_commit_callbacks: Any
) -> None:
    register("count", lambda work: None)
    with transaction.atomic():
        enqueue("count", 1)
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        job = enqueue("count", 1, queue=queue)
        assert sent(queue) == []
    assert sent(queue) == [job.pk] and services.was_sent(job)


def test_messages_lost_by_the_broker_are_sent_again(
    register: Any, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("count", lambda work: None)
    with monkeypatch.context() as away:  # a closed port; the pools are replaced
        # In this order: the address for writing is that of the broker unless it has its own.
        away.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
        away.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
        away.setattr(app, "_pool", None)
        away.setattr(app.amqp, "_producer_pool", None)
        job = enqueue("count", 1, queue=queue)
        assert not services.deliver(job.pk) and not services.was_sent(job)
        assert sweep() == 0
    assert sweep() == 1 and sent(queue) == [job.pk]
    assert sweep() == 0  # not again within RUN_RESEND_SECONDS
    broker().delete(queue)
    Job.objects.filter(pk=job.pk).update(sent_at=timezone.now() - services.RESEND_AFTER)
    assert sweep() == 1 and sent(queue) == [job.pk]


def test_run_does_a_job_once(register: Any) -> None:
    done = []
    register("count", lambda work: done.append(work.job.arguments["n"]))
    job = enqueue("count", arguments={"n": 5})
    assert run(job.pk) and not run(job.pk) and not run(job.pk + 1)
    job.refresh_from_db()
    assert (done, job.state, job.attempts, job.percent, job.arguments) == ([5], State.DONE, 1, 100, {})


def test_progress_extends_the_lease(register: Any) -> None:
    register("count", lambda work: None, lease=60)
    work = claim(enqueue("count").pk)
    assert work is not None
    expire_lease(work.job)
    work.progress(30, 60, "read")
    row = Job.objects.get()
    assert (row.percent, row.stage) == (50, "read") and row.leased_until > timezone.now()
    assert sweep() == 0 and Job.objects.get().state == State.RUNNING


def test_an_expired_lease_requeues_the_job_and_the_late_worker_stores_nothing(
    register: Any, files: Path
) -> None:
    register("count", lambda work: None)
    job = enqueue("count")
    late = claim(job.pk)
    assert late is not None
    assert late.keep(BytesIO(b"half")) == 4
    (written,) = files.iterdir()
    expire_lease(job)
    assert sweep() == 1 and not written.exists()
    now = claim(job.pk)
    assert now is not None and now.job.attempts == 2
    with pytest.raises(LostClaim):
        late.progress(1)
    with pytest.raises(LostClaim), late.store():
        pass
    with pytest.raises(LostClaim):
        late.keep(BytesIO(b"half"))
    late.end(State.FAILED, STOPPED(error="late"))
    assert Job.objects.get().state == State.RUNNING
    with now.store():
        pass
    assert Job.objects.get().state == State.DONE


def test_a_job_whose_workers_are_killed_fails_after_its_attempts(register: Any) -> None:
    ended: list[str] = []
    register("count", lambda work: None, attempts=2, ended=lambda job: ended.append(job.error.code))
    job = enqueue("count", 1)
    for attempt in (1, 2):
        work = claim(job.pk)
        assert work is not None and work.job.attempts == attempt
        expire_lease(job)
        sweep()
    job.refresh_from_db()
    assert (job.state, job.error.code, job.error.params, ended) == (
        State.FAILED,
        "job_lost",
        {"count": 2},
        ["job_lost"],
    )
    assert not run(job.pk)


def test_enqueue_missing_skips_jobs_that_failed_within_a_day(register: Any) -> None:
    register("count", failing(ValueError("no")))
    job = services.enqueue_missing("count", 1)
    assert job is not None and services.enqueue_missing("count", 1) == job
    assert services.run_waiting("count") == 1 and services.run_waiting("count") == 0
    assert services.enqueue_missing("count", 1) is None and services.enqueue_missing("count", 2) is not None
    Job.objects.filter(pk=job.pk).update(finished_at=timezone.now() - timedelta(days=1))
    assert services.enqueue_missing("count", 1) is not None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("no"), "job_stopped"),
        (MemoryError(), "job_out_of_memory"),
        (PolicyDenied(LATE()), "job_late"),
        (PolicyDenied("as it is"), "as_written"),
    ],
)
def test_errors_are_stored_as_codes_and_shown_in_the_active_language(
    register: Any, error: Exception, code: str
) -> None:
    register("count", failing(error))
    job = enqueue("count")
    assert run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error.code, job.attempts) == (State.FAILED, code, 1)
    sentences = []
    for language in ("en", "zh-hans"):
        with translation.override(language):
            sentences.append(str(job.error))
    assert sentences[0] and (sentences[0] != sentences[1]) is (code != "as_written")


def test_an_error_after_storing_does_not_undo_the_result(register: Any) -> None:
    def count(work: Work) -> None:
        with work.store():
            pass
        raise RuntimeError("the page of the progress is away")

    register("count", count)
    job = enqueue("count")
    assert run(job.pk)
    job.refresh_from_db()
    assert (job.state, str(job.error)) == (State.DONE, "")


def test_retries_wait_with_exponential_delay(register: Any) -> None:
    register("count", failing(ConnectionError("away")), retry_on=(OSError,), attempts=3)
    job = enqueue("count", arguments={"n": 1})
    delays = []
    for _attempt in range(2):
        Job.objects.filter(pk=job.pk).update(available_at=timezone.now())
        began = timezone.now()
        assert run(job.pk) and not run(job.pk)  # not before its delay has passed
        job.refresh_from_db()
        assert job.state == State.WAITING and job.arguments == {"n": 1}
        delays.append(round((job.available_at - began).total_seconds()))
    assert delays == [30, 60]
    Job.objects.filter(pk=job.pk).update(available_at=timezone.now())
    assert run(job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED and "away" in job.error.params["error"]


def test_a_database_error_leaves_the_job_to_the_sweep(register: Any) -> None:
    register("count", failing(DatabaseError("gone")))
    job = enqueue("count")
    with pytest.raises(DatabaseError):
        run(job.pk)
    job.refresh_from_db()
    assert job.state == State.RUNNING
    expire_lease(job)
    assert sweep() == 1 and claim(job.pk) is not None


def test_cancel_stops_a_waiting_and_a_running_job(register: Any, files: Path) -> None:
    ended: list[int] = []

    def count(work: Work) -> None:
        work.keep(BytesIO(b"half"))
        assert cancel(work.job.pk)
        work.progress(1)
        raise AssertionError

    register("count", count, ended=lambda job: ended.append(job.pk))
    waiting, running = enqueue("count"), enqueue("count")
    assert cancel(waiting.pk) and not run(waiting.pk)
    assert run(running.pk)
    assert set(Job.objects.values_list("state", flat=True)) == {State.CANCELLED}
    assert ended == [waiting.pk, running.pk] and list(files.iterdir()) == []
    assert not cancel(running.pk)


def test_cancellation_takes_effect_after_the_worker_was_killed(register: Any) -> None:
    register("count", lambda work: None)
    job = enqueue("count")
    assert claim(job.pk) is not None and cancel(job.pk)
    expire_lease(job)
    sweep()
    assert Job.objects.get().state == State.CANCELLED


def test_an_error_while_storing_rolls_back(register: Any) -> None:
    def count(work: Work) -> None:
        with work.store():
            enqueue("other")
            work.progress(55)
            assert percent_of(Job.objects.get(pk=work.job.pk)) == 55
            raise ValueError

    register("count", count)
    register("other", lambda work: None)
    job = enqueue("count")
    assert run(job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED and not Job.objects.filter(kind="other").exists()


@pytest.mark.parametrize("error", [ValueError("no"), PolicyDenied(LATE())])
def test_the_file_of_a_job_without_a_result_is_removed_at_once(
    register: Any, files: Path, error: Exception
) -> None:
    def count(work: Work) -> None:
        work.keep(BytesIO(b"code in plain"))
        raise error

    register("count", count)
    assert run(enqueue("count").pk)
    assert list(files.iterdir()) == [] and Job.objects.get().file == ""


def test_a_finished_file_is_removed_when_it_expires(register: Any, files: Path) -> None:
    def count(work: Work) -> None:
        work.keep(BytesIO(b"rows"))
        work.expires_at = timezone.now() + timedelta(days=1)

    register("count", count)
    job = enqueue("count")
    assert run(job.pk)
    sweep()
    job.refresh_from_db()
    path = files / job.file
    assert job.state == State.DONE and path.read_text() == "rows"
    Job.objects.filter(pk=job.pk).update(expires_at=timezone.now())
    sweep()
    job.refresh_from_db()
    assert (job.state, job.file, path.exists()) == (State.EXPIRED, "", False)


def test_files_without_a_job_are_removed_and_others_are_not(register: Any, files: Path) -> None:
    register("export", lambda work: None)
    job = enqueue("export", send=False)
    assert claim(job.pk)
    name = f"{job.pk}-{'b' * 32}"
    Job.objects.filter(pk=job.pk).update(file=name)
    orphans = [files / f"1-{'a' * 32}", files / f"1-{'a' * 32}.0123abcd.part"]  # whole, and half-written
    others = [files / "notes.txt", files / f"{name}.0123abcd.part"]
    for path in orphans + others:
        path.write_text("x")
    sweep()
    assert [path for path in orphans + others if path.exists()] == others


def test_a_late_job_is_not_started(register: Any) -> None:
    ended: list[str] = []
    register("count", lambda work: None, ended=lambda job: ended.append(job.state))
    job = enqueue("count", not_after=timezone.now())
    assert not run(job.pk)
    sweep()
    assert Job.objects.get().state == State.EXPIRED and ended == [State.EXPIRED]


def test_finished_rows_are_deleted_after_the_retention_of_their_kind(register: Any) -> None:
    register("count", lambda work: None, keep=timedelta(days=30))
    register("other", lambda work: None)
    for kind in ("count", "other"):
        assert run(enqueue(kind).pk)
    enqueue("count")
    Job.objects.update(finished_at=timezone.now() - timedelta(days=31))
    sweep()
    assert sorted(Job.objects.values_list("kind", "state")) == [("count", "waiting"), ("other", "done")]
