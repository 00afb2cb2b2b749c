"""A hand-over by a worker: requested once, done once, taken up again, and refused with a sentence."""

from contextlib import suppress

import pytest
from django.test import Client
from django.utils import timezone

from estimation.design.hand_over import services as services_hand_over
from estimation.design.hand_over.services import percent_of, request_hand_over
from estimation.design.models import SampleDesign
from survey.audit import AuditEvent
from survey.collection.models import Assignment
from survey.jobs.models import Job
from survey.jobs.services import claim, run, sweep
from survey.questionnaires.models import QuestionnaireVersion
from survey.submissions.models import Submission
from tests.estimation.design.population import Population

State = SampleDesign.State


def requested(population: Population) -> SampleDesign:
    return request_hand_over(population.approved(), by=population.first)


def test_a_request_is_stored_and_done_once(population: Population) -> None:
    row = requested(population)
    assert row.state == State.APPROVED and row.is_being_handed_over
    job = row.job
    assert request_hand_over(row, by=population.second).job == job
    assert job is not None and job.requested_by == population.first.pk
    assert percent_of(row) is None and not Assignment.objects.filter(round=population.round).exists()
    assert run(job.pk)
    row = SampleDesign.objects.get(pk=row.pk)
    assert (row.state, row.handed_over_by, row.is_being_handed_over) == (
        State.HANDED_OVER,
        population.first,
        False,
    )
    assert Submission.objects.filter(round=population.round).count() == 60
    assert not run(job.pk)  # a second delivery finds nothing to do
    assert request_hand_over(row, by=population.first).job == job
    events = AuditEvent.objects.filter(action__startswith="design_hand").values_list("action", flat=True)
    assert sorted(events) == ["design_hand_over_requested", "design_handed_over"]


def test_three_lost_attempts_are_reported(population: Population) -> None:
    row = requested(population)
    for attempt in (1, 2, 3):
        work = claim(row.job_id)
        assert work is not None and work.job.attempts == attempt and not run(row.job_id)
        Job.objects.filter(pk=row.job_id).update(leased_until=timezone.now())
        sweep()
    row = SampleDesign.objects.get(pk=row.pk)
    assert row.job is not None and not row.is_being_handed_over
    assert row.job.error.code == "hand_over_lost" and "3" in str(row.job.error)
    assert not Assignment.objects.filter(round=population.round).exists()
    again = request_hand_over(row, by=population.first)
    assert again.job is not None and not again.job.error and run(again.job.pk)
    row.refresh_from_db()
    assert row.state == State.HANDED_OVER


def test_a_refusal_of_the_work_is_a_sentence_and_leaves_nothing(population: Population) -> None:
    row = requested(population)
    QuestionnaireVersion.objects.filter(year=2026, category="CAT03").delete()
    assert run(row.job_id)
    row = SampleDesign.objects.get(pk=row.pk)
    assert row.state == State.APPROVED and row.job is not None and "CAT03" in str(row.job.error)
    assert not row.is_being_handed_over and percent_of(row) is None
    assert not Assignment.objects.filter(round=population.round).exists()


def test_a_large_sample_waits_for_a_worker_on_its_page(
    population: Population, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services_hand_over, "SMALL_SAMPLE", 10)
    row = population.approved()
    client.force_login(population.first)
    client.cookies["django_language"] = "en"
    url = f"/estimation/designs/{row.pk}/"
    page = client.post(f"{url}hand-over/", follow=True).content.decode()
    assert f'hx-get="{url}progress/"' in page and "Waiting for a worker" in page
    assert "Hand over to the round" not in page
    row.refresh_from_db()
    work = claim(row.job_id)
    assert work is not None
    with suppress(RuntimeError), work.store():
        work.progress(55)  # in its transaction, seen by others all the same
        live = client.get(f"{url}progress/", headers={"HX-Request": "true"})
        text = live.content.decode()
        assert "55 %" in text and "60 units are being handed over" in text and "<html" not in text
        assert "HX-Refresh" not in live.headers
        raise RuntimeError  # the worker dies
    Job.objects.filter(pk=row.job_id).update(leased_until=timezone.now())
    sweep()
    assert run(row.job_id)
    over = client.get(f"{url}progress/", headers={"HX-Request": "true"})
    assert over.headers["HX-Refresh"] == "true"
    assert "Every drawn unit is asked in the round." in client.get(url).content.decode()
