"""Background jobs with two connections and with worker processes that are killed."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from survey.jobs.models import Job
from survey.jobs.services import Work, cancel, claim, enqueue, run, sweep
from tests.survey.jobs.conftest import wait_until

pytestmark = pytest.mark.usefixtures("committed")
State = Job.State
Worker = Callable[[int], "subprocess.Popen[bytes]"]


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    """A separate folder for the files of jobs."""
    settings.JOB_FOLDER = tmp_path
    return tmp_path


def in_another_connection(act: Callable[[], Any]) -> Any:
    """Call a function in a thread, that is with its own connection."""

    def closed() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(closed).result()


def test_of_two_claims_only_one_gets_the_job(register: Any) -> None:
    register("count", lambda work: None)
    for _repetition in range(10):
        job, both = enqueue("count", send=False), Barrier(2)

        def take(pk: int = job.pk, both: Barrier = both) -> bool:
            both.wait()
            try:
                return claim(pk) is not None
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(lambda _number: take(), range(2))) == [False, True]


def test_two_requests_with_the_same_key_create_one_job(register: Any) -> None:
    register("count", lambda work: None)
    both = Barrier(2)

    def ask(_number: int) -> int:
        both.wait()
        try:
            return enqueue("count", "same", send=False).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(ask, range(2)))) == 1


def test_cancel_reaches_a_worker_on_another_connection(register: Any) -> None:
    begun = Event()

    def count(work: Work) -> None:
        while True:
            work.progress(1)
            begun.set()

    register("count", count)
    job = enqueue("count", send=False)
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(lambda: (run(job.pk), connection.close()))
        assert begun.wait(30) and cancel(job.pk)
        doing.result(timeout=30)
    assert Job.objects.get().state == State.CANCELLED


def test_a_job_that_stores_results_is_neither_requeued_nor_cancelled(register: Any) -> None:
    def count(work: Work) -> None:
        with work.store():
            Job.objects.filter(pk=work.job.pk).update(leased_until=timezone.now() - timedelta(hours=1))
            assert in_another_connection(lambda: (sweep(), cancel(work.job.pk)))[1] is False

    register("count", count)
    job = enqueue("count", send=False)
    assert run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.cancel_requested) == (State.DONE, 1, False)


def test_the_job_of_a_killed_worker_is_done_by_another(register: Any, worker: Worker, files: Path) -> None:
    register("hang", lambda work: None, lease=1)
    job = enqueue("hang", send=False)
    process = worker(job.pk)
    wait_until(lambda: list(files.iterdir()))
    process.kill()
    process.wait()
    assert Job.objects.get().state == State.RUNNING

    def back() -> bool:
        sweep()
        return Job.objects.get().state == State.WAITING

    wait_until(back)
    assert list(files.iterdir()) == []
    assert run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.DONE, 2)


def test_a_job_that_kills_its_workers_fails_after_its_attempts(register: Any, worker: Worker) -> None:
    register("crash", lambda work: None, lease=1, attempts=3)
    job = enqueue("crash", send=False)
    for attempt in (1, 2, 3):
        assert worker(job.pk).wait(60) == 9

        def over() -> bool:
            sweep()
            return Job.objects.get().state != State.RUNNING

        wait_until(over)
        job.refresh_from_db()
        assert job.attempts == attempt
    assert (job.state, job.error.code) == (State.FAILED, "job_lost")
