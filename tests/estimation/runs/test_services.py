"""A run from request to stored estimates, worked by hand; claims, cancels, resumes."""

import math
from dataclasses import replace
from importlib import import_module

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from estimation.runs import services
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.messages import LOST
from estimation.runs.models import Estimate, EstimationRun, StratumWeight, TreatedUnit
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied
from survey.jobs.models import Job
from survey.jobs.services import claim, sweep
from tests.estimation.runs.country import HEAD, Country, cells, file_accepted
from tests.factories import make_user

PLAIN = RunSpec(winsorization=Winsorization("none"))
State = EstimationRun.State


def ask(spec: RunSpec = PLAIN) -> tuple[EstimationRun, bool]:
    return services.request_run(round=CollectionRound.objects.get(year=2025), by=None, spec=spec)


def computed(spec: RunSpec = PLAIN) -> EstimationRun:
    run, _ = ask(spec)
    assert services.execute_run(run.pk)
    run.refresh_from_db()
    assert run.state == State.FINISHED, run.error
    return run


def estimate_of(
    run: EstimationRun, variable: str, statistic: str, code: str = "all", **more: object
) -> Estimate:
    return Estimate.objects.get(
        run=run,
        variable=variable,
        statistic=statistic,
        domain_code=code,
        **{"year": 2025, "domain_kind": "nation", **more},
    )


@pytest.fixture
def country(world: object) -> Country:
    return Country()


def test_total_equals_the_hand_calculation(country: Country) -> None:
    run = computed()
    total = estimate_of(run, "P01", "total")
    # 10 x 200 + 5 x 20 + 1000; N^2 (1 - f) s^2 / r: 100 x 0.8 x 20000 / 2 and 25 x 0.6 x 200 / 2.
    assert total.value == 3100
    assert total.se == pytest.approx(math.sqrt(800_000 + 1_500), rel=1e-12)
    assert (total.n, total.n_positive, total.weight_sum) == (5, 5, 16)
    assert total.lower == pytest.approx(3100 - 1.959963984540054 * total.se)
    assert total.grade == "D"
    assert estimate_of(run, "P01", "total", year=2024).value == 10 * 160 + 5 * 15 + 500


def test_domains_add_up_and_certainty_has_no_error(country: Country) -> None:
    run = computed()
    regions = Estimate.objects.filter(
        run=run, variable="P01", statistic="total", domain_kind="region", year=2025
    )
    assert dict(regions.values_list("domain_code", "value")) == {
        "110000": 1000,
        "320000": 2000,
        "330000": 100,
    }
    head = estimate_of(run, "P01", "total", "head_platform", domain_kind="group")
    assert (head.value, head.se, head.grade) == (1000, 0, "A")
    assert estimate_of(run, "P01", "total", "320000.I", domain_kind="region_section").value == 2000
    assert all(check.holds for check in run.summary.checks)


def test_share_ratio_and_growth_equal_the_hand_calculation(country: Country) -> None:
    run = computed()
    # Buyers: both in Jiangsu (weight 5 each) and the head platform, of 16.
    assert estimate_of(run, "T01", "proportion", "enterprise").value == pytest.approx(11 / 16)
    ratio = estimate_of(run, "D01/S02", "ratio", "enterprise")
    assert (ratio.value, ratio.se) == (0.5, pytest.approx(0, abs=1e-9))
    level = estimate_of(run, "P01", "level_growth")
    assert level.value == pytest.approx(3100 / 2175 - 1)
    # One class per category group and section: other/I 2100 over 1675, data/I 1000 over 500, by last year's levels.
    panel = estimate_of(run, "P01", "panel_growth")
    assert panel.value == pytest.approx((1675 * (2100 / 1675) + 500 * 2) / 2175 - 1)
    assert estimate_of(run, "P01", "panel_simple").value == pytest.approx(3100 / 2175 - 1)
    # A fixed panel that is the whole sample: both growth rates and their errors agree.
    assert level.se == pytest.approx(estimate_of(run, "P01", "panel_simple").se, rel=1e-6)


def test_unknown_answers_leave_the_base(country: Country) -> None:
    unit = country.units["jiangsu"][0]
    file_accepted(unit, 2025, cells(P01=None, S02=200, D01=100, T01=None))
    run = computed()
    # The other unit of the stratum stands for all ten; the buyers' share has four answers.
    total = estimate_of(run, "P01", "total")
    assert (total.value, total.n) == (10 * 300 + 100 + 1000, 4)
    share = estimate_of(run, "T01", "proportion", "enterprise")
    assert (share.value, share.n) == (pytest.approx(6 / 11), 4)


def test_trimming_and_winsorizing_are_recorded_with_reasons(country: Country) -> None:
    run = computed(RunSpec(winsorization=Winsorization("winsorize", 0.0, 0.5, minimum=1)))
    rows = TreatedUnit.objects.filter(run=run, variable="P01", year=2025)
    # Class other/I: 10 30 100 300, median 65; the platform is alone in its class and lies on its own median.
    assert dict(rows.values_list("collected", "treated")) == {100: 65, 300: 65}
    assert set(rows.values_list("reason", "cutoff")) == {("lowered", 65.0)}
    assert sorted(rows.values_list("effect", flat=True)) == [175, 1175]
    total = estimate_of(run, "P01", "total")
    assert total.value == 10 * 65 + 5 * 20 + 1000
    assert total.winsorized_share == pytest.approx(-1350 / 3100)
    trimmed = computed(RunSpec(winsorization=Winsorization("trim", 0.0, 0.9, minimum=1)))
    assert estimate_of(trimmed, "P01", "total").value == 10 * 100 + 5 * 20 + 1000


def test_weights_are_stored_per_design_stratum(country: Country) -> None:
    run = computed()
    rows = StratumWeight.objects.filter(run=run, year=2025).select_related("stratum")
    assert sorted((row.population, row.respondents, row.weight) for row in rows) == [
        (1, 1, 1),
        (5, 2, 2.5),
        (10, 2, 5),
    ]
    assert {row.collapsed_step for row in rows} == {""}
    # Only what is taken with certainty has classes inside, and they are counted where their units were drawn.
    assert {row.stratum.kind: row.region for row in rows} == {
        "enterprise": "",
        "certainty": country.units[HEAD][0].region_id,
    }
    assert all(row.drawn == row.stratum.drawn for row in rows)


def test_same_inputs_are_the_same_run_and_the_same_bytes(country: Country) -> None:
    first = computed()
    again, waits = ask()
    assert (again.pk, waits) == (first.pk, False)
    assert not services.execute_run(first.pk)  # a second delivery finds nothing to claim
    count = Estimate.objects.filter(run=first).count()
    EstimationRun.objects.filter(pk=first.pk).update(state=State.CANCELLED)
    again, waits = ask()
    assert waits and services.execute_run(first.pk)
    again.refresh_from_db()
    assert again.result_hash == first.result_hash
    assert Estimate.objects.filter(run=first).count() == count


def test_changed_data_or_parameters_are_another_run(country: Country) -> None:
    first = computed()
    other, waits = ask(RunSpec(winsorization=Winsorization("none"), lonely="certainty"))
    assert waits and other.pk != first.pk
    file_accepted(country.units["jiangsu"][0], 2025, cells(P01=200, S02=400, D01=100, T01=True))
    changed = computed()
    assert changed.microdata.number == first.microdata.number + 1
    assert estimate_of(changed, "P01", "total").value == 3100 + 5 * 100
    first.refresh_from_db()
    assert first.superseded_by == changed and changed.supersedes == first
    assert estimate_of(first, "P01", "total").value == 3100


def expire_lease(run: EstimationRun) -> None:
    """The worker of a run has died."""
    Job.objects.filter(pk=run.job_id).update(leased_until=timezone.now())
    sweep()
    run.refresh_from_db()


def test_a_run_of_a_killed_worker_is_requeued_and_finished(country: Country) -> None:
    run, _ = ask()
    EstimationRun.objects.filter(pk=run.pk).update(state=State.RUNNING)
    assert claim(run.job_id) is not None
    sweep()
    assert not services.execute_run(run.pk)  # it lives, as far as anybody knows
    expire_lease(run)
    assert run.state == State.QUEUED
    assert services.execute_run(run.pk)
    run.refresh_from_db()
    assert run.job is not None and (run.state, run.job.attempts) == (State.FINISHED, 2)


def test_a_run_that_is_lost_repeatedly_fails_with_a_message(country: Country) -> None:
    run, _ = ask()
    for _attempt in range(3):
        assert claim(run.job_id) is not None
        expire_lease(run)
    assert run.state == State.FAILED and run.error == LOST(count=3)
    again, waits = ask()  # asking again puts it back into the queue
    assert (again.pk, waits) == (run.pk, True) and again.job_id != run.job_id


def test_a_worker_that_was_replaced_stores_nothing(country: Country) -> None:
    run, _ = ask()

    def take_over(stage: str, percent: int) -> None:
        if stage == "check":
            expire_lease(run)
            assert claim(run.job_id) is not None

    services.execute_run(run.pk, report=take_over)
    run.refresh_from_db()
    assert not Estimate.objects.filter(run=run).exists()
    assert run.job is not None and (run.job.state, run.job.attempts) == (Job.State.RUNNING, 2)


def test_cancel_while_waiting_and_while_computing(country: Country) -> None:
    somebody = make_user("methodologist")
    run, _ = ask()
    assert services.cancel_run(run, by=somebody).state == State.CANCELLED
    assert not services.execute_run(run.pk)
    run, waits = ask()
    assert waits

    def stop(stage: str, percent: int) -> None:
        if stage == "estimate":
            services.cancel_run(run, by=somebody)

    services.execute_run(run.pk, report=stop)
    run.refresh_from_db()
    assert run.state == State.CANCELLED and not Estimate.objects.filter(run=run).exists()
    with pytest.raises(PolicyDenied):
        services.cancel_run(run, by=somebody)


def test_refusals(country: Country) -> None:
    for spec in (replace(PLAIN, variables=("NO",)), replace(PLAIN, crossed=("P01", "NO"))):
        with pytest.raises(PolicyDenied, match="NO"):
            services.request_run(round=CollectionRound.objects.get(year=2025), by=None, spec=spec)
    with pytest.raises(PermissionDenied):
        services.request_run(
            round=CollectionRound.objects.get(year=2025), by=make_user("publisher"), spec=PLAIN
        )
    with pytest.raises(PolicyDenied):
        services.request_run(
            round=CollectionRound.objects.get(year=2025),
            by=None,
            spec=PLAIN,
            microdata=EstimationRun.objects.get(pk=ask()[0].pk).previous_microdata,
        )


def test_a_failing_computation_says_why(country: Country) -> None:
    run, _ = ask()
    EstimationRun.objects.filter(pk=run.pk).update(spec={"no such parameter": 1})
    services.execute_run(run.pk)
    run.refresh_from_db()
    assert run.state == State.FAILED and "no such parameter" in str(run.error)


def test_finished_runs_of_a_round_are_a_chain_that_is_never_rewritten(country: Country) -> None:
    first, second, third = (
        computed(RunSpec(winsorization=Winsorization(name))) for name in ("none", "trim", "winsorize")
    )
    first.refresh_from_db()
    assert (first.supersedes, second.supersedes, third.supersedes) == (None, first, second)
    assert not EstimationRun.objects.filter(superseded_by__isnull=True).exclude(pk=third.pk).exists()
    for run, other in ((second, None), (first, third)):
        with pytest.raises(IntegrityError, match="not rewritten"), transaction.atomic():
            EstimationRun.objects.filter(pk=run.pk).update(supersedes=other)


def test_runs_that_finished_before_there_was_a_relation_are_chained(country: Country) -> None:
    migration = import_module("estimation.migrations.0015_stored_sentences_and_superseded_runs")
    first, second = computed(), computed(RunSpec(winsorization=Winsorization("trim")))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE estimation_estimationrun DISABLE TRIGGER superseding_is_final")
        cursor.execute("UPDATE estimation_estimationrun SET supersedes_id = NULL")
        cursor.execute(
            "UPDATE estimation_estimationrun SET summary = summary || jsonb_build_object('superseded_by', %s)"
            " WHERE id = %s",
            [second.pk, first.pk],
        )
    tables = MigrationExecutor(connection).loader.project_state().apps  # with plain JSON columns
    migration._chain(tables.get_model("estimation", "EstimationRun"))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.supersedes, second.supersedes) == (None, first)
    raw = EstimationRun.objects.annotate(text=Cast("summary", TextField())).values_list("text", flat=True)
    assert not [text for text in raw if "superseded_by" in text]
