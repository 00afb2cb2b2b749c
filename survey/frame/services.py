"""Imports into the frame: a file is uploaded, checked, confirmed, and applied exactly as it was checked."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.frame.checking import Checked, check_table, rows_only
from survey.frame.columns import column_positions
from survey.frame.comparing import Plan, compare_counts, compare_units
from survey.frame.messages import REFUSALS
from survey.frame.models import FrameImport
from survey.frame.parsing import LARGEST_FILE, Table
from survey.frame.reading import open_table
from survey.frame.selectors import existing_counts, existing_units
from survey.frame.storage import load_counts, load_units, lock_frame
from survey.frame.summary import FrameSummary
from survey.jobs import services as jobs
from survey.jobs.models import Job
from survey.jobs.services import Work
from survey.untrusted.protocol import FileRefusedError

State = FrameImport.State
SMALL_FILE = 256 * 1024  # checked during the request
WAITING, WORKING = (State.QUEUED, State.CONFIRMED), (State.CHECKING, State.APPLYING)


def _allow(by: User | None) -> None:
    """``by`` None is an operator at the command line."""
    if by is not None and not may(by, Permission.DESIGN_SAMPLE):
        raise PermissionDenied


@transaction.atomic
def upload_frame(
    *, by: User | None, kind: str, name: str, content: bytes, complete: bool = False
) -> FrameImport:
    """Store a file and enqueue its check. Raises PermissionDenied, PolicyDenied (too large)."""
    _allow(by)
    if len(content) > LARGEST_FILE:
        raise PolicyDenied(
            _("The file is larger than %(limit)s MB.") % {"limit": LARGEST_FILE // 1024 // 1024}
        )
    row = FrameImport.objects.create(
        kind=FrameImport.Kind(kind),
        file_name=" ".join(name.split())[-200:],
        content=content,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        complete=complete,
        uploaded_by=by,
        job=jobs.enqueue("frame_check", by=by, send=len(content) > SMALL_FILE),
    )
    audit.record(by=by, action="frame_uploaded", subject=row, file=row.file_name, sha256=row.sha256)
    return row


def proceed(row: FrameImport) -> bool:
    """Run the job of an import at once when the file is small. False when the broker could not be reached."""
    if row.size > SMALL_FILE:
        return jobs.was_sent(row.job)
    jobs.run(row.job_id)
    return True


def check_import(work: Work) -> None:
    """Check the file of a job. Raises PolicyDenied for a file that cannot be read."""
    row, began = _begin(work, State.CHECKING), time.perf_counter()
    with _refusals():
        table, checked = _read(row, work)
        plan = _compared(row, table, checked)
    work.progress(95)
    row.summary = _summary(table, checked, plan, round(time.perf_counter() - began, 2))
    row.findings = [list(finding) for finding in checked.findings]
    row.changes, row.plan_hash, row.state = plan.shown(), plan.content_hash(), State.CHECKED
    with work.store():
        row.save(update_fields=["state", "summary", "findings", "changes", "plan_hash"])


@transaction.atomic
def confirm_import(row: FrameImport, *, by: User | None, sha256: str) -> FrameImport:
    """Confirm a checked file for application. Raises PermissionDenied, PolicyDenied (faults, other file, wrong state)."""
    _allow(by)
    locked = FrameImport.objects.select_for_update().get(pk=row.pk)
    if locked.state == State.APPLIED and locked.sha256 == sha256:
        return locked
    if locked.state != State.CHECKED:
        raise PolicyDenied(_("Only a checked file can be applied."))
    if locked.summary.faults:
        raise PolicyDenied(_("The file has faults. Correct them and upload it again; nothing was changed."))
    if locked.sha256 != sha256 or hashlib.sha256(bytes(locked.content)).hexdigest() != sha256:
        raise PolicyDenied(_("This is not the file that was checked."))
    locked.state, locked.applied_by = State.CONFIRMED, by
    locked.job = jobs.enqueue("frame_apply", by=by, send=locked.size > SMALL_FILE)
    locked.save(update_fields=["state", "applied_by", "job"])
    audit.record(by=by, action="frame_confirmed", subject=locked, sha256=sha256)
    return locked


def apply_import(work: Work) -> None:
    """Apply the confirmed file of a job in one transaction. Raises PolicyDenied when the frame has changed since."""
    row = _begin(work, State.APPLYING)
    with _refusals():
        table, checked = _read(row, work)
        with work.store():
            lock_frame()
            plan = _compared(row, table, checked)
            if plan.content_hash() != row.plan_hash:
                raise FileRefusedError("frame_changed")
            load = load_units if row.kind == FrameImport.Kind.UNITS else load_counts
            load(plan, row)
            row.state, row.applied_at = State.APPLIED, clock.present()
            row.save(update_fields=["state", "applied_at"])
            audit.record(
                by=row.applied_by,
                action="frame_applied",
                subject=row,
                sha256=row.sha256,
                new=len(plan.new),
                changed=len(plan.changed),
                back=len(plan.back),
                left=len(plan.missing),
            )


@transaction.atomic
def cancel_import(row: FrameImport, *, by: User | None) -> FrameImport:
    """Cancel an import: at once while it waits, at its next step while it runs. The frame is not changed."""
    _allow(by)
    if row.state == State.CHECKED:  # no job is open
        stopped = FrameImport.objects.filter(pk=row.pk, state=State.CHECKED).update(state=State.CANCELLED) > 0
    else:
        stopped = jobs.cancel(row.job_id)
    if not stopped:
        raise PolicyDenied(_("This import is over and cannot be cancelled."))
    audit.record(by=by, action="frame_cancelled", subject=row, sha256=row.sha256)
    row.refresh_from_db(fields=["state", "job"])
    return row


def end_import(job: Job) -> None:
    """End an import whose job ended without a result."""
    ended = State.CANCELLED if job.state == Job.State.CANCELLED else State.FAILED
    FrameImport.objects.filter(job=job).update(state=ended)


def wait_again(job: Job) -> None:
    """Set an import whose job was requeued to waiting."""
    waiting = {"frame_check": State.QUEUED, "frame_apply": State.CONFIRMED}[job.kind]
    FrameImport.objects.filter(job=job).update(state=waiting)


def _begin(work: Work, state: str) -> FrameImport:
    FrameImport.objects.filter(job=work.job).update(state=state)
    return FrameImport.objects.select_related("applied_by").get(job=work.job)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn FileRefusedError into PolicyDenied with the stored sentence of its code."""
    try:
        yield
    except FileRefusedError as error:
        raise PolicyDenied(REFUSALS[error.code](**error.parameters)) from error


def _read(row: FrameImport, work: Work) -> tuple[Table, Checked]:
    """Read and check the file as it was uploaded."""
    table = open_table(bytes(row.content), row.kind)
    work.progress(2)
    # The number of rows is unknown until the end: progress is half at 50,000 rows and never complete.
    checked = check_table(row.kind, table, lambda rows: work.progress(int(2 + 80 * rows / (rows + 50_000))))
    work.progress(85)
    return table, checked


def _compared(row: FrameImport, table: Table, checked: Checked) -> Plan:
    """The changes of the valid rows to the current frame."""
    if row.kind == FrameImport.Kind.COUNTS:
        return compare_counts(rows_only(checked.rows), existing_counts(), complete=row.complete)
    positions = column_positions(row.kind, table.header)[0]
    columns = frozenset(positions) | ({"section"} if "industry" in positions else frozenset())
    return compare_units(rows_only(checked.rows), existing_units(), complete=row.complete, columns=columns)


def _summary(table: Table, checked: Checked, plan: Plan, seconds: float) -> FrameSummary:
    return FrameSummary(
        format=table.format,
        encoding=table.encoding,
        rows=checked.read,
        good=len(checked.rows),
        faults=checked.faults,
        faulty_rows=checked.faulty_rows,
        normalised=checked.normalised,
        rounded=checked.rounded,
        cleaned=checked.cleaned,
        respelled=len(plan.respelled),
        sheet=table.sheet,
        line=table.line,
        ignored=tuple(checked.ignored),
        new=len(plan.new),
        changed=len(plan.changed),
        back=len(plan.back),
        unchanged=plan.unchanged,
        missing=len(plan.missing),
        fields=plan.fields(),
        sum=sum(getattr(row, "units", 0) for _line, row in checked.rows),
        seconds=seconds,
    )
