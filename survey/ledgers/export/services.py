"""Signed exports: rows and blocks as JSON Lines, a manifest with hashes, an Ed25519 signature."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.base import File
from django.db import transaction
from django.db.models import Sum

from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.jobs import services as jobs
from survey.jobs.models import Job
from survey.jobs.storage import opened
from survey.ledgers import signing, storage
from survey.ledgers.content import LEDGERS, Ledger
from survey.ledgers.export import messages
from survey.ledgers.models import LedgerBlock, LedgerExport, LedgerRemoval

JOB_KIND = "export_ledgers"
BLOCK_FIELDS = (
    *("number", "layout", "count", "high", "opening", "caught_up", "predecessor", "hash", "algorithm", "key"),
    "signature",
)
type Progress = Callable[[int, int], None]


def write_export(
    folder: Path, since: datetime, until: datetime, progress: Progress = lambda done, total: None
) -> int:
    """Write what was sealed in a time into a folder, and sign it. Returns the number of rows.

    Raises PolicyDenied: no key, no blocks, or a folder that is not empty.
    """
    signing.private_key()
    if folder.exists() and any(folder.iterdir()):
        raise PolicyDenied(messages.NOT_EMPTY())
    chosen = LedgerBlock.objects.filter(sealed_at__gte=since, sealed_at__lt=until)
    total = chosen.aggregate(rows=Sum("count"))["rows"]
    if not total:
        raise PolicyDenied(messages.NO_BLOCKS())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    done, ledgers = 0, {}
    for ledger in LEDGERS.values():
        written = 0
        for rows in _write_ledger(folder, ledger, chosen):
            written, done = written + rows, done + rows
            progress(done, total)
        ledgers[ledger.name] = {"rows": written, "table": ledger.table, "columns": ledger.layouts}
    signing.sign(
        folder,
        {
            "since": since.isoformat(),
            "until": until.isoformat(),
            "made_at": clock.present().isoformat(),
            "ledgers": ledgers,
        },
    )
    return done


def _write_ledger(folder: Path, ledger: Ledger, chosen: Any) -> Iterator[int]:
    """Write rows and blocks of a ledger; yields the number of rows of each block."""
    gone = set(LedgerRemoval.objects.filter(ledger=ledger.name).values_list("number", flat=True))
    with (
        (folder / f"{ledger.name}.jsonl").open("w", encoding="utf-8", newline="\n") as rows,
        (folder / f"{ledger.name}.blocks.jsonl").open("w", encoding="utf-8", newline="\n") as blocks,
    ):
        for block in chosen.filter(ledger=ledger.name).order_by("number").iterator(chunk_size=20):
            removed = block.number in gone
            lines = [] if removed else storage.lines_of(ledger, block.layout, block.row_ids)
            rows.writelines(f"{line}\n" for _key, line in lines)
            facts = {name: getattr(block, name) for name in BLOCK_FIELDS}
            facts |= {"row_ids": block.row_ids, "sealed_at": block.sealed_at.isoformat(), "removed": removed}
            blocks.write(json.dumps(facts) + "\n")
            yield len(lines)


def exports_of() -> Any:
    """All exports, newest first."""
    return LedgerExport.objects.select_related("job", "by").order_by("-pk")


@transaction.atomic
def request_export(*, by: User, since: datetime, until: datetime) -> LedgerExport:
    """Request an export as a file. Raises PermissionDenied, PolicyDenied."""
    if not may(by, Permission.VIEW_AUDIT):
        raise PermissionDenied
    signing.private_key()
    job = jobs.enqueue(JOB_KIND, by.pk, by=by)
    if LedgerExport.objects.filter(job=job).exists():
        raise PolicyDenied(messages.BUSY())
    row = LedgerExport.objects.create(by=by, since=since, until=until, job=job)
    audit.record(
        by=by, action="ledger_export_requested", subject=row, since=since.isoformat(), until=until.isoformat()
    )
    return row


def make_file(work: jobs.Work) -> None:
    """Make the file of an export. Raises PolicyDenied."""
    row = LedgerExport.objects.select_related("by").get(job=work.job)
    with TemporaryDirectory() as temporary, TemporaryFile() as file:
        folder = Path(temporary) / "export"
        row.rows = write_export(folder, row.since, row.until, lambda done, total: work.progress(done, total))
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
        row.size = work.keep(file)
    work.expires_at = clock.present() + timedelta(days=settings.JOB_DAYS)
    with work.store():
        row.save(update_fields=["rows", "size"])
        audit.record(by=row.by, action="ledger_export_finished", subject=row, rows=row.rows)


def fetch_export(row: LedgerExport, *, by: User) -> "File[bytes]":
    """The finished file, open; the download is recorded. Raises PolicyDenied when it has expired, FileMissing."""
    if row.job.state != Job.State.DONE or not row.job.file:
        raise PolicyDenied(messages.EXPIRED())
    file = opened(row.job)
    audit.record(by=by, action="ledger_export_fetched", subject=row, rows=row.rows)
    return file
