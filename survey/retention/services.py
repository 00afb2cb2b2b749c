"""The nightly sweep: removes what is over its period and under no hold, and stores what it did."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import ForeignObjectRel, Q, QuerySet

from survey import audit, clock, files
from survey.collection.models import Assignment, ContactNote
from survey.fieldwork.models import Reminder, SiteNotice
from survey.frame.models import UnitContact
from survey.jobs.models import Job
from survey.jobs.services import OPEN, Work
from survey.ledgers.removal.services import remove_before
from survey.retention.models import RetentionReport
from survey.retention.selectors import Held, held, limit_of
from survey.submissions.models import Attachment, SectionInvitation, Submission, SubmissionEvent

JOB_KIND = "retention"
type Counts = tuple[int, int]  # removed, kept under a hold
type Sweep = Callable[[datetime, Held], Counts]


def do_sweep(work: Work) -> None:
    """The job of the sweep."""
    report = sweep(progress=lambda done, total: work.progress(done, total))
    with work.store():
        audit.record(
            by=None,
            action="retention_swept",
            subject=report,
            rows=sum(report.removed.values()),
            removed=report.removed,
            held=report.held,
        )


def sweep(
    now: datetime | None = None, progress: Callable[[int, int], None] = lambda done, total: None
) -> RetentionReport:
    """Remove what is over its period; every kind is done for itself."""
    now = now or clock.present()
    removed, kept = {}, {}
    for done, (code, remove) in enumerate(SWEEPS.items(), start=1):
        removed[code], kept[code] = remove(limit_of(code, now), held(code))
        progress(done, len(SWEEPS))
    return RetentionReport.objects.create(at=now, removed=removed, held=kept)


def _rows(due: "QuerySet[Any]", unit: str, holds: Held) -> Counts:
    """Delete rows that are due; ``unit`` leads from a row to its unit."""
    total = due.count()
    if holds.everything:
        return 0, total
    free = due.exclude(**{f"{unit}__in": holds.units}) if holds.units else due
    count = free.count()
    free.delete()
    return count, total - count


def _events(limit: datetime, holds: Held) -> Counts:
    def is_held(_ledger: str, ids: list[int]) -> bool:
        return holds.everything or (
            bool(holds.units)
            and SubmissionEvent.objects.filter(pk__in=ids, submission__unit__in=holds.units).exists()
        )

    return remove_before("answers", limit, reason="events", held=is_held)


def _audit(limit: datetime, holds: Held) -> Counts:
    subjects = {
        "reportingunit": [str(unit) for unit in holds.units],
        "submission": _keys(Submission.objects.filter(unit__in=holds.units)),
        "assignment": _keys(Assignment.objects.filter(unit__in=holds.units)),
    }
    named = Q()
    for kind, keys in subjects.items():
        named |= Q(subject_type=kind, subject_id__in=keys)

    def is_held(_ledger: str, ids: list[int]) -> bool:
        rows = audit.AuditEvent.objects.filter(named, pk__in=ids)
        return holds.everything or (bool(holds.units) and rows.exists())

    return remove_before("audit", limit, reason="audit", held=is_held)


def _keys(rows: "QuerySet[Any]") -> list[str]:
    return [str(key) for key in rows.values_list("pk", flat=True)]


def _contacts(limit: datetime, holds: Held) -> Counts:
    asked = Assignment.objects.filter(round__closes_at__gte=limit).values("unit")
    return _rows(
        UnitContact.objects.filter(unit__left_on__lt=limit.date()).exclude(unit__in=asked), "unit", holds
    )


def _uploaded(limit: datetime, holds: Held) -> Counts:
    """Files of attachments that were removed from their sheet; the row stays and says what there was."""
    due = Attachment.objects.filter(removed_at__lt=limit).exclude(path="")
    total = due.count()
    free = due.none() if holds.everything else due.exclude(submission__unit__in=holds.units)
    count = 0
    for row in free:
        files.delete(files.Store.ATTACHMENTS, row.path)
        Attachment.objects.filter(pk=row.pk).update(path="")
        count += 1
    return count, total - count


def _jobs(limit: datetime, holds: Held) -> Counts:
    """Jobs that ended; the rows for which they worked keep theirs."""
    due = Job.objects.filter(finished_at__lt=limit).exclude(state__in=OPEN)
    for relation in Job._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel):
            name = relation.field.name
            rows = relation.related_model._base_manager.exclude(**{name: None})
            due = due.exclude(pk__in=rows.values(name))
    total = due.count()
    if holds.everything:
        return 0, total
    due.delete()
    return total, 0


SWEEPS: Mapping[str, Sweep] = {
    "events": _events,
    "audit": _audit,
    "contacts": _contacts,
    "contact_notes": lambda limit, holds: _rows(
        ContactNote.objects.filter(at__lt=limit), "assignment__unit", holds
    ),
    "invitations": lambda limit, holds: _rows(
        SectionInvitation.objects.filter(expires_at__lt=limit), "submission__unit", holds
    ),
    "uploaded": _uploaded,
    "jobs": _jobs,
    "notices": lambda limit, holds: _rows(SiteNotice.objects.filter(at__lt=limit), "submission__unit", holds),
    "reminders": lambda limit, holds: _rows(
        Reminder.objects.filter(decided_at__lt=limit), "submission__unit", holds
    ),
}
