"""Writes of the frame: an uploaded file is checked, shown, and then applied exactly as it was checked."""

import hashlib
import logging
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey import audit
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.frame.checking import Checked, check_table, good
from survey.frame.columns import places_of
from survey.frame.comparing import Plan, compare_counts, compare_units
from survey.frame.models import FrameImport
from survey.frame.reading import LARGEST_FILE, FileRefusedError, Table, read_table
from survey.frame.selectors import known_counts, known_units
from survey.frame.storage import load_counts, load_units, lock_frame

logger = logging.getLogger(__name__)
State = FrameImport.State
SMALL_FILE = 256 * 1024  # checked while the person waits
LOST_AFTER = timedelta(seconds=settings.RUN_LOST_SECONDS)
RESEND_AFTER = timedelta(seconds=settings.RUN_RESEND_SECONDS)
WAITING, WORKING = (State.QUEUED, State.CONFIRMED), (State.CHECKING, State.APPLYING)


class _CancelledError(Exception):
    """Somebody wants this import to stop."""


def _allow(by: User | None) -> None:
    """``by`` None is an operator at the command line."""
    if by is not None and not may(by, Permission.DESIGN_SAMPLE):
        raise PermissionDenied


@transaction.atomic
def upload_frame(
    *, by: User | None, kind: str, name: str, content: bytes, complete: bool = False
) -> FrameImport:
    """Keep a file that waits for its check. Raises PermissionDenied, PolicyDenied (too large)."""
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
    )
    audit.record(by=by, action="frame_uploaded", subject=row, file=row.file_name, sha256=row.sha256)
    return row


def check_import(pk: int) -> bool:
    """Check a queued file. Returns False when it was not there to be claimed; never raises for a bad file."""
    row = _claim(pk, State.QUEUED, State.CHECKING)
    if row is None:
        return False
    with _Work(row) as beat:
        table, checked = _read(row, beat)
        plan = _compared(row, table, checked)
        beat(95)
        row.summary = {
            "format": table.format,
            "encoding": table.encoding,
            **_counts(checked, plan),
            "seconds": beat.seconds(),
        }
        row.findings = [list(finding) for finding in checked.findings]
        row.changes, row.plan_hash = plan.shown(), plan.content_hash()
        beat.end(State.CHECKED, ["summary", "findings", "changes", "plan_hash"])
    return True


@transaction.atomic
def confirm_import(row: FrameImport, *, by: User | None, sha256: str) -> FrameImport:
    """Let a checked file be applied. Raises PermissionDenied, PolicyDenied (faults, other file, wrong state)."""
    _allow(by)
    found = FrameImport.objects.select_for_update().get(pk=row.pk)
    if found.state == State.APPLIED and found.sha256 == sha256:
        return found
    if found.state != State.CHECKED:
        raise PolicyDenied(_("Only a checked file can be applied."))
    if found.summary["faults"]:
        raise PolicyDenied(_("The file has faults. Correct them and upload it again; nothing was changed."))
    if found.sha256 != sha256 or hashlib.sha256(bytes(found.content)).hexdigest() != sha256:
        raise PolicyDenied(_("This is not the file that was checked."))
    found.state, found.applied_by, found.percent, found.heartbeat_at = State.CONFIRMED, by, 0, timezone.now()
    found.save(update_fields=["state", "applied_by", "percent", "heartbeat_at"])
    audit.record(by=by, action="frame_confirmed", subject=found, sha256=sha256)
    return found


def apply_import(pk: int) -> bool:
    """Apply a confirmed file in one transaction; running it again changes nothing."""
    row = _claim(pk, State.CONFIRMED, State.APPLYING)
    if row is None:
        return False
    with _Work(row) as beat:
        table, checked = _read(row, beat)
        with transaction.atomic():
            lock_frame()
            plan = _compared(row, table, checked)
            if plan.content_hash() != row.plan_hash:
                raise FileRefusedError("frame_changed")
            load = load_units if row.kind == FrameImport.Kind.UNITS else load_counts
            load(plan, row)
            row.applied_at = timezone.now()
            beat.end(State.APPLIED, ["applied_at"])
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
    return True


@transaction.atomic
def cancel_import(row: FrameImport, *, by: User | None) -> FrameImport:
    """Stop an import: at once while it waits, at its next step while it works. Nothing was changed then."""
    _allow(by)
    found = FrameImport.objects.select_for_update().get(pk=row.pk)
    if found.state in WORKING:
        found.cancel_requested = True
    elif found.state in (*WAITING, State.CHECKED):
        found.state = State.CANCELLED
    else:
        raise PolicyDenied(_("This import is over and cannot be cancelled."))
    found.save(update_fields=["state", "cancel_requested"])
    audit.record(by=by, action="frame_cancelled", subject=found, sha256=found.sha256)
    return found


def waiting_imports() -> list[tuple[int, str]]:
    """Fail the imports whose worker went silent; (key, state) of those whose message may have been lost."""
    now = timezone.now()
    FrameImport.objects.filter(state__in=WORKING, heartbeat_at__lt=now - LOST_AFTER).update(
        state=State.FAILED, error={"code": "lost"}
    )
    old = FrameImport.objects.filter(state__in=WAITING, heartbeat_at__lt=now - RESEND_AFTER)
    return list(old.values_list("pk", "state"))


def _claim(pk: int, expected: str, working: str) -> FrameImport | None:
    claimed = FrameImport.objects.filter(pk=pk, state=expected).update(
        state=working, heartbeat_at=timezone.now(), percent=0
    )
    return FrameImport.objects.get(pk=pk) if claimed else None


def _read(row: FrameImport, beat: "_Work") -> tuple[Table, Checked]:
    """Read and check the file as it was uploaded."""
    table = read_table(bytes(row.content))
    beat(2)
    # How many rows there are is known at the end only: half way at 50,000, never full.
    checked = check_table(row.kind, table, lambda rows: beat(int(2 + 80 * rows / (rows + 50_000))))
    beat(85)
    return table, checked


def _compared(row: FrameImport, table: Table, checked: Checked) -> Plan:
    """What the good rows would change in the frame as it is now."""
    if row.kind == FrameImport.Kind.COUNTS:
        return compare_counts(good(checked.rows), known_counts(), complete=row.complete)
    places = places_of(row.kind, table.header)[0]
    given = frozenset(places) | ({"section"} if "industry" in places else frozenset())
    return compare_units(good(checked.rows), known_units(), complete=row.complete, given=given)


def _counts(checked: Checked, plan: Plan) -> dict[str, Any]:
    return {
        "rows": checked.read,
        "good": len(checked.rows),
        "faults": checked.faults,
        "faulty_rows": checked.faulty_rows,
        "normalised": checked.normalised,
        "ignored": checked.ignored,
        "new": len(plan.new),
        "changed": len(plan.changed),
        "back": len(plan.back),
        "unchanged": plan.unchanged,
        "missing": len(plan.missing),
        "fields": plan.fields(),
        "sum": sum(getattr(row, "units", 0) for _line, row in checked.rows),
    }


class _Work:
    """Heartbeat, progress and cancel of one import; what goes wrong becomes a state with a sentence."""

    def __init__(self, row: FrameImport) -> None:
        self.row, self.begun, self.told = row, time.perf_counter(), 0.0
        self.mine = FrameImport.objects.filter(pk=row.pk, state=row.state)

    def __enter__(self) -> "_Work":
        return self

    def __call__(self, percent: int) -> None:
        """One beat. Raises when somebody has cancelled, or another has taken the import."""
        if not self.mine.filter(cancel_requested=False).exists():
            raise _CancelledError
        self.mine.update(percent=percent, heartbeat_at=timezone.now())

    def seconds(self) -> float:
        """Since the start."""
        return round(time.perf_counter() - self.begun, 2)

    def end(self, state: str, fields: list[str]) -> None:
        """Store the result under its state."""
        self(99)
        self.row.state, self.row.percent = state, 100
        self.row.save(update_fields=["state", "percent", *fields])

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if error is None or isinstance(error, DatabaseError) or not isinstance(error, Exception):
            return False
        if isinstance(error, _CancelledError):
            self.mine.update(state=State.CANCELLED)
        elif isinstance(error, FileRefusedError):
            self.mine.update(state=State.FAILED, error={"code": error.code, "parameters": error.parameters})
        else:
            logger.exception("import %s stopped", self.row.pk, exc_info=error)
            self.mine.update(state=State.FAILED, error={"code": "crashed"})
        return True
