"""Replicates in chunks: the same numbers whoever computes them, in which order, and however often."""

import random

import numpy as np
import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from estimation.external.models import ExternalSeries
from estimation.methods import optimal_cutoffs, total
from estimation.releases.content.indicators import indicator_keys, level
from estimation.releases.content.registry import registry
from estimation.releases.selectors import source_of
from estimation.runs.bootstrap import services as services_bootstrap
from estimation.runs.bootstrap.models import Bootstrap, BootstrapChunk, ReplicateEstimate
from estimation.runs.compute.pipeline import compute
from estimation.runs.compute.replicates import build_frame, chained
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.compute.treat import treat, treatment_classes
from estimation.runs.messages import CHUNK_LOST
from estimation.runs.models import Estimate, EstimationRun
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from survey.jobs.models import Job
from survey.jobs.services import claim, enqueue, sweep
from survey.jobs.services import run as do_job
from tests.background import do_waiting
from tests.estimation.runs.country import Country
from tests.estimation.runs.random_years import random_years
from tests.estimation.runs.test_services import computed
from tests.factories import make_user

State = EstimationRun.State
SPEC = RunSpec(winsorization=Winsorization("winsorize", 0.05, 0.95, minimum=10))


OPTIMAL = RunSpec(winsorization=Winsorization("optimal"))


@pytest.mark.parametrize("spec", [SPEC, OPTIMAL])
def test_the_full_sample_gives_the_run_s_own_estimates(spec: RunSpec) -> None:
    now, _ = random_years(21, size=12)
    frame = build_frame(now, spec)
    columns = compute(now, None, spec).estimates
    stored = dict(
        zip(
            zip(columns.variable, columns.statistic, columns.kind, columns.code, strict=True),
            columns.numbers["value"].tolist(),
            strict=True,
        )
    )
    result = 0
    for cell, value in zip(frame.cells, frame.value, strict=True):
        key = (cell.variable, cell.statistic, cell.kind, cell.code)
        if key in stored:
            assert value == pytest.approx(stored[key], rel=1e-12), key
            result += 1
        else:
            assert value == 0.0, key
    assert result > 60


def test_optimal_cutoffs_are_re_estimated_in_every_replicate() -> None:
    frame = build_frame(random_years(23, size=12)[0], OPTIMAL)
    weight = frame.weighted.sample.weight
    factor = np.where(np.arange(len(weight)) % 3 == 0, 0.0, 1.5)
    column = frame.amounts[0]
    treated = treat(frame.year, frame.weighted, OPTIMAL, factor)
    rows = np.flatnonzero(treated.answered[:, column])
    expected = optimal_cutoffs(
        frame.year.values[rows, column],
        weight[rows],
        group=treatment_classes(frame.year)[rows],
        exempt=frame.weighted.certainty[rows],
        share=factor[rows],
    )
    np.testing.assert_array_equal(treated.values[rows, column], expected.values)
    still = treat(frame.year, frame.weighted, OPTIMAL)
    assert not np.array_equal(treated.values[rows, column], still.values[rows, column])


def test_replicates_do_not_depend_on_the_chunks() -> None:
    frame = build_frame(random_years(22)[0], SPEC)
    full = frame.rows(seed=5, first=0, count=12)
    parts = [frame.rows(seed=5, first=first, count=count) for first, count in ((7, 5), (0, 3), (3, 4))]
    np.testing.assert_array_equal(full, np.concatenate([parts[1], parts[2], parts[0]]))
    assert (frame.rows(seed=6, first=0, count=12) != full).any()


def test_the_bootstrap_agrees_with_the_formula_where_nothing_is_cut() -> None:
    plain = RunSpec(winsorization=Winsorization("none"), item_nonresponse="zero")
    frame = build_frame(random_years(23, size=16)[0], plain)
    rows = frame.rows(seed=1, first=0, count=600)
    treated = np.where(np.isnan(frame.year.values), 0.0, frame.year.values)
    column = frame.amounts[0]
    expected = total(frame.weighted.sample, treated[:, column]).se.item()
    index = next(s for s, cell in enumerate(frame.cells) if (cell.variable, cell.code) == ("P01", "all"))
    # The standard deviation of 600 replicates has a relative error of about 3 %.
    assert rows[:, index].std(ddof=1) == pytest.approx(expected, rel=0.12)


def test_cutoffs_are_re_estimated() -> None:
    frame = build_frame(random_years(24, size=16)[0], SPEC)
    fixed = frame.value
    factor = np.ones(frame.year.n)
    factor[::3] = 0.2
    weight = frame.weighted.sample.weight
    moved = frame.statistic(weight * factor)
    again = build_frame(frame.year, RunSpec(winsorization=Winsorization("none")))
    assert (moved != fixed).any() and (again.statistic(weight * factor) != moved).any()


def test_chains_are_shares_concentration_and_per_head() -> None:
    frame = build_frame(random_years(25)[0], SPEC)
    value = frame.value[None, :]
    cells, rows = chained(frame.cells, value, {"EXT-P01-OUTSIDE": 1000.0, "EXT-POP": 2.0})
    result = {(c.variable, c.statistic, c.kind, c.code): v for c, v in zip(cells, rows[0], strict=True)}
    at = {(c.variable, c.statistic, c.kind, c.code): v for c, v in zip(frame.cells, frame.value, strict=True)}
    full = at["P01", "total", "nation", "all"]
    assert result["P01", "share", "region", "110000"] == at["P01", "total", "region", "110000"] / full
    regions = [v for (name, _s, kind, _c), v in result.items() if (name, kind) == ("P01", "region")]
    assert sum(regions) == pytest.approx(1.0)
    assert result["P01", "top_share", "nation", "all"] == pytest.approx(sum(sorted(regions)[-5:]))
    assert result["P01", "per_capita", "nation", "all"] == (full + 1000.0) / 20_000.0
    assert not any(cell.statistic == "per_capita" for cell in chained(frame.cells, value, {})[0])


@pytest.fixture
def run(world: object) -> EstimationRun:
    Country()
    for code, value in (("EXT-P01-OUTSIDE", 900), ("EXT-POP", 2)):
        for year in (2024, 2025):
            ExternalSeries.objects.create(
                code=code,
                year=year,
                value=value,
                unit="x",
                label_zh=code,
                label_en=code,
                source="test",
                approved_at=timezone.now(),
            )
    return computed()


def jobs_of(row: Bootstrap) -> list[Job]:
    """The waiting jobs of the chunks of a bootstrap, in their order."""
    keys = [str(pk) for pk in row.chunks.order_by("first").values_list("pk", flat=True)]
    waiting = Job.objects.filter(kind="bootstrap_chunk", key__in=keys, state=Job.State.WAITING)
    return sorted(waiting, key=lambda job: keys.index(job.key))


def replicated(run: EstimationRun, replicates: int = 30, chunk: int = 8, shuffle: int = 0) -> Bootstrap:
    row, waits = services_bootstrap.request_bootstrap(run=run, replicates=replicates, by=None, chunk=chunk)
    assert waits
    chunks = jobs_of(row)
    random.Random(shuffle).shuffle(chunks)
    for entry in chunks:
        assert do_job(entry.pk)
    do_waiting("bootstrap_gather")
    row.refresh_from_db()
    assert row.state == State.FINISHED, row.error
    return row


def test_bootstrap_errors_are_shown_beside_the_linearised_ones(run: EstimationRun) -> None:
    row = replicated(run)
    entry = ReplicateEstimate.objects.get(
        bootstrap=row, variable="P01", statistic="total", domain_kind="nation", domain_code="all"
    )
    stored = Estimate.objects.get(
        run=run, variable="P01", statistic="total", domain_kind="nation", domain_code="all", year=2025
    )
    assert (entry.value, entry.linear_se) == (stored.value, stored.se)
    assert entry.se > 0 and entry.lower <= entry.upper
    head = ReplicateEstimate.objects.get(
        bootstrap=row, variable="P01", statistic="total", domain_code="110000"
    )
    assert (head.value, head.se) == (1000, 0)  # taken with certainty
    assert AuditEvent.objects.filter(action="finish_bootstrap").count() == 1


def test_per_head_is_the_published_indicator(run: EstimationRun) -> None:
    row = replicated(run)
    result = ReplicateEstimate.objects.get(bootstrap=row, statistic="per_capita")
    indicator = registry().indicator("SUP-04")
    printed = level(indicator, source_of(run, indicator_keys([indicator], 2025)), 2025)
    assert printed.value == pytest.approx(result.value) and result.se == pytest.approx(printed.se, rel=0.5)


def test_the_page_prints_units_that_can_be_read(run: EstimationRun) -> None:
    row = replicated(run, replicates=4)
    total = {"bootstrap": row, "variable": "P01", "statistic": "total", "domain_code": "all"}
    ReplicateEstimate.objects.filter(**total).update(value=4e10, se=2e8)
    client = Client()
    client.force_login(make_user("methodologist"))
    client.cookies["django_language"] = "en"
    text = " ".join(client.get(f"/estimation/runs/{run.pk}/bootstrap/").content.decode().split())
    assert '37.25 <span class="muted">ZB</span>' in text and ">0.186</td>" in text
    assert '<span class="muted">TB per person</span>' in text


def test_the_domain_page_shows_the_error_of_a_finished_bootstrap(run: EstimationRun) -> None:
    client = Client()
    client.force_login(make_user("methodologist"))
    client.cookies["django_language"] = "en"
    address = f"/estimation/results/domain/?run={run.pk}&variable=P01&statistic=total&kind=nation&year="
    assert "Bootstrap error" not in client.get(f"{address}2025").content.decode()
    row = replicated(run, replicates=4)
    ReplicateEstimate.objects.filter(bootstrap=row, variable="P01", domain_code="all").update(se=123.25)
    text = client.get(f"{address}2025").content.decode()
    assert "Bootstrap error" in text and ">123.25</td>" in text
    assert "Bootstrap error" not in client.get(f"{address}2024").content.decode()


def test_neither_order_nor_size_nor_repetition_of_chunks_changes_a_byte(run: EstimationRun) -> None:
    first = replicated(run)
    expected = first.result_hash
    for chunk, order in ((8, 1), (30, 2), (3, 3)):
        first.delete()
        again = replicated(run, chunk=chunk, shuffle=order)
        assert again.result_hash == expected
        first = again
    entry = first.chunks.first()
    assert entry is not None
    before = (bytes(entry.rows or b""), entry.finished_at)
    assert run_chunk(entry)  # asked for once more
    entry.refresh_from_db()
    assert (bytes(entry.rows or b""), entry.finished_at) == before
    assert ReplicateEstimate.objects.filter(bootstrap=first).count() > 0
    same, waits = services_bootstrap.request_bootstrap(run=run, replicates=30, by=None)
    assert (same.pk, waits) == (first.pk, False)


def run_chunk(chunk: BootstrapChunk) -> bool:
    """A job for one chunk, done."""
    return do_job(enqueue("bootstrap_chunk", chunk.pk).pk)


def expire_lease(job: Job) -> None:
    """The worker of a job has died."""
    Job.objects.filter(pk=job.pk).update(leased_until=timezone.now())
    sweep()
    job.refresh_from_db()


def test_a_lost_chunk_is_computed_again_and_fails_after_repeated_losses(run: EstimationRun) -> None:
    row, _ = services_bootstrap.request_bootstrap(run=run, replicates=20, by=None, chunk=10)
    first, second = jobs_of(row)
    assert do_job(second.pk)
    for _attempt in range(3):
        row.refresh_from_db()
        assert first.state == Job.State.WAITING and row.state == State.RUNNING
        assert claim(first.pk) is not None
        expire_lease(first)
    row.refresh_from_db()
    assert row.state == State.FAILED and row.error == CHUNK_LOST(count=3)
    again, waits = services_bootstrap.request_bootstrap(run=run, replicates=20, by=None)
    assert waits and again.pk == row.pk and len(jobs_of(again)) == 2


def test_a_lost_gathering_is_done_by_another_worker(run: EstimationRun) -> None:
    expected = replicated(run)
    result = expected.result_hash
    expected.delete()
    row, _ = services_bootstrap.request_bootstrap(run=run, replicates=30, by=None, chunk=8)
    do_waiting("bootstrap_chunk")
    gather = Job.objects.get(kind="bootstrap_gather", key=row.pk, state=Job.State.WAITING)
    assert claim(gather.pk) is not None
    expire_lease(gather)
    assert do_job(gather.pk)
    row.refresh_from_db()
    assert (row.state, row.result_hash) == (State.FINISHED, result)


def test_cancel_leaves_the_rest_undone(run: EstimationRun) -> None:
    somebody = make_user("methodologist")
    row, _ = services_bootstrap.request_bootstrap(run=run, replicates=20, by=somebody, chunk=10)
    first, second = jobs_of(row)
    assert do_job(first.pk)
    services_bootstrap.cancel_bootstrap(row, by=somebody)
    assert do_job(second.pk)
    assert row.chunks.filter(finished_at=None).count() == 1
    row.refresh_from_db()
    assert row.state == State.CANCELLED and not row.estimates.exists()
    with pytest.raises(PolicyDenied):
        services_bootstrap.cancel_bootstrap(row, by=somebody)


def test_refusals(run: EstimationRun) -> None:
    with pytest.raises(PermissionDenied):
        services_bootstrap.request_bootstrap(run=run, replicates=20, by=make_user("publisher"))
    for replicates in (1, 1_000_000):
        with pytest.raises(PolicyDenied):
            services_bootstrap.request_bootstrap(run=run, replicates=replicates, by=None)
    EstimationRun.objects.filter(pk=run.pk).update(state=State.CANCELLED)
    run.refresh_from_db()
    with pytest.raises(PolicyDenied):
        services_bootstrap.request_bootstrap(run=run, replicates=20, by=None)


def test_chunks_of_different_program_versions_are_not_combined(run: EstimationRun) -> None:
    row, _ = services_bootstrap.request_bootstrap(run=run, replicates=20, by=None)
    Bootstrap.objects.filter(pk=row.pk).update(code_version="older")
    assert do_job(jobs_of(row)[0].pk)
    row.refresh_from_db()
    assert row.state == State.FAILED and row.error
