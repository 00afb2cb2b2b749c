"""The field operation: rounds open and close, units are asked, dispositions and extensions are recorded."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey import audit
from survey.access.roles import Permission
from survey.access.scope import may
from survey.collection.models import Assignment, CollectionRound, Disposition
from survey.exceptions import PolicyDenied
from survey.frame.models import ReportingUnit
from survey.questionnaires.models import QuestionnaireVersion

SHORTEST_REASON = 5
# These take a unit out of what the response rate is counted over.
NEEDS_EVIDENCE = frozenset({Disposition.CLOSED, Disposition.OUT_OF_SCOPE, Disposition.DUPLICATE})


@transaction.atomic
def open_round(round_: CollectionRound, *, by: Any | None) -> CollectionRound:
    """From now on (or from its opening date) answers are taken. Raises PermissionDenied, PolicyDenied."""
    return _set_state(round_, CollectionRound.State.OPEN, CollectionRound.State.PLANNED, by)


@transaction.atomic
def close_round(round_: CollectionRound, *, by: Any | None) -> CollectionRound:
    """No answer changes any more. Raises PermissionDenied, PolicyDenied."""
    return _set_state(round_, CollectionRound.State.CLOSED, CollectionRound.State.OPEN, by)


def _set_state(round_: CollectionRound, target: str, expected: str, by: Any | None) -> CollectionRound:
    if by is not None and not may(by, Permission.DESIGN):
        raise PermissionDenied
    row = CollectionRound.objects.select_for_update().get(pk=round_.pk)
    if row.state != expected:
        raise PolicyDenied(_("The round is not in a state that allows this."))
    row.state = target
    row.save(update_fields=["state"])
    audit.record(by=by, action=f"round_{target}", subject=row, year=row.year)
    return row


@transaction.atomic
def assign(unit: ReportingUnit, round_: CollectionRound, *, by: Any | None) -> Assignment:
    """Ask a unit in a round with the latest version of its questionnaire. Safe to repeat.

    The empty sheet is made by the caller's room (submissions); this only says who is asked with what.
    Raises PermissionDenied, PolicyDenied (no questionnaire is published for the category).
    """
    if by is not None and not may(by, Permission.DESIGN):
        raise PermissionDenied
    version = QuestionnaireVersion.objects.filter(category=unit.category, year=round_.year).order_by(
        "-number"
    )
    latest = version.defer("document").first()
    if latest is None:
        raise PolicyDenied(_("No questionnaire is published for this category and year."))
    return Assignment.objects.get_or_create(unit=unit, round=round_, defaults={"version": latest})[0]


@transaction.atomic
def record_disposition(
    assignment: Assignment, *, by: Any, disposition: str, reason: str, evidence: str = ""
) -> Assignment:
    """Say what became of asking a unit; a unit leaves the survey only with evidence.

    Raises PermissionDenied, PolicyDenied.
    """
    row = _locked(assignment, by)
    if disposition not in Disposition.values:
        raise PolicyDenied(_("Choose a disposition from the list."))
    shown = " ".join(evidence.split())[:300]
    if disposition in NEEDS_EVIDENCE and len(shown) < SHORTEST_REASON:
        raise PolicyDenied(_("Name the evidence: which document says so, and where it is kept."))
    old, row.disposition = row.disposition, disposition
    row.disposition_evidence = shown
    row.disposition_reason = _reason(reason)
    row.disposition_by, row.disposition_at = by, timezone.now()
    row.save(
        update_fields=[
            "disposition",
            "disposition_reason",
            "disposition_evidence",
            "disposition_by",
            "disposition_at",
        ]
    )
    _record(row, by, "disposition", old=old, new=disposition, reason=row.disposition_reason, evidence=shown)
    return row


@transaction.atomic
def extend(assignment: Assignment, *, by: Any, until: datetime, reason: str) -> Assignment:
    """Give a unit more time. Raises PermissionDenied, PolicyDenied."""
    row = _locked(assignment, by)
    if row.round.state != CollectionRound.State.OPEN:
        raise PolicyDenied(_("The round is closed."))
    if until <= max(timezone.now(), row.round.due_at):
        raise PolicyDenied(_("The new date must lie after the general deadline and in the future."))
    old, row.extended_until = row.extended_until, until
    row.extension_reason, row.extended_by = _reason(reason), by
    row.save(update_fields=["extended_until", "extension_reason", "extended_by"])
    _record(
        row, by, "extension", reason=row.extension_reason,
        old=old.isoformat() if old else None, new=until.isoformat(),
    )  # fmt: skip
    return row


def _locked(assignment: Assignment, by: Any) -> Assignment:
    row = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("unit__review_region", "round")
        .get(pk=assignment.pk)
    )
    if not may(by, Permission.MANAGE_UNITS, row):
        raise PermissionDenied
    return row


def _reason(text: str) -> str:
    cleaned = " ".join(text.split())[:300]
    if len(cleaned) < SHORTEST_REASON:
        raise PolicyDenied(_("Give a reason of at least %(count)s characters.") % {"count": SHORTEST_REASON})
    return cleaned


def _record(row: Assignment, by: Any, what: str, **details: Any) -> None:
    audit.record(
        by=by, action=f"assignment_{what}", subject=row, region_path=row.unit.review_region.path,
        unit=row.unit.uscc, year=row.round.year, **details,
    )  # fmt: skip
