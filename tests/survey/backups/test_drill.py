"""The restore drill: back up a site, lose it, restore it, and find everything equal; every damage is named."""

import resource
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from survey.audit import AuditEvent
from survey.backups import folders, manifest, storage
from survey.backups.restoring.services import restore_backup, verify_backup
from survey.backups.services import make_backup
from survey.encryption import new_key
from survey.exceptions import StorageFull, SurveyError
from survey.ledgers.models import LedgerBlock
from survey.ledgers.storage import noted_heads, protection_lifted
from survey.ledgers.verification.selectors import verify
from survey.submissions.models import Filing
from tests.survey.backups.conftest import ARGUMENTS, JOB_FILE, Site, databases

pytestmark = pytest.mark.django_db


def test_a_lost_site_is_restored_and_equal(site: Site, restored: Path) -> None:
    printed, backup = (restored / "printed").read_text(), site.made.manifest
    assert f"{backup.rows:,} rows" in printed and "; 0 faults" in printed and "1 jobs waited" in printed
    # Every value of every table is the same, but in the ledgers, to which the restore adds its record.
    faults = {fault.params["table"] for fault in manifest.table_faults(backup.tables, storage.checksums())}
    assert faults == {"survey_auditevent", "survey_ledgerblock"}
    assert int(backup.tables["survey_filing"][0]) == Filing.objects.count() == 3
    for part in (f"attachment_root/{site.attachment}", f"job_folder/{JOB_FILE}"):
        assert (restored / part).read_bytes() == (site.folder / part).read_bytes()
    assert sorted(path.name for path in (restored / "report_root").rglob("*.*")) == [
        "manifest.json",
        "page.html",
    ]
    assert databases() == [storage.present_name()]


def test_the_ledgers_tell_the_restore(site: Site, restored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_audit")
    printed = capsys.readouterr().out
    assert (
        "operator" in printed and site.made.path.name in printed and "99" in printed and "no fault" in printed
    )
    head = LedgerBlock.objects.filter(ledger="audit").latest("number")
    assert noted_heads()["audit"] == {"number": head.number, "hash": head.hash}
    row = AuditEvent.objects.get(action="database_restored")
    with transaction.atomic():
        with protection_lifted():
            AuditEvent.objects.filter(pk=row.pk).update(details={**row.details, "operator": "somebody else"})
        heads = {"audit": {"number": 99, "hash": "f" * 64}}
        assert {fault.code for fault in verify(heads=heads).faults} == {
            "ledger_changed",
            "ledger_restore_forged",
            "ledger_head_lost",
        }
        transaction.set_rollback(True)
    assert verify(heads=heads).faults == []


def test_faults_of_the_site_itself_are_named_in_its_backup(
    site: Site, restored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with connection.cursor() as cursor, protection_lifted():
        cursor.execute(
            "UPDATE survey_filing SET revision = revision + 1 WHERE id = (SELECT min(id) FROM survey_filing)"
        )
        cursor.execute("UPDATE estimation_release SET content = jsonb_set(content, '{year}', '2024')")
        cursor.execute("UPDATE survey_observation SET collected[1] = 7")
        cursor.execute(
            "UPDATE survey_auditevent SET action = 'sign_in' WHERE id = (SELECT min(id) FROM survey_auditevent)"
        )
    (restored / "attachment_root" / site.attachment).write_bytes(b"another proof")
    (restored / "job_folder" / JOB_FILE).unlink()
    with pytest.raises(CommandError, match="1 files that rows name are missing; the backup was made"):
        call_command("backup", "--to", str(tmp_path))
    folder, findings = verify_backup(tmp_path)
    assert Counter(fault.code for fault in findings.faults) == {
        "backup_hash_differs": 3,
        "ledger_changed": 1,
        "backup_stored_changed": 1,
        "backup_stored_missing": 1,
    }
    assert not AuditEvent.objects.get(action="backup_verified").succeeded
    # A database with content is replaced on demand only, and stays.
    database = storage.present_name()
    assert refusal(folder, despite_faults=True) == "backup_not_empty"
    assert refusal(folder, despite_faults=True, overwrite="yes") == "backup_not_empty"
    parameters: dict[str, Any] = dict(storage._parameters(database))
    with psycopg.connect(**parameters):
        assert refusal(folder, despite_faults=True, overwrite=database) == "backup_in_use"
    before = storage.checksums()
    capsys.readouterr()
    call_command("restore", *ARGUMENTS, "--from", str(folder), "--overwrite", database, "--despite-faults")
    former = next(word for word in capsys.readouterr().out.split() if "_before_" in word).rstrip(";")
    with storage.using(former):
        assert storage.checksums() == before
    row = AuditEvent.objects.get(action="database_restored", details__source=folder.name)
    assert len(row.details["faults"]) == len(findings.faults)


def refusal(folder: Path, **options: Any) -> str:
    """The code of the sentence with which a restore is refused."""
    with pytest.raises(SurveyError) as refused:
        restore_backup(folder, operator="operator", reason="the disk broke", **options)
    return refused.value.code


def remove(path: Path) -> None:
    path.unlink()


def change(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def add(path: Path) -> None:
    path.with_suffix(".more").write_bytes(b"1")


DAMAGES = [
    ("files/attachments/*/*", remove, "backup_file_missing"),
    ("files/attachments/*/*", change, "backup_file_changed"),
    ("files/jobs/*", add, "backup_file_unknown"),
    ("database/toc.dat", truncate, "backup_file_changed"),
    ("database/*.dat.*", remove, "backup_faults"),
    ("manifest.json", change, "backup_manifest_forged"),
    ("manifest.json", remove, "backup_none"),
    ("manifest.sig", truncate, "backup_manifest_unreadable"),
]


@pytest.mark.parametrize(
    ("pattern", "damage", "code"), DAMAGES, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_damaged_backup_is_refused_before_anything_is_written(
    copy: Path, target: Path, pattern: str, damage: Callable[[Path], None], code: str
) -> None:
    for path in [*copy.glob(pattern)]:
        damage(path)
    assert refusal(copy) == code
    assert not databases()
    assert not (target / "attachment_root").exists()


def other_key(value: str) -> str:
    """A setting with another key of the same name."""
    return f"{value.partition(':')[0]}:{new_key()}"


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("FIELD_KEYS", other_key, "backup_key_differs"),
        ("AUDIT_KEYS", other_key, "backup_manifest_forged"),
        ("AUDIT_KEYS", lambda value: f"new:{new_key()}", "backup_key_unknown"),
        ("POSTGRES_PROGRAMS", lambda value: "/nowhere", "backup_program_missing"),
    ],
    ids=["field key", "audit key", "unknown audit key", "no pg_restore"],
)
def test_keys_and_programs_are_looked_at_first(
    site: Site, target: Path, settings: Any, setting: str, value: Callable[[str], str], code: str
) -> None:
    setattr(settings, setting, value(getattr(settings, setting)))
    assert refusal(site.backups) == code
    assert not databases()


def signed_again(copy: Path, change: Callable[[manifest.Manifest], None]) -> None:
    """A backup whose manifest says something else and is signed, as if it had been made so."""
    backup = manifest.read(copy)
    change(backup)
    for name in backup.files:
        backup.files[name] = [(copy / name).stat().st_size, manifest.digest_of(copy / name)]
    manifest.write(copy, backup)


def test_a_backup_of_a_newer_program_is_refused(copy: Path, target: Path) -> None:
    signed_again(copy, lambda backup: backup.migrations.append("survey.9999_later"))
    assert refusal(copy) == "backup_newer"


def test_a_dump_that_was_damaged_before_it_was_hashed_cannot_be_loaded(copy: Path, target: Path) -> None:
    truncate(copy / "database" / "toc.dat")
    signed_again(copy, lambda backup: None)
    assert refusal(copy) == "backup_program_failed"
    assert not databases()


def test_a_table_that_is_not_as_it_was_is_named(copy: Path, target: Path) -> None:
    def more(backup: manifest.Manifest) -> None:
        backup.tables["survey_filing"][0] = "4"

    signed_again(copy, more)
    assert refusal(copy) == "backup_faults"
    assert not databases()


def test_backups_are_kept_apart_from_keys_and_only_so_many(site: Site, tmp_path: Path, settings: Any) -> None:
    kept = {path.name for path in (site.folder / "keys").iterdir()}
    assert kept == {"field_keys", "audit_keys", "audit_export_key", "secret_key"}
    assert (site.folder / "keys" / "field_keys").read_text() == settings.FIELD_KEYS
    assert (site.folder / "keys" / "field_keys").stat().st_mode & 0o777 == 0o600
    secret = settings.FIELD_KEYS.partition(":")[2].encode()
    assert not [path for path in site.made.path.rglob("*") if path.is_file() and secret in path.read_bytes()]
    for keys_to in (tmp_path, tmp_path / "keys", tmp_path.parent):
        with pytest.raises(SurveyError) as refused:
            make_backup(tmp_path, keys_to=keys_to)
        assert refused.value.code == "backup_keys_beside"
    for name in ("20250101T000000Z", "20260101T000000Z"):
        shutil.copytree(site.made.path, tmp_path / name)
    (tmp_path / ".part-20240101T000000Z").mkdir()  # of a backup that was killed
    made = make_backup(tmp_path, keep=2, jobs=1)
    assert made.removed == ["20250101T000000Z"]
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "20260101T000000Z", made.path.name}
    assert folders.chosen(tmp_path) == made.path


@pytest.mark.parametrize("limit", [4, 4096], ids=["a file", "the dump"])
def test_nothing_is_left_when_the_disk_is_full(site: Site, tmp_path: Path, limit: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(StorageFull):
            make_backup(tmp_path / "full", jobs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, former)
    assert {path.name for path in (tmp_path / "full").iterdir()} == {".lock"}
    row = AuditEvent.objects.filter(action="backup_made").latest("pk")
    assert not row.succeeded and row.details["error"]["code"] == "backup_disk_full"


def test_one_backup_at_a_time(site: Site, tmp_path: Path) -> None:
    with folders.alone(tmp_path), pytest.raises(SurveyError) as refused:
        make_backup(tmp_path)
    assert refused.value.code == "backup_running"


def test_a_server_that_does_not_answer_is_a_sentence(site: Site, tmp_path: Path) -> None:
    with storage.using("nobody_has_this"), pytest.raises(SurveyError) as refused:
        make_backup(tmp_path)
    assert refused.value.code == "backup_server_failed"
    assert {path.name for path in tmp_path.iterdir()} == {".lock"}
