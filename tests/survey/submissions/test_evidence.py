"""Attachments of a sheet: accepted kinds, storage, download permissions, and cleanup of refused files."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from survey.submissions.evidence import selectors
from survey.submissions.evidence import services as evidence
from survey.submissions.evidence.file_kinds import kind_of
from survey.submissions.lifecycle.states import State
from tests.factories import make_sheet

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


def office(*names):
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, b"<x/>")
    return stream.getvalue()


def finds_eicar(path: Path) -> str:
    """A scanner as configured by ATTACHMENT_SCANNER."""
    return "EICAR" if b"EICAR" in path.read_bytes() else ""


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.ATTACHMENT_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def row(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def by(world):
    return world.users["respondent"]


def files(root):
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PDF, "pdf"),
        (b"\x89PNG\r\n\x1a\n0", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        ("台账，2025".encode(), "text"),
        (office("xl/workbook.xml"), "xlsx"),
        (office("word/document.xml"), "docx"),
        (office("xl/workbook.xml", "xl/vbaProject.bin"), None),
        (office("a.txt"), None),
        (b"PK\x03\x04junk", None),
        (b"MZ\x90\x00", None),
        (b"<html><script>", None),
        (b"<svg/>", None),
        (b"#!/bin/sh\n", None),
        (b"", None),
        (b"\x00\x01", None),
    ],
)
def test_kind_is_detected_from_the_content(data, kind):
    assert kind_of(data) == kind


def test_file_is_stored_under_a_random_name_with_the_detected_extension(root, row, by):
    stored = evidence.attach(row, by=by, name="../../etc/合同<1>.exe", data=PDF, note="合同")
    assert stored.name == "合同_1_.pdf" and (stored.kind, stored.size) == ("pdf", len(PDF))
    (path,) = files(root)
    assert (
        path.read_bytes() == PDF and "合同" not in str(path) and oct(path.stat().st_mode & 0o777) == "0o600"
    )
    assert AuditEvent.objects.get(action="attachment_added").details["sha256"] == stored.sha256


@pytest.mark.parametrize("setting", [{"ATTACHMENT_LARGEST": 10}, {"ATTACHMENT_QUOTA": len(PDF) + 5}])
def test_rejected_upload_leaves_no_file(settings, root, row, by, setting):
    if "ATTACHMENT_QUOTA" in setting:
        evidence.attach(row, by=by, name="a", data=PDF)
    before = files(root)
    for name, value in setting.items():
        setattr(settings, name, value)
    with pytest.raises(PolicyDenied):
        evidence.attach(row, by=by, name="b", data=PDF)
    assert files(root) == before


def test_infected_file_is_rejected_and_audited(settings, root, row, by):
    settings.ATTACHMENT_SCANNER = f"{__name__}.finds_eicar"
    with pytest.raises(PolicyDenied):
        evidence.attach(row, by=by, name="x", data=PDF + b"EICAR")
    assert files(root) == [] and selectors.attachments_of(row).count() == 0
    assert AuditEvent.objects.get(action="attachment_infected").details["found"] == "EICAR"
    assert evidence.attach(row, by=by, name="x", data=PDF)


def test_only_respondents_of_an_editable_sheet_may_attach(root, world, row, by):
    with pytest.raises(PermissionDenied):
        evidence.attach(row, by=world.users["outside_respondent"], name="x", data=PDF)
    filed = make_sheet(world.bureau, State.SUBMITTED)
    with pytest.raises(PermissionDenied):
        evidence.attach(filed, by=by, name="x", data=PDF)
    assert files(root) == []


def test_removed_file_is_hidden_but_retained(client, root, row, by):
    stored = evidence.attach(row, by=by, name="x", data=PDF)
    client.force_login(by)
    client.post(reverse("evidence_remove", args=[row.pk, stored.pk]))
    assert client.get(reverse("evidence_file", args=[stored.pk])).status_code == 404
    assert len(files(root)) == 1
    with pytest.raises(PolicyDenied):
        evidence.remove(row, by=by, attachment_id=stored.pk)


def test_evidence_pages(client, world, root, row, by):
    client.force_login(by)
    url = reverse("sheet_evidence", args=[row.pk])
    assert client.post(url, {"file": SimpleUploadedFile("台账.pdf", PDF), "note": "台账"}).url == url
    assert client.post(url, {"file": SimpleUploadedFile("x.html", b"<html>")}).status_code == 422
    assert client.post(url, {}).status_code == 422
    (stored,) = selectors.attachments_of(row)
    assert "台账" in client.get(url).content.decode()
    file = reverse("evidence_file", args=[stored.pk])
    answer = client.get(file)
    assert answer.content == PDF and answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    for who, status in (("provincial_administrator", 200), ("outside_administrator", 404), ("designer", 404)):
        client.force_login(world.users[who])
        assert client.get(file).status_code == status, who
    fetched = (
        AuditEvent.objects.filter(action="attachment_downloaded")
        .order_by("id")
        .values_list("actor_id", flat=True)
    )
    assert list(fetched) == [by.pk, world.users["provincial_administrator"].pk]


def test_damaged_file_cannot_be_downloaded(root, row, by):
    stored = evidence.attach(row, by=by, name="x", data=PDF)
    files(root)[0].write_bytes(b"something else")
    with pytest.raises(PolicyDenied):
        evidence.read(stored, by=by)
