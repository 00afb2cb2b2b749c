"""Background jobs with two connections and with worker processes that are killed."""

import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from survey import clock
from survey.jobs.kinds import LostClaim
from survey.jobs.models import Job
from survey.jobs.services import Work, cancel, claim, enqueue, run, sweep
from tests.concurrency import race, without_row_locks
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


def let_expire(work: Work) -> None:
    """The lease of this attempt ends an hour ago."""
    assert work.owned().update(leased_until=clock.now() - timedelta(hours=1))


def claimed() -> Work:
    work = claim(enqueue("count", send=False).pk)
    assert work is not None
    return work


def stored(work: Work) -> None:
    with work.store():
        pass


def outcome_of(work: Work, first: Callable[[], Any], second: Callable[[], Any]) -> Job:
    """The job after both, the second begun before the first is committed."""
    for outcome in race(first, second):
        assert outcome.error is None, outcome
    return Job.objects.get(pk=work.job.pk)


def swept_while_results_are_stored() -> None:
    work = claimed()
    let_expire(work)
    row = outcome_of(work, partial(stored, work), sweep)
    assert (row.state, row.attempts) == (State.DONE, 1)


def cancelled_while_it_is_claimed() -> None:
    """The worker that has it ends it, and nobody else."""
    job = enqueue("count", send=False)
    claiming, cancelling = race(partial(claim, job.pk), partial(cancel, job.pk))
    assert claiming.value is not None and (cancelling.value, cancelling.error) == (True, None)
    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.cancel_requested) == (State.RUNNING, True)


def put_back_while_it_is_cancelled() -> None:
    """The request to cancel is not lost."""
    work = claimed()
    row = outcome_of(work, partial(cancel, work.job.pk), partial(work.put_back, RuntimeError("away")))
    assert (row.state, row.cancel_requested) == (State.WAITING, True)


def failed_while_it_is_requeued() -> None:
    """A worker that counts as lost does not end the job that another will take."""
    work = claimed()
    let_expire(work)
    why = work.kind.stopped(error="the first worker breaks down")
    row = outcome_of(work, sweep, partial(work.end, State.FAILED, why))
    assert row.state == State.WAITING


SCENARIOS = (
    swept_while_results_are_stored,
    cancelled_while_it_is_claimed,
    put_back_while_it_is_cancelled,
    failed_while_it_is_requeued,
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_two_connections(register: Any, scenario: Callable[[], None]) -> None:
    register("count", lambda work: None)
    scenario()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_fails_without_the_row_lock(register: Any, scenario: Callable[[], None]) -> None:
    register("count", lambda work: None)
    with without_row_locks(Job), pytest.raises(AssertionError):
        scenario()


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

    def work() -> None:
        run(job.pk)
        connection.close()  # of this thread

    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(work)
        assert begun.wait(30) and cancel(job.pk)
        doing.result(timeout=30)
    assert Job.objects.get().state == State.CANCELLED


def test_a_job_that_stores_results_is_neither_requeued_nor_cancelled(register: Any) -> None:
    def count(work: Work) -> None:
        let_expire(work)  # before the transaction: this update would lock the row, too
        with work.store():
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


def store_a_result(work: Work) -> None:
    """The function of a kind that stores one row."""
    with work.store():
        enqueue("result", send=False)


def test_a_paused_worker_that_wakes_after_its_lease_stores_nothing(
    register: Any, worker: Worker, files: Path
) -> None:
    register("finish", store_a_result, lease=1)
    job = enqueue("finish", send=False)
    process = worker(job.pk)
    wait_until(lambda: list(files.iterdir()))
    process.send_signal(signal.SIGSTOP)

    def back() -> bool:
        sweep()
        return Job.objects.get(pk=job.pk).state == State.WAITING

    wait_until(back)
    assert run(job.pk)
    (files / "go").touch()
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 0
    assert Job.objects.filter(kind="result").count() == 1
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.DONE, 2)


@pytest.fixture
def wrong_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Shifts the clock of this process by hours; the database keeps its own."""
    true_now = timezone.now

    def shift(hours: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: true_now() + timedelta(hours=hours))

    return shift


@pytest.mark.parametrize("hours", [1, -1])
def test_a_sweep_with_a_wrong_clock_neither_takes_a_job_nor_leaves_it(
    register: Any, wrong_clock: Any, hours: int
) -> None:
    register("count", store_a_result)
    job = enqueue("count", send=False)
    work = claim(job.pk)
    assert work is not None
    wrong_clock(hours)
    sweep()
    assert Job.objects.get(pk=job.pk).state == State.RUNNING  # its lease has not expired
    assert claim(job.pk) is None
    Job.objects.filter(pk=job.pk).update(leased_until=clock.now() - timedelta(seconds=1))
    sweep()
    assert Job.objects.get(pk=job.pk).state == State.WAITING


@pytest.mark.parametrize("hours", [1, -1])
def test_a_worker_with_a_wrong_clock_holds_its_lease_and_loses_it_in_time(
    register: Any, wrong_clock: Any, hours: int
) -> None:
    register("count", store_a_result, lease=60)
    wrong_clock(hours)
    job = enqueue("count", send=False)
    late = claim(job.pk)
    assert late is not None  # available at once, whatever the clock of the requester
    late.progress(1)
    lease = Job.objects.get(pk=job.pk).leased_until
    assert lease is not None and abs(lease - clock.now() - timedelta(seconds=60)) < timedelta(seconds=30)
    wrong_clock(0)
    Job.objects.filter(pk=job.pk).update(leased_until=clock.now() - timedelta(seconds=1))
    sweep()
    assert run(job.pk)
    with pytest.raises(LostClaim), late.store():
        pass
    assert Job.objects.filter(kind="result").count() == 1


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
