"""The sweep removes what is over its period, nothing that is younger and nothing under a hold, and says what it did."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from survey.audit import AuditEvent
from survey.collection.models import ContactNote
from survey.exceptions import DefinitionError, PolicyDenied
from survey.frame.models import UnitContact
from survey.jobs.models import Job
from survey.ledgers.sealing import services as sealing
from survey.ledgers.storage import protection_lifted
from survey.ledgers.verification.selectors import verify
from survey.retention import selectors, services
from survey.retention.holds import services as holds
from survey.retention.models import LegalHold, RetentionReport
from survey.retention.periods import KINDS, days_of
from survey.sentences import Sentence
from survey.submissions.models import Attachment, SectionInvitation, SubmissionEvent
from tests.background import do_waiting

OVER = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_FOLDER = tmp_path / "audit"
    settings.ATTACHMENT_ROOT = str(tmp_path / "attachments")
    (tmp_path / "attachments").mkdir()


def age_of(code: str) -> dt.datetime:
    """A time that is just within the period of a kind."""
    return selectors.limit_of(code, timezone.now()) + OVER


@pytest.fixture
def old(world: Any, settings: Any) -> Any:
    """One row of every kind that is over its period, and one that is not; all of the same unit."""
    sheet, by, unit = world.sheet, world.users["respondent"], world.sheet.unit
    for code, make in (
        (
            "contact_notes",
            lambda at: ContactNote.objects.create(
                assignment=sheet.assignment,
                at=at,
                by=by,
                channel="telephone",
                direction="out",
                outcome="other",
            ),
        ),
        (
            "invitations",
            lambda at: SectionInvitation.objects.create(
                submission=sheet,
                name="x",
                email="x@example.org",
                sections=[],
                secret_hash=str(at),
                invited_by=by,
                expires_at=at,
            ),
        ),
        ("jobs", lambda at: Job.objects.create(kind="x", state="done", finished_at=at)),
        ("uploaded", lambda at: _attachment(sheet, by, at, settings)),
    ):
        for at in (age_of(code) - 2 * OVER, age_of(code)):
            make(at)
    UnitContact.objects.create(unit=unit, role="filler", name="x")
    unit.left_on = (age_of("contacts") - 2 * OVER).date()
    unit.save()
    sheet.assignment.round.__class__.objects.update(
        opens_at=age_of("contacts") - 9 * OVER,
        due_at=age_of("contacts") - 8 * OVER,
        closes_at=age_of("contacts") - 7 * OVER,
    )
    AuditEvent.objects.create(action="sign_in", subject_type="submission", subject_id=str(sheet.pk))
    sheet.events.create(kind="value", item="P01", new=1, actor=by)
    for ledger in ("audit", "answers"):
        sealing.seal(ledger, now=age_of("audit") - 2 * OVER)
    with protection_lifted():
        AuditEvent.objects.update(at=age_of("audit") - 2 * OVER)
    return world


def _attachment(sheet: Any, by: Any, at: dt.datetime, settings: Any) -> None:
    row = Attachment.objects.create(
        submission=sheet,
        name="x.pdf",
        kind="pdf",
        size=1,
        sha256="0",
        path=f"file-{at:%Y%m%d}",
        uploaded_by=by,
        removed_at=at,
    )
    (Path(settings.ATTACHMENT_ROOT) / row.path).write_bytes(b"x")


def test_everything_over_its_period_is_removed_and_reported(old: Any, settings: Any) -> None:
    audited = AuditEvent.objects.count()
    report = services.sweep()
    assert report.removed == {
        "events": SubmissionEvent.objects.count() + report.removed["events"],
        "audit": audited,
        "contacts": 1,
        "contact_notes": 1,
        "invitations": 1,
        "uploaded": 1,
        "jobs": 1,
        "notices": 0,
        "reminders": 0,
    }
    assert report.removed["events"] >= 1 and not SubmissionEvent.objects.exists()
    assert set(report.held.values()) == {0}
    assert (ContactNote.objects.count(), SectionInvitation.objects.count()) == (1, 1)
    assert len(list(Path(settings.ATTACHMENT_ROOT).iterdir())) == 1
    assert [fault.code for fault in verify().faults if fault.code != "ledger_changed"] == []
    again = services.sweep()
    assert set(again.removed.values()) == {0}


def test_a_hold_on_the_unit_keeps_what_is_its(old: Any, settings: Any) -> None:
    by = old.users["audit_administrator"]
    holds.set_hold(by=by, reason="法院", credit_code=old.sheet.unit.uscc)
    report = services.sweep()
    kept = {code for code, count in report.held.items() if count}
    assert kept == {"events", "audit", "contacts", "contact_notes", "invitations", "uploaded"}
    assert (ContactNote.objects.count(), SectionInvitation.objects.count()) == (2, 2)
    assert len(list(Path(settings.ATTACHMENT_ROOT).iterdir())) == 2


def test_a_hold_on_everything_keeps_everything_until_it_ends(old: Any) -> None:
    by = old.users["audit_administrator"]
    hold = holds.set_hold(by=by, reason="检查")
    report = services.sweep()
    assert set(report.removed.values()) == {0} and report.held["jobs"] == 1
    holds.end_hold(hold, by=by)
    with pytest.raises(PolicyDenied):
        holds.end_hold(hold, by=by)
    assert services.sweep().removed["jobs"] == 1


def test_a_hold_that_is_over_or_on_another_kind_keeps_nothing(old: Any) -> None:
    by = old.users["audit_administrator"]
    holds.set_hold(by=by, reason="x", kind="reminders")
    later = holds.set_hold(by=by, reason="x", until=timezone.now() + OVER)
    LegalHold.objects.filter(pk=later.pk).update(until=timezone.now() - OVER)
    assert services.sweep().removed["contact_notes"] == 1


def test_holds_are_refused_and_audited(world: Any) -> None:
    by = world.users["audit_administrator"]
    with pytest.raises(PermissionDenied):
        holds.set_hold(by=world.users["system_administrator"], reason="x")
    for wrong in (
        {"reason": " "},
        {"reason": "x", "kind": "nothing"},
        {"reason": "x", "credit_code": "nobody"},
        {"reason": "x", "until": timezone.now() - OVER},
    ):
        with pytest.raises(PolicyDenied):
            holds.set_hold(by=by, **wrong)
    holds.end_hold(holds.set_hold(by=by, reason="x"), by=by)
    assert list(AuditEvent.objects.filter(action__startswith="hold_").values_list("action", flat=True)) == [
        "hold_set",
        "hold_ended",
    ]


def test_periods_are_lengthened_only(settings: Any) -> None:
    audit = next(kind for kind in KINDS if kind.code == "audit")
    settings.RETENTION_DAYS = "audit:2000, jobs:365"
    assert days_of(audit) == 2000
    for wrong in ("audit:100", "answers:1", "nothing:5", "audit", "audit:²"):
        settings.RETENTION_DAYS = wrong
        with pytest.raises(DefinitionError):
            days_of(audit)


def test_every_kind_that_is_swept_has_a_period_and_a_sweep() -> None:
    assert {kind.code for kind in KINDS if kind.swept} == services.SWEEPS.keys()
    assert all(kind.days for kind in KINDS if kind.swept)


def test_the_page_shows_table_holds_and_reports(old: Any, client: Any, settings: Any) -> None:
    from survey.retention.tasks import sweep

    client.force_login(old.users["audit_administrator"], backend=settings.AUTHENTICATION_BACKENDS[0])
    client.cookies["django_language"] = "en"
    url = reverse("audit_retention")
    assert client.post(url, {"reason": ""}).status_code == 409
    assert client.post(url, {"reason": "court order", "kind": "jobs", "credit_code": ""}).status_code == 302
    sweep()
    assert do_waiting("retention")[0].state == "done"
    page = client.get(url).content.decode()
    assert "court order" in page and "Cybersecurity Law" in page
    assert RetentionReport.objects.get().held["jobs"] == 1
    assert AuditEvent.objects.filter(action="retention_swept").count() == 1
    client.post(reverse("audit_hold_end", args=[LegalHold.objects.get().pk]))
    assert LegalHold.objects.get().ended_at is not None
    assert isinstance(Job.objects.latest("pk").error, Sentence)
