"""Planning a round with calendar and questionnaires, and assigning units in bulk."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from survey.collection.models import Assignment, CollectionRound
from survey.collection.services import assign_units, plan_round
from survey.exceptions import PolicyDenied
from survey.questionnaires.models import QuestionnaireVersion

pytestmark = pytest.mark.django_db


def calendar(year: int = 2026, *, opens: int = 10, due: int = 40, closes: int = 50) -> dict[str, Any]:
    """Arguments of ``plan_round``, with times in days from now."""
    now = timezone.now()
    return {
        "year": year,
        "reference_date": dt.date(year, 12, 31),
        "opens_at": now + dt.timedelta(days=opens),
        "due_at": now + dt.timedelta(days=due),
        "closes_at": now + dt.timedelta(days=closes),
    }


def test_a_planned_round_has_its_questionnaires(world: Any) -> None:
    round_ = plan_round(by=world.users["designer"], **calendar())
    assert round_.state == "planned"
    assert QuestionnaireVersion.objects.filter(year=2026).count() == 14


def test_invalid_rounds_and_missing_permissions_are_refused(world: Any) -> None:
    designer = world.users["designer"]
    with pytest.raises(PolicyDenied, match="2025"):
        plan_round(by=designer, **calendar(2025))
    with pytest.raises(PolicyDenied):
        plan_round(by=designer, **calendar(due=5))
    with pytest.raises(PermissionDenied):
        plan_round(by=world.users["methodologist"], **calendar())
    assert not CollectionRound.objects.filter(year=2026).exists()
    with pytest.raises(PolicyDenied):
        assign_units([world.unit.pk], CollectionRound.objects.get(year=2025), by=designer, source="x")
    with pytest.raises(PermissionDenied):
        assign_units([], CollectionRound.objects.get(year=2025), by=world.users["publisher"], source="x")


def test_assigning_units_again_adds_none(world: Any) -> None:
    round_ = plan_round(by=world.users["designer"], **calendar())
    units = [world.unit.pk, world.outside.pk, world.national.pk]
    assert assign_units(units, round_, by=None, source="2026-1") == 3
    assert assign_units(units, round_, by=None, source="2026-1") == 0
    assert Assignment.objects.filter(round=round_).count() == 3


def test_page_plans_a_round(world: Any, client: Client) -> None:
    client.force_login(world.users["designer"])
    assert b"/rounds/plan/" in client.get("/rounds/").content
    day = timezone.localdate()
    form = {"year": "2026", "opens": str(day), "due": str(day + dt.timedelta(days=30)), "closes": str(day)}
    answer = client.post("/rounds/plan/", form)
    assert answer.status_code == 422 and b'id="error-summary"' in answer.content
    assert client.post("/rounds/plan/", {"year": "10" * 15}).status_code == 422
    form["closes"] = str(day + dt.timedelta(days=40))
    assert client.post("/rounds/plan/", form)["Location"] == "/rounds/2026/"
    assert client.post("/rounds/plan/", form).status_code == 422
    assert CollectionRound.objects.get(year=2026).reference_date == dt.date(2026, 12, 31)
