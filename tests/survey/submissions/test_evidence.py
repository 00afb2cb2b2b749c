"""Attachments of a sheet: accepted kinds, storage, download permissions, and cleanup of refused files."""

import os
import resource
import signal
import zipfile
from io import BytesIO
from pathlib import Path

import pillow_heif
import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from PIL import Image

from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied, StorageFull
from survey.submissions.evidence import selectors, storage
from survey.submissions.evidence import services as evidence
from survey.submissions.evidence.file_kinds import kind_of
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Filing
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


def test_removed_file_is_deleted_and_its_row_retained(
    client, root, row, by, django_capture_on_commit_callbacks
):
    stored = evidence.attach(row, by=by, name="x", data=PDF)
    client.force_login(by)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("evidence_remove", args=[row.pk, stored.pk]))
    assert client.get(reverse("evidence_file", args=[stored.pk])).status_code == 404
    stored.refresh_from_db()
    assert files(root) == [] and stored.removed_at and stored.path == "" and stored.sha256
    with pytest.raises(PolicyDenied):
        evidence.remove(row, by=by, attachment_id=stored.pk)


def test_removed_file_on_which_a_filing_rests_stays_and_counts(
    settings, root, row, by, django_capture_on_commit_callbacks
):
    stored = evidence.attach(row, by=by, name="x", data=PDF)
    make_filing(row)
    with django_capture_on_commit_callbacks(execute=True):
        evidence.remove(row, by=by, attachment_id=stored.pk)
    assert len(files(root)) == 1
    settings.ATTACHMENT_QUOTA = len(PDF) + 5
    with pytest.raises(PolicyDenied):
        evidence.attach(row, by=by, name="y", data=PDF)


def make_filing(row):
    return Filing.objects.create(
        submission=row,
        number=1,
        version=row.assignment.version,
        answers={},
        revision=1,
        content_hash="0" * 64,
    )


def test_a_full_disk_refuses_the_file_and_leaves_nothing(root, row, by):
    """The size of files is limited by the system: the write itself fails, as on a disk that is full."""
    data = PDF + b"x" * 200_000
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StorageFull) as refused:
            storage.write(str(row.pk), data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert refused.value.status == 507 and files(root) == []


def test_a_missing_file_is_answered_with_410(client, root, row, by):
    stored = evidence.attach(row, by=by, name="x", data=PDF)
    files(root)[0].unlink()
    client.force_login(by)
    response = client.get(reverse("evidence_file", args=[stored.pk]))
    assert response.status_code == 410 and "文件" in response.content.decode()


def test_check_files_compares_rows_and_files_both_ways(root, settings, row, by, capsys):
    settings.JOB_FOLDER = root.parent / "jobs"
    stored = evidence.attach(row, by=by, name="x", data=PDF)
    call_command("check_files")
    assert "attachments: 1 files, 0 missing, 0 orphans" in capsys.readouterr().out
    recent, old = root / "1" / "recent", root / "1" / "left.part"
    for path in (recent, old):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    call_command("check_files", "--remove-orphans")
    assert "1 orphans, 1 deleted" in capsys.readouterr().out
    assert recent.exists() and not old.exists()
    (root / stored.path).write_bytes(b"cut")
    with pytest.raises(CommandError):
        call_command("check_files")
    assert stored.path in capsys.readouterr().out


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


def heic() -> bytes:
    """A photograph as a telephone makes it, larger than a screen."""
    stream = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (3600, 1200), (200, 30, 30))).save(stream, quality=50)
    return stream.getvalue()


def test_an_ofd_document_is_taken_and_another_archive_is_not():
    assert kind_of(office("OFD.xml", "Doc_0/Document.xml")) == "ofd"
    assert kind_of(office("other.xml")) is None


def test_a_photograph_of_a_telephone_is_shown_as_a_picture(client, row, by):
    file = evidence.attach(row, by=by, name="机房照片.HEIC", data=heic())
    assert (file.kind, file.name) == ("heic", "机房照片.heic")
    client.force_login(by)
    address = reverse("evidence_file", args=[file.pk])
    assert client.get(address).headers["Content-Type"] == "image/heic"
    answer = client.get(address + "?picture")
    assert answer.headers["Content-Type"] == "image/jpeg"
    picture = Image.open(BytesIO(answer.content))
    assert picture.format == "JPEG" and max(picture.size) == 3000
    assert address + "?picture" in client.get(reverse("sheet_evidence", args=[row.pk])).content.decode()


def test_a_damaged_photograph_gets_a_sentence(client, row, by):
    file = evidence.attach(row, by=by, name="a.heic", data=heic()[:400])
    client.force_login(by)
    answer = client.get(reverse("evidence_file", args=[file.pk]) + "?picture")
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("བོད་སྐད.pdf", "བོད་སྐད.pdf"),
        ("机房·照片（2025年）—A&B 100%.pdf", "机房·照片（2025年）—A&B 100%.pdf"),
        ("ئۇيغۇرچە.pdf", "ئۇيغۇرچە.pdf"),
        ("..\\..\\evil?.exe", "evil_.pdf"),
        ("a/b:c.pdf", "b_c.pdf"),
        ("a\u202egpj.pdf", "agpj.pdf"),
        ("\x00.pdf", "file.pdf"),
    ],
)
def test_names_of_files_keep_their_letters(row, by, name, stored):
    assert evidence.attach(row, by=by, name=name, data=PDF).name == stored


TABLE = "单位,数值\n福建示例,1\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "big5hkscs", "utf-16"])
def test_a_text_in_an_encoding_of_offices_is_taken_and_shown_readable(client, row, by, encoding):
    text = TABLE if encoding != "big5hkscs" else "單位,數值\n福建示例,1\n"
    file = evidence.attach(row, by=by, name="台账.csv", data=text.encode(encoding))
    client.force_login(by)
    answer = client.get(reverse("evidence_file", args=[file.pk]))
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode("utf-8-sig") == text


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01\x01" + bytes(range(256)), bytes(range(128, 256)) * 3, b"MZ\x90\x00\x03"]
)
def test_a_program_is_no_text_in_any_encoding(data):
    assert kind_of(data) is None
