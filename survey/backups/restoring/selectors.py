"""Verification of a backup: its package without a database, and its content in a database that was made of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from survey.backups import keys, manifest, messages, selectors
from survey.backups.manifest import FILES, Manifest
from survey.exceptions import FileMissing, PolicyDenied
from survey.ledgers.verification import selectors as verification
from survey.sentences import Sentence


@dataclass(slots=True)
class Findings:
    """What was verified, by kind, and what was found."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[Sentence] = field(default_factory=list)


def opened(folder: Path) -> Manifest:
    """The manifest of a backup that this program can restore with its keys, and whose files are all as they were
    written. Raises PolicyDenied with the first fault; nothing has been written then."""
    backup = manifest.read(folder)
    for fault in keys.missing(backup.keys):
        raise PolicyDenied(fault)
    unknown = sorted({*backup.migrations} - {*known_migrations()})
    if unknown:
        raise PolicyDenied(messages.NEWER(version=backup.version, migrations=", ".join(unknown[:5])))
    faults = [*manifest.file_faults(folder, backup)]
    if len(faults) == 1:
        raise PolicyDenied(faults[0])
    if faults:
        raise PolicyDenied(messages.FAULTS(count=len(faults), first=faults[0]))
    return backup


def known_migrations() -> list[str]:
    """Migrations of the program, with those that a squashed one replaces."""
    loader = MigrationLoader(connection, load=False)
    loader.load_disk()
    replaced = [key for migration in loader.disk_migrations.values() for key in migration.replaces]
    return [f"{app}.{name}" for app, name in (*loader.disk_migrations, *replaced)]


def content(folder: Path, backup: Manifest) -> Findings:
    """Recompute hashes and ledgers in the database in use, and compare the files that its rows name with the backup."""
    findings = Findings()
    for name, check in selectors.checks().items():
        for subject, intact in check():
            findings.counts[name] += 1
            if not intact:
                findings.faults.append(messages.HASH_DIFFERS(subject=subject))
    report = verification.verify(heads=backup.heads, now=datetime.fromisoformat(backup.made_at))
    findings.counts["rows of the ledgers"] = report.rows
    findings.faults += report.faults
    for store, listed in selectors.stores().items():
        for file in listed(partial(_read, folder / FILES / store)):
            findings.counts["files"] += 1
            findings.faults += _file_faults(store, file, backup)
    return findings


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError as error:
        raise FileMissing(name) from error


def _file_faults(name: str, file: selectors.StoredFile, backup: Manifest) -> Iterator[Sentence]:
    path = f"{FILES}/{name}/{file.path}"
    stored = backup.files.get(path)
    if stored is None and path not in backup.gone:
        yield messages.STORED_MISSING(subject=file.subject, file=file.path)
    elif stored and file.sha256 and stored[1] != file.sha256:
        yield messages.STORED_CHANGED(subject=file.subject, file=file.path)
