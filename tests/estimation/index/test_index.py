"""The index of a run: a document that is the same for the same inputs, and a page that says what it rests on."""

import numpy as np
import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from estimation.index import services
from estimation.index.compute import DomainIndicators, index_document, respondents
from estimation.index.importance import Importance
from estimation.index.indicators import INDICATORS
from estimation.index.models import IndexResult
from estimation.index.selectors import index_rows
from estimation.runs.bootstrap import services as services_bootstrap
from estimation.runs.models import EstimationRun
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from survey.jobs.models import Job
from survey.jobs.services import claim, sweep
from survey.jobs.services import run as run_job
from tests.background import do_waiting
from tests.estimation.runs.country import Country
from tests.estimation.runs.random_years import random_years
from tests.estimation.runs.test_services import computed
from tests.factories import make_user

State = EstimationRun.State
K = len(INDICATORS)


def indicators_of(seed: int, replicates: int = 0, noise: float = 0.05) -> DomainIndicators:
    rng = np.random.default_rng(seed)
    values = rng.lognormal(size=(12, K))
    n = np.full((12, K), 50)
    n[3, 2] = 4
    draws = values * np.exp(noise * rng.normal(size=(replicates, 12, K))) if replicates else None
    return DomainIndicators(
        "region", tuple(f"r{u}" for u in range(12)), values, n, np.zeros((12, K), bool), draws
    )


def learned(fit: float) -> Importance:
    rng = np.random.default_rng(8)
    share = rng.dirichlet(np.ones(K))
    return Importance(
        500,
        {"trees": fit, "elastic_net": fit - 0.1},
        {"trees": share, "elastic_net": share[::-1]},
        {"trees": share / 10, "elastic_net": share / 10},
    )


def test_without_a_fit_only_objective_weights_are_used_and_it_says_so() -> None:
    for model, used in ((learned(0.4), True), (learned(-0.1), False), (None, False)):
        document = index_document([indicators_of(1)], model, seed=1)
        stored = document["kinds"]["region"]
        assert ("importance" in stored["weights"]) == used
        assert (document["model"] or {"used": False})["used"] == used
        mixed = sum(np.array(stored["weights"][name]) * share for name, share in stored["mix"].items())
        np.testing.assert_allclose(stored["final"], mixed / mixed.sum(), rtol=1e-8)
        assert sum(stored["mix"].values()) == pytest.approx(1.0)


def test_replicates_widen_the_bands() -> None:
    narrow = index_document([indicators_of(2)], None, seed=1)["kinds"]["region"]
    wide = index_document([indicators_of(2, 200, noise=0.8)], None, seed=1)["kinds"]["region"]
    assert (narrow["replicates"], wide["replicates"]) == (0, 200)
    assert wide["method_low"] == narrow["low"] and wide["rank"] == narrow["rank"]
    width = [np.subtract(kind["high"], kind["low"]).sum() for kind in (narrow, wide)]
    assert width[1] > width[0]


def test_thin_domains_are_flagged_and_rows_can_be_sorted() -> None:
    document = index_document([indicators_of(3)], None, seed=1)
    by_rank = index_rows(document, "region", "rank")
    assert [row.rank for row in by_rank] == sorted(row.rank for row in by_rank)
    assert [row.code for row in by_rank if row.thin] == ["r3"]
    assert [row.code for row in index_rows(document, "region", "code")] == sorted(row.code for row in by_rank)
    assert index_rows(document, "region", "thin")[0].code == "r3"
    assert all(row.low <= row.median <= row.high for row in by_rank)


def test_respondents_are_those_with_revenue_and_employees() -> None:
    now, _ = random_years(4)
    assert respondents(now)[1].size == 0  # these years do not ask for employees
    from dataclasses import replace

    from estimation.runs.compute.arrays import Item

    people = Item("B09", "", "count", True, now.items[0].asked)
    heads = np.full((now.n, 1), 10.0)
    heads[0] = 0.0
    year = replace(now, items=(*now.items, people), values=np.hstack([now.values, heads]))
    x, y = respondents(year)
    revenue = now.values[:, 8]
    with np.errstate(invalid="ignore"):
        assert len(y) == int(((revenue > 0) & (heads[:, 0] > 0)).sum())
    assert x.shape == (len(y), K) and np.isfinite(x).all()
    assert ((x[:, 5] >= 0) & (x[:, 5] <= 1)).all()


def do(row: IndexResult) -> bool:
    """Do the job of an index."""
    return run_job(row.job_id)


@pytest.fixture
def run(world: object) -> EstimationRun:
    Country()
    return computed()


def test_an_index_is_computed_once_and_again_to_the_same_bytes(run: EstimationRun) -> None:
    row, waits = services.request_index(run=run, by=None)
    assert waits and do(row)
    row.refresh_from_db()
    assert row.state == State.FINISHED and set(row.document["kinds"]) == {"region", "section"}
    assert len(row.document["kinds"]["region"]["codes"]) == 32
    assert not do(row)  # delivered twice
    same, waits = services.request_index(run=run, by=None)
    assert (same.pk, waits) == (row.pk, False)
    expected = row.result_hash
    IndexResult.objects.filter(pk=row.pk).update(state=State.FAILED, document={}, result_hash="")
    do(services.request_index(run=run, by=None)[0])
    row.refresh_from_db()
    assert row.result_hash == expected
    assert AuditEvent.objects.filter(action="finish_index").count() == 2


def test_new_replicates_are_a_new_index(run: EstimationRun) -> None:
    first, _ = services.request_index(run=run, by=None)
    do(first)
    services_bootstrap.request_bootstrap(run=run, replicates=12, by=None)
    do_waiting("bootstrap_chunk", "bootstrap_gather")
    assert services.request_missing() != []
    second, _ = services.request_index(run=run, by=None)
    assert second.pk != first.pk and do(second)
    second.refresh_from_db()
    assert second.document["kinds"]["region"]["replicates"] == 12
    assert (
        second.document["kinds"]["region"]["rank"]
        == IndexResult.objects.get(pk=first.pk).document["kinds"]["region"]["rank"]
    )


def test_the_sweep_requests_once_and_lost_jobs_are_resumed(run: EstimationRun) -> None:
    (waiting,) = services.request_missing()
    assert services.request_missing() == [waiting]
    work = claim(waiting.job_id)
    assert work is not None and not do(waiting)
    Job.objects.filter(pk=waiting.job_id).update(leased_until=timezone.now())
    assert sweep() >= 0 and do(waiting)
    waiting.refresh_from_db()
    assert waiting.state == State.FINISHED and services.request_missing() == []


def test_an_index_that_kills_its_workers_ends_and_the_sweep_lets_it_be(run: EstimationRun) -> None:
    (row,) = services.request_missing()
    for _attempt in range(3):
        assert claim(row.job_id) is not None
        Job.objects.filter(pk=row.job_id).update(leased_until=timezone.now())
        sweep()
    row.refresh_from_db()
    assert (row.state, row.error.code) == (State.FAILED, "job_lost")
    assert services.request_missing() == []
    again, waits = services.request_index(run=run, by=None)  # a person or an operator may
    assert waits and again.pk == row.pk and again.job_id != row.job_id


def test_refusals_and_failures_say_why(run: EstimationRun, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PermissionDenied):
        services.request_index(run=run, by=make_user("publisher"))
    row, _ = services.request_index(run=run, by=make_user("methodologist"))
    IndexResult.objects.filter(pk=row.pk).update(bootstrap=None)
    EstimationRun.objects.filter(pk=run.pk).update(spec={"no such": 1})
    do(row)
    row.refresh_from_db()
    assert row.state == State.FAILED and "no such" in str(row.error)
    EstimationRun.objects.filter(pk=run.pk).update(state=State.CANCELLED)
    run.refresh_from_db()
    with pytest.raises(PolicyDenied):
        services.request_index(run=run, by=None)


def test_the_page_shows_index_weights_and_fit(run: EstimationRun) -> None:
    client = Client()
    client.force_login(make_user("publisher"))
    client.cookies["django_language"] = "en"
    assert "No index yet" in client.get(f"/estimation/index/?run={run.pk}").content.decode()
    row, _ = services.request_index(run=run, by=None)
    do(row)
    for kind in ("region", "section"):
        text = client.get(f"/estimation/index/?run={run.pk}&kind={kind}&order=geometric").content.decode()
        assert text.count('<svg class="chart"') == 2 and 'role="img"' in text
        assert "Weights and their parts" in text and "Too few respondents" in text
        assert "style=" not in text.split("<main", 1)[1]
    assert client.get("/estimation/index/?run=999999").status_code == 404
