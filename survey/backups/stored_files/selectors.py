"""Compares the files of every store with the rows that name them, both ways; the last comparison that was recorded."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from config.files.entries import Entry
from survey import clock, files
from survey.audit import AuditEvent
from survey.backups import selectors as backups
from survey.backups.messages import STORED_MISSING
from survey.backups.selectors import Files, Read, StoredFile
from survey.backups.stored_files import messages
from survey.files import Store
from survey.ledgers import storage as ledger_files
from survey.ledgers.models import LedgerBlock
from survey.sentences import Sentence

CHECKED = "files_checked"
# A younger file may belong to a transaction that is not committed yet. Its time is that of the machine or server that
# stores it, so it is as long as clocks may differ and transactions last.
GRACE = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A store: how many files it has and their bytes, what is missing or of another size, and what no row names."""

    store: Store
    count: int
    size: int
    faults: list[Sentence]
    orphans: list[str]


def stores() -> Mapping[Store, Files]:
    """All stores. Those of the ledgers are no part of a backup, which they must not agree with."""
    return {**backups.stores(), Store.AUDIT: _heads}


def _heads(read: Read) -> Iterator[StoredFile]:
    for name in LedgerBlock.objects.order_by("ledger").values_list("ledger", flat=True).distinct():
        yield StoredFile(ledger_files.head_file(name), messages.HEAD(ledger=name))


def compare(store: Store) -> Comparison:
    """Compare a store. Raises FilesUnavailable.

    Rows are read before and after the files: what is stored or removed meanwhile is neither missing nor an orphan.
    """
    before = _named(store)
    present = {entry.name: entry for entry in files.entries(store)}
    after = _named(store)
    faults = [
        sentence
        for name, file in after.items()
        if name in before
        for sentence in _faults(file, present.get(name))
    ]
    past = (clock.present() - GRACE).timestamp()
    unnamed = present.keys() - before.keys() - after.keys() - ledger_files.EARLIER
    orphans = sorted(name for name in unnamed if present[name].modified < past)
    return Comparison(store, len(present), sum(entry.size for entry in present.values()), faults, orphans)


def _named(store: Store) -> dict[str, StoredFile]:
    return {file.path: file for file in stores()[store](partial(files.read, store))}


def _faults(file: StoredFile, entry: Entry | None) -> Iterator[Sentence]:
    if entry is None:
        yield STORED_MISSING(subject=file.subject, file=file.path)
    elif file.size is not None and file.size != entry.size:
        yield messages.SIZE_DIFFERS(subject=file.subject, file=file.path)


def last_check() -> AuditEvent | None:
    """The audit row of the last nightly comparison."""
    return AuditEvent.objects.filter(action=CHECKED).order_by("-at").first()
