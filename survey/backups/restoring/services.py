"""Restoring a backup: into a database of its own, which is verified and takes the place of the other one at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command

from survey import audit, clock, files
from survey.backups import folders, keys, manifest, messages, selectors, storage
from survey.backups.manifest import DATABASE, FILES, Manifest
from survey.backups.restoring.selectors import Findings, content, known_migrations, opened
from survey.exceptions import FileMissing, PolicyDenied, SurveyError
from survey.files import Store
from survey.ledgers.restores.services import record_restore

JOBS = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored database, and what its operator must know."""

    manifest: Manifest
    findings: Findings
    former: str  # name under which the replaced database stays; empty: there was none
    changed_secrets: list[str]
    files: int  # that were copied


def verify_backup(given: Path) -> tuple[Path, Findings]:
    """Restore a backup, the newest of a folder, into a database that is dropped afterwards, and verify it.

    A refusal is recorded like a success. Raises PolicyDenied and StorageFull.
    """
    try:
        folder = folders.chosen(given)
        backup = opened(folder)
        with _loaded(folder, backup, "verify") as database:
            findings = _verified(folder, backup, database)
            storage.drop(database)
    except SurveyError as refusal:
        audit.record(by=None, action=selectors.VERIFIED, succeeded=False, error=refusal.stored.to_document())
        raise
    audit.record(
        by=None,
        action=selectors.VERIFIED,
        succeeded=not findings.faults,
        name=backup.name,
        counts=dict(findings.counts),
        faults=[fault.to_document() for fault in findings.faults[:100]],
    )
    return folder, findings


def restore_backup(
    given: Path, *, operator: str, reason: str, overwrite: str = "", despite_faults: bool = False
) -> Restored:
    """Replace the database in use by a backup, or make it, and put back the files that its rows name.

    Raises PolicyDenied and StorageFull; until the swap at the end nothing has changed but files that were missing.
    """
    folder, target = folders.chosen(given), storage.present_name()
    backup = opened(folder)
    replaced = storage.has_tables(target)
    if replaced and overwrite != target:
        raise PolicyDenied(messages.NOT_EMPTY(database=target))
    if storage.is_used(target):
        raise PolicyDenied(messages.IN_USE(database=target))
    with _loaded(folder, backup, "restore") as database:
        findings = _verified(folder, backup, database)
        if findings.faults and not despite_faults:
            raise PolicyDenied(messages.FAULTS(count=len(findings.faults), first=findings.faults[0]))
        with storage.using(database):
            # Who signed out or was shut out since the backup must not be signed in again.
            UserSession.objects.all().delete()
            Session.objects.all().delete()
            storage.analyze()
        copied = _put_back_files(folder, backup)
        former = _name(target, "before") if replaced else ""
        storage.swap(target, database, former)
    record_restore(
        operator=operator,
        reason=reason,
        source=backup.name,
        faults=[fault.to_document() for fault in findings.faults[:100]],
    )
    return Restored(backup, findings, former, keys.changed(backup.keys), copied)


@contextmanager
def _loaded(folder: Path, backup: Manifest, purpose: str) -> Iterator[str]:
    """A database that the dump was loaded into. It is dropped when the block raises an exception."""
    database = _name(storage.present_name(), purpose)
    storage.create(database, backup.database)
    try:
        storage.load(folder / DATABASE, database, backup.database["dump"], JOBS)
        yield database
    except BaseException:
        storage.drop(database)
        raise


def _verified(folder: Path, backup: Manifest, database: str) -> Findings:
    """All values are compared as they were dumped; hashes are recomputed with the tables of this program."""
    with storage.using(database):
        differing = [*manifest.table_faults(backup.tables, storage.checksums())]
        if {*backup.migrations} != {*known_migrations()}:
            call_command("migrate", verbosity=0, interactive=False)
        findings = content(folder, backup)
    findings.counts["tables"] = len(backup.tables)
    findings.faults[:0] = differing
    return findings


def _put_back_files(folder: Path, backup: Manifest) -> int:
    """Copy files that are missing or differ. Other files stay: ``check_files`` lists those that no row names."""
    copied = 0
    for store in selectors.stores():
        prefix = f"{FILES}/{store}/"
        for path, (size, digest) in backup.files.items():
            name = path.removeprefix(prefix)
            if not path.startswith(prefix) or _has(store, name, size, digest):
                continue
            with (folder / path).open("rb") as source:
                files.write(store, name, source)
            copied += 1
    return copied


def _has(store: Store, name: str, size: int, digest: str) -> bool:
    try:
        with files.opened(store, name) as stored:
            return stored.size == size and manifest.digest(stored) == digest
    except FileMissing:
        return False


def _name(database: str, purpose: str) -> str:
    moment: datetime = clock.present()
    ending = f"_{purpose}_{folders.name_of(moment).lower()}"
    return database[: storage.LONGEST_NAME - len(ending)] + ending
