"""A hand-over by a worker: requested once, done once, taken up again, and refused with a sentence."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from estimation.design.hand_over import services as services_hand_over
from estimation.design.hand_over.services import (
    do_hand_over,
    percent_of,
    request_hand_over,
    waiting_hand_overs,
)
from estimation.design.messages import HAND_OVER_LOST
from estimation.design.models import SampleDesign
from survey.audit import AuditEvent
from survey.collection.messages import NOT_PUBLISHED
from survey.collection.models import Assignment
from survey.questionnaires.models import QuestionnaireVersion
from survey.sentences import Sentence
from survey.submissions.models import Submission
from tests.estimation.design.population import Population

State = SampleDesign.State


def requested(population: Population) -> SampleDesign:
    return request_hand_over(population.approved(), by=population.first)


def test_a_request_is_kept_and_done_once(population: Population) -> None:
    row = requested(population)
    assert row.state == State.APPROVED and row.hand_over_requested_by == population.first
    asked_at = row.hand_over_requested_at
    assert request_hand_over(row, by=population.second).hand_over_requested_at == asked_at
    assert percent_of(row) is None and not Assignment.objects.filter(round=population.round).exists()
    assert do_hand_over(row.pk)
    row.refresh_from_db()
    assert (row.state, row.handed_over_by, row.hand_over_requested_at) == (
        State.HANDED_OVER,
        population.first,
        None,
    )
    assert Submission.objects.filter(round=population.round).count() == 60
    assert not do_hand_over(row.pk)  # a second delivery finds nothing to do
    assert request_hand_over(row, by=population.first).hand_over_requested_at is None
    events = AuditEvent.objects.filter(action__startswith="design_hand").values_list("action", flat=True)
    assert sorted(events) == ["design_hand_over_requested", "design_handed_over"]


def test_while_one_worker_has_it_another_delivery_does_nothing(population: Population) -> None:
    row = requested(population)
    cache.add(f"hand-over:{row.pk}", 55, 60)
    assert percent_of(row) == 55 and not do_hand_over(row.pk)
    SampleDesign.objects.filter(pk=row.pk).update(
        hand_over_requested_at=timezone.now() - timedelta(minutes=9)
    )
    assert waiting_hand_overs() == []
    cache.clear()  # the worker is dead: its sign of life has run out
    assert waiting_hand_overs() == [row.pk]
    assert do_hand_over(row.pk)
    assert waiting_hand_overs() == []


def test_after_three_dead_workers_it_says_so(population: Population) -> None:
    row = requested(population)
    SampleDesign.objects.filter(pk=row.pk).update(hand_over_attempts=3)
    assert not do_hand_over(row.pk)
    row.refresh_from_db()
    assert row.hand_over_requested_at is None and row.hand_over_error == HAND_OVER_LOST(count=3)
    assert not Assignment.objects.filter(round=population.round).exists()
    assert request_hand_over(row, by=population.first).hand_over_error == Sentence()
    assert do_hand_over(row.pk)
    row.refresh_from_db()
    assert row.state == State.HANDED_OVER


def test_a_refusal_of_the_work_is_a_sentence_and_leaves_nothing(population: Population) -> None:
    row = requested(population)
    QuestionnaireVersion.objects.filter(year=2026, category="CAT03").delete()
    assert do_hand_over(row.pk)
    row.refresh_from_db()
    assert row.state == State.APPROVED and row.hand_over_error == NOT_PUBLISHED(
        year=2026, categories=["CAT03"]
    )
    assert row.hand_over_requested_at is None and percent_of(row) is None
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
    cache.set(f"hand-over:{row.pk}", 55, 60)
    live = client.get(f"{url}progress/", headers={"HX-Request": "true"})
    text = live.content.decode()
    assert "55 %" in text and "60 units are being handed over" in text and "<html" not in text
    assert "HX-Refresh" not in live.headers
    cache.clear()
    do_hand_over(row.pk)
    over = client.get(f"{url}progress/", headers={"HX-Request": "true"})
    assert over.headers["HX-Refresh"] == "true"
    assert "Every drawn unit is asked in the round." in client.get(url).content.decode()
