"""Contact notes: content, scope, and follow-ups in the list of missing units."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from survey.audit import AuditEvent
from survey.collection import services
from survey.collection.models import Assignment, ContactNote
from survey.exceptions import PolicyDenied
from survey.fieldwork.models import Reminder, ReminderBatch
from survey.fieldwork.progress.missing.selectors import missing

CALL: dict[str, Any] = {
    "channel": "telephone",
    "outcome": "promised",
    "role": "filler",
    "text": "下周一前报送",
}


@pytest.fixture
def desk(world: Any) -> Any:
    return world.users["provincial_administrator"]


def due(user: Any, world: Any, contact: str = "due") -> set[int]:
    return set(missing(user, world.sheet.round, contact=contact).values_list("unit", flat=True))


def test_a_contact_is_recorded_without_its_text_in_the_audit_trail(world: Any, desk: Any) -> None:
    day = timezone.localdate() + dt.timedelta(days=3)
    note = services.record_contact(world.sheet.assignment, by=desk, follow_up_on=day, **CALL)
    assert (note.direction, note.by, note.follow_up_on) == ("out", desk, day)
    row = AuditEvent.objects.get(action="assignment_contact")
    assert row.details["outcome"] == "promised"
    assert row.details["follow_up"] == day.isoformat()
    assert "下周一" not in str(row.details)


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "pigeon"},
        {"direction": "up"},
        {"role": "boss"},
        {"outcome": "done"},
        {"outcome": "other", "text": ""},
        {"follow_up_on": dt.date(2025, 1, 1)},
        {"at": dt.datetime(2999, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_invalid_contacts_are_refused(world: Any, desk: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(PolicyDenied):
        services.record_contact(world.sheet.assignment, by=desk, **{**CALL, **wrong})
    assert not ContactNote.objects.exists()


def test_only_the_desk_of_the_unit_records_contacts(world: Any, desk: Any) -> None:
    outside = Assignment.objects.get(unit=world.outside)
    for by, assignment in ((desk, outside), (world.users["respondent"], world.sheet.assignment)):
        with pytest.raises(PermissionDenied):
            services.record_contact(assignment, by=by, **CALL)


def test_the_latest_note_determines_the_follow_up(world: Any, desk: Any) -> None:
    unit, today = world.sheet.unit_id, timezone.localdate()
    assert unit in due(desk, world, "never")
    services.record_contact(world.sheet.assignment, by=desk, **CALL)
    assert unit not in due(desk, world, "never")
    assert unit not in due(desk, world)
    services.record_contact(world.sheet.assignment, by=desk, follow_up_on=today, **CALL)
    assert due(desk, world) == {unit}
    later = today + dt.timedelta(days=2)
    services.record_contact(world.sheet.assignment, by=desk, follow_up_on=later, **CALL)
    assert due(desk, world) == set()  # contacted today, follow-up due the day after tomorrow


def test_pages_show_notes_beside_reminders(world: Any, desk: Any, client: Any) -> None:
    assignment = world.sheet.assignment
    batch = ReminderBatch.objects.create(round=world.sheet.round, group="not_started", by=desk)
    Reminder.objects.create(
        batch=batch, submission=world.sheet, outcome="sent", decided_at=timezone.now(), emails=2
    )
    client.force_login(desk)
    client.cookies["django_language"] = "en"
    url = reverse("unit_note", args=[assignment.pk])
    wrong = client.post(url, {**CALL, "outcome": "", "direction": "out"})
    assert wrong.status_code == 422
    assert 'href="#n_outcome"' in wrong.content.decode()
    today = timezone.localdate().isoformat()
    assert client.post(url, {**CALL, "direction": "in", "follow_up_on": today}).status_code == 302
    page = client.get(reverse("unit_detail", args=[assignment.pk])).content.decode()
    for text in ("下周一前报送", "Promised to file", "The unit asked us", "2 by e-mail", today):
        assert text in page
    missing_page = client.get(reverse("progress_missing"), {"contact": "due"}).content.decode()
    assert world.unit.name in missing_page
    assert "Promised to file" in missing_page
    assert "contact=due" in client.get(reverse("progress_board")).content.decode()
    none = client.get(reverse("progress_missing"), {"contact": "due", "category": "CAT01"}).content.decode()
    assert "No unit of this kind" in none


def test_api_reads_and_records_contact_notes(world: Any, desk: Any, client: Any) -> None:
    client.force_login(desk)
    url = reverse("api_unit_notes", args=[world.sheet.assignment.pk])
    created = client.post(url, CALL, content_type="application/json")
    assert created.status_code == 201
    assert [note["id"] for note in client.get(url).json()] == [created.json()["id"]]
    future = {**CALL, "at": "2999-01-01T00:00:00Z"}
    assert client.post(url, future, content_type="application/json").status_code == 409
    old = {**CALL, "at": "2011-01-01T00:00:00Z"}
    assert client.post(url, old, content_type="application/json").status_code == 409
    assert client.post(url, {"channel": "fax"}, content_type="application/json").status_code == 400
    outside = Assignment.objects.get(unit=world.outside)
    assert client.get(reverse("api_unit_notes", args=[outside.pk])).status_code == 404
