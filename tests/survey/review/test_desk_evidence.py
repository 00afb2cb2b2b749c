"""Documents of reviewing offices, and the respondent's files on the review page."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from survey.submissions.evidence import services as evidence
from survey.submissions.evidence.selectors import DESK
from survey.submissions.lifecycle.states import Action, State
from survey.submissions.lifecycle.transitions import transition
from survey.submissions.models import Attachment, Submission
from tests.factories import make_sheet, make_user

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


def clean(path: Path) -> str:
    """A scanner that accepts every file."""
    return ""


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path) -> Path:
    settings.ATTACHMENT_ROOT = str(tmp_path)
    return tmp_path


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("注销通知书.pdf", PDF)


def test_exemption_code_with_evidence_requires_a_document(world: Any, province: Any, client: Any) -> None:
    client.force_login(province)
    assignment = world.sheet.assignment
    url = reverse("unit_exempt", args=[assignment.pk])
    refused = client.post(url, {"reason_code": "other", "reason": "已迁出本省"})
    assert refused.status_code == 422
    assert "已迁出本省" in refused.content.decode()
    assert client.post(url, {"reason_code": "other", "file": upload()}).status_code == 302
    assert Submission.objects.get(assignment=assignment).state == State.EXEMPTED
    file = Attachment.objects.get(purpose="desk")
    assert file.name in client.get(reverse("unit_detail", args=[assignment.pk])).content.decode()
    client.post(reverse("unit_evidence", args=[assignment.pk]), {"remove": file.pk})
    file.refresh_from_db()
    assert file.removed_at is None  # the exemption relies on it
    client.post(url)
    client.post(reverse("unit_evidence", args=[assignment.pk]), {"remove": file.pk})
    file.refresh_from_db()
    assert file.removed_at is not None


def test_other_codes_need_no_document(world: Any, province: Any) -> None:
    assert transition(world.sheet, Action.EXEMPT, by=province, reason_code="merged").state == State.EXEMPTED


def test_disposition_requires_a_document(world: Any, province: Any, client: Any) -> None:
    client.force_login(province)
    url = reverse("unit_disposition", args=[world.sheet.assignment.pk])
    values = {"disposition": "out_of_scope", "reason": "主营业务不在调查范围"}
    assert client.post(url, values).status_code == 422
    assert client.post(url, {**values, "file": upload()}).status_code == 302
    world.sheet.assignment.refresh_from_db()
    assert world.sheet.assignment.disposition == "out_of_scope"


@pytest.mark.parametrize("data", [b"MZ\x90\x00", PDF * 10])
def test_upload_limits_apply_to_offices(
    world: Any, province: Any, client: Any, settings: Any, root: Path, data: bytes
) -> None:
    settings.ATTACHMENT_LARGEST = 100
    client.force_login(province)
    file = SimpleUploadedFile("a.pdf", data)
    answer = client.post(reverse("unit_evidence", args=[world.sheet.assignment.pk]), {"file": file})
    assert answer.status_code == 422
    assert not Attachment.objects.exists()
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_office_documents_are_visible_to_offices_only(world: Any, province: Any, client: Any) -> None:
    file = evidence.attach(world.sheet, by=province, name="a.pdf", data=PDF, purpose=DESK)
    respondent = world.users["respondent"]
    url = reverse("evidence_file", args=[file.pk])
    elsewhere = make_user("provincial_administrator", "330000")
    for user, status in (
        (province, 200),
        (world.users["reviewer"], 200),
        (respondent, 404),
        (elsewhere, 404),
        (world.users["methodologist"], 404),
    ):
        client.force_login(user)
        assert client.get(url).status_code == status, user
    client.force_login(respondent)
    assert "a.pdf" not in client.get(reverse("sheet_evidence", args=[world.sheet.pk])).content.decode()
    with pytest.raises(PermissionDenied):
        evidence.attach(world.sheet, by=respondent, name="a.pdf", data=PDF, purpose=DESK)
    with pytest.raises(PermissionDenied):
        evidence.attach(world.sheet, by=elsewhere, name="a.pdf", data=PDF, purpose=DESK)


def test_review_page_shows_files_at_their_item_and_section(
    world: Any, province: Any, client: Any, settings: Any
) -> None:
    sheet = make_sheet(world.unit, State.IN_PROGRESS)
    by = world.users["respondent"]
    evidence.attach(sheet, by=by, name="whole.pdf", data=PDF)
    settings.ATTACHMENT_SCANNER = f"{__name__}.clean"
    item = evidence.attach(sheet, by=by, name="ledger.pdf", data=PDF, item="P01", note="机房台账")
    section = evidence.attach(sheet, by=by, name="photos.pdf", data=PDF, item="S")
    with pytest.raises(PolicyDenied):
        evidence.attach(sheet, by=by, name="x.pdf", data=PDF, item="NONE")
    assert item.scanned_at is not None
    transition(sheet, Action.SUBMIT, by=None, shown_revision=sheet.revision)
    client.force_login(province)
    client.cookies["django_language"] = "en"
    page = client.get(reverse("review_sheet", args=[sheet.pk])).content.decode()
    line = page.split('id="item-P01"')[1].split('id="item-')[0]
    part = page.split('id="part-S"')[1].split("<table")[0]
    side = page.split('id="evidence-title"')[1].split("</section>")[0]
    link = reverse("evidence_file", args=[item.pk])
    assert link in line
    assert "ledger.pdf" in line
    assert section.name in part
    assert all(name in side for name in ("whole.pdf", "ledger.pdf", "photos.pdf", "机房台账"))
    assert side.count("scanned, nothing found") == 2
    assert side.count("not scanned") == 1
    assert client.get(link).content == PDF
    assert AuditEvent.objects.filter(action="attachment_downloaded", actor_id=province.pk).count() == 1
