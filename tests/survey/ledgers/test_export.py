"""A signed export is verified without a database, and every change of its files is found."""

import base64
import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone

from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from survey.ledgers import signing
from survey.ledgers.export.services import request_export, write_export
from survey.ledgers.models import LedgerExport
from tests.background import do_waiting


@pytest.fixture
def folder(sealed: list[int], tmp_path: Path) -> Path:
    """An export of everything."""
    call_command(
        "export_audit", "--since", "2020-01-01", "--until", "2099-12-31", "--to", str(tmp_path / "out")
    )
    return tmp_path / "out"


def codes(folder: Path) -> list[str]:
    return [fault.code.removeprefix("ledger_") for fault in signing.faults_of(folder, signing.public_key())]


def test_an_export_is_verified_without_a_database(folder: Path, django_db_blocker: Any, capsys: Any) -> None:
    public = signing.public_key()
    with django_db_blocker.block():
        call_command("verify_audit", "--export", str(folder), "--public-key", public)
    lines = (folder / "audit.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    assert len(lines) == AuditEvent.objects.count() - 1  # the row about the export is not sealed yet
    assert json.loads(lines[-1])[9]["rows"] == 9
    assert "no fault" in capsys.readouterr().out


def changed_row(folder: Path) -> list[str]:
    path = folder / "audit.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"rows": 4', '"rows": 5'), encoding="utf-8")
    return ["file_changed", "exported_rows"]


def row_left_out(folder: Path) -> list[str]:
    path = folder / "audit.jsonl"
    path.write_text("\n".join(path.read_text(encoding="utf-8").split("\n")[:-2]) + "\n", encoding="utf-8")
    return ["file_changed", "exported_rows"]


def block_left_out(folder: Path) -> list[str]:
    path = folder / "audit.blocks.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join([lines[0], *lines[2:]]), encoding="utf-8")
    return ["file_changed", "exported_chain", "exported_rows"]


def changed_manifest(folder: Path) -> list[str]:
    path = folder / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace("2020-01-01", "2020-01-02"), encoding="utf-8")
    return ["not_signed"]


def signed_with_another_key(folder: Path) -> list[str]:
    text = (folder / "manifest.json").read_bytes()
    (folder / "manifest.sig").write_bytes(base64.b64encode(Ed25519PrivateKey.generate().sign(text)))
    return ["not_signed"]


def file_missing(folder: Path) -> list[str]:
    (folder / "answers.jsonl").unlink()
    return ["file_missing"]


def file_added(folder: Path) -> list[str]:
    (folder / "more.txt").write_text("x")
    return ["file_changed"]


def everything_missing(folder: Path) -> list[str]:
    shutil.rmtree(folder)
    return ["file_missing"]


@pytest.mark.parametrize(
    "plant",
    [
        changed_row,
        row_left_out,
        block_left_out,
        changed_manifest,
        signed_with_another_key,
        file_missing,
        file_added,
        everything_missing,
    ],
)
def test_a_changed_export_is_found(folder: Path, plant: Any) -> None:
    public = signing.public_key()
    assert codes(folder) == []
    expected = plant(folder)
    assert sorted(set(codes(folder))) == sorted(expected)
    with pytest.raises(CommandError):
        call_command("verify_audit", "--export", str(folder), "--public-key", public)


def test_refused_without_key_blocks_or_an_empty_folder(folder: Path, tmp_path: Path, settings: Any) -> None:
    now = timezone.now()
    with pytest.raises(PolicyDenied):
        write_export(folder, now - dt.timedelta(days=1), now)
    with pytest.raises(PolicyDenied):
        write_export(tmp_path / "new", now - dt.timedelta(days=99), now - dt.timedelta(days=98))
    settings.AUDIT_EXPORT_KEY = ""
    with pytest.raises(PolicyDenied):
        write_export(tmp_path / "new", now - dt.timedelta(days=1), now + dt.timedelta(days=1))


def test_the_audit_administrator_gets_an_export(
    sealed: list[int], world: Any, client: Any, settings: Any, tmp_path: Path
) -> None:
    settings.JOB_FOLDER = tmp_path / "jobs"
    by = world.users["audit_administrator"]
    client.force_login(by, backend=settings.AUTHENTICATION_BACKENDS[0])
    client.cookies["django_language"] = "en"
    day = timezone.localtime().date().isoformat()
    refused = client.post(reverse("audit_ledgers"), {"since": day, "until": "2001-01-01"})
    assert refused.status_code == 409 and b"The end lies before the beginning." in refused.content
    assert client.post(reverse("audit_ledgers"), {"since": day, "until": day}).status_code == 302
    row = LedgerExport.objects.get()
    with pytest.raises(PolicyDenied):
        request_export(by=by, since=row.since, until=row.until)
    do_waiting("export_ledgers")
    page = client.get(reverse("audit_ledgers")).content.decode()
    assert reverse("audit_ledger_export", args=[row.pk]) in page
    response = client.get(reverse("audit_ledger_export", args=[row.pk]))
    archive = tmp_path / "export.zip"
    archive.write_bytes(b"".join(response.streaming_content))
    shutil.unpack_archive(archive, tmp_path / "unpacked")
    assert codes(tmp_path / "unpacked") == []
    assert [
        AuditEvent.objects.filter(action=f"ledger_export_{action}", subject_id=str(row.pk)).count()
        for action in ("requested", "finished", "fetched")
    ] == [1, 1, 1]


def test_the_nightly_verification_is_visible(
    sealed: list[int], world: Any, client: Any, settings: Any, caplog: Any
) -> None:
    from survey.ledgers.storage import protection_lifted
    from survey.ledgers.tasks import verify

    verify()
    assert do_waiting("verify_ledgers")[0].state == "done"
    with protection_lifted():
        AuditEvent.objects.filter(pk=sealed[3]).update(action="x")
    verify()
    job = do_waiting("verify_ledgers")[0]
    assert job.state == "failed" and str(sealed[3]) in str(job.error)
    assert any(record.levelname == "ERROR" and str(sealed[3]) in record.message for record in caplog.records)
    event = AuditEvent.objects.filter(action="ledgers_verified").latest("pk")
    assert not event.succeeded
    client.force_login(world.users["audit_administrator"], backend=settings.AUTHENTICATION_BACKENDS[0])
    assert str(sealed[3]) in client.get(reverse("audit_ledgers")).content.decode()
