"""Two workers and one run: it is computed by one of them, and only who holds the claim stores a result."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.utils import timezone

from estimation.runs import services
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.models import Estimate, EstimationRun
from survey.audit import AuditEvent
from survey.collection.models import CollectionRound
from survey.jobs.models import Job
from survey.jobs.services import sweep
from survey.microdata.models import MicrodataVersion
from tests.concurrency import LIMIT, Actor, race, with_conditions_read_first, without_row_locks
from tests.estimation.runs.country import Country
from tests.factories import make_user

State = EstimationRun.State


def ask(*variables: str) -> tuple[EstimationRun, bool]:
    spec = RunSpec(variables=variables or ("P01",), crossed=(), winsorization=Winsorization("none"))
    return services.request_run(round=CollectionRound.objects.get(year=2025), by=None, spec=spec)


@pytest.fixture
def country(committed_world: Any) -> Country:
    return Country()


def state_of(run: EstimationRun) -> tuple[str, int]:
    """State of a run and attempts of its job, as they are stored."""
    run.refresh_from_db()
    assert run.job is not None
    return run.state, run.job.attempts


def claimed_by_two() -> None:
    run, _waits = ask()
    work = partial(services.execute_run, run.pk)
    first, second = race(work, work)
    assert (first.error, second.error) == (None, None)
    assert (first.value, second.value, second.waited) == (True, False, True)
    assert state_of(run) == (State.FINISHED, 1)
    assert AuditEvent.objects.filter(action="finish_run", subject_id=str(run.pk)).count() == 1


def test_a_run_is_claimed_once(country: Country) -> None:
    claimed_by_two()


def test_a_claim_that_reads_before_it_writes_would_be_made_twice(country: Country) -> None:
    with with_conditions_read_first(Job), pytest.raises(AssertionError):
        claimed_by_two()


def test_two_requests_for_the_same_inputs_are_one_run(country: Country) -> None:
    first, second = race(ask, ask)
    assert (first.error, second.error) == (None, None)
    assert second.waited and first.value[0] == second.value[0]
    assert (EstimationRun.objects.count(), MicrodataVersion.objects.count()) == (
        1,
        2,
    )  # a version for each year
    assert AuditEvent.objects.filter(action="request_run").count() == 1


def cancelled_run_asked_for_twice() -> None:
    run, _waits = ask()
    services.cancel_run(run, by=make_user("methodologist"))
    first, second = race(ask, ask)
    assert (first.error, second.error, second.waited) == (None, None, True)
    assert AuditEvent.objects.filter(action="request_run").count() == 2  # the cancelled one, and one again


def two_runs_end_at_once() -> None:
    """The later one supersedes the earlier one: a round has one current run."""
    (earlier, _waits), (later, _also) = ask(), ask("P01", "S02")
    first, second = race(*(partial(services.execute_run, run.pk) for run in (earlier, later)))
    assert (first.error, second.error) == (None, None)
    later.refresh_from_db()
    assert later.supersedes == earlier


@pytest.mark.parametrize("scenario", [cancelled_run_asked_for_twice, two_runs_end_at_once])
def test_two_connections(country: Country, scenario: Callable[[], None]) -> None:
    scenario()


def test_two_runs_would_be_current_without_the_lock_of_the_round(country: Country) -> None:
    with without_row_locks(CollectionRound), pytest.raises(AssertionError):
        two_runs_end_at_once()


def test_requests_are_also_in_turn_because_both_freeze_the_round(country: Country) -> None:
    with without_row_locks(EstimationRun):
        cancelled_run_asked_for_twice()


def test_a_run_that_is_being_cancelled_is_not_claimed(country: Country) -> None:
    run, _waits = ask()
    cancel = partial(services.cancel_run, run, by=make_user("methodologist"))
    first, second = race(cancel, partial(services.execute_run, run.pk))
    assert (first.error, second.error) == (None, None)
    assert (second.value, second.waited) == (False, True)
    assert state_of(run) == (State.CANCELLED, 0)


class Replacement:
    """A second worker that takes the run over and pauses in the middle of its work."""

    def __init__(self, run: EstimationRun) -> None:
        self.run = run
        self.begun, self.go_on = Event(), Event()
        self.worker = Actor(partial(services.execute_run, run.pk, report=self._pause))

    def _pause(self, stage: str, percent: int) -> None:
        self.begun.set()
        self.go_on.wait(LIMIT)

    def take_over(self) -> None:
        """The first worker counts as lost; afterwards the second has claimed its run."""
        Job.objects.filter(pk=self.run.job_id).update(leased_until=timezone.now() - timedelta(hours=1))
        sweep()
        assert state_of(self.run) == (State.QUEUED, 1)
        self.worker.start()
        assert self.begun.wait(LIMIT)

    def finish(self) -> None:
        """The second worker does the rest."""
        self.go_on.set()
        outcome = self.worker.end()
        assert (outcome.value, outcome.error) == (True, None)


def replaced_during(stage_of_change: str, then: Callable[[], None]) -> tuple[EstimationRun, Replacement]:
    """The first worker is replaced while it is at a stage, and then goes on."""
    run, _waits = ask()
    replacement = Replacement(run)

    def report(stage: str, percent: int) -> None:
        if stage == stage_of_change:
            replacement.take_over()
            then()

    with suppress(RuntimeError):  # what ``then`` raises is a failure of the first worker
        services.execute_run(run.pk, report=report)
    run.refresh_from_db()
    return run, replacement


def fail() -> None:
    raise RuntimeError("the first worker breaks down")


@pytest.mark.parametrize(("stage", "then"), [("store", lambda: None), ("store", fail), ("estimate", fail)])
def test_only_the_holder_of_the_claim_ends_the_run(
    country: Country, stage: str, then: Callable[[], None]
) -> None:
    """Replaced as late as between its last heartbeat and its storing, a worker neither stores nor fails the run."""
    run, replacement = replaced_during(stage, then)
    try:
        assert (*state_of(run), str(run.error), run.result_hash) == (State.RUNNING, 2, "", "")
        assert not Estimate.objects.filter(run=run).exists()
    finally:
        replacement.finish()
    run.refresh_from_db()
    assert (*state_of(run), run.percent) == (State.FINISHED, 2, 100)
    assert Estimate.objects.filter(run=run).exists()
