"""Changes of rounds and assignments: opening, closing, assigning, dispositions, contacts, extensions."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey import audit, clock, locks
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.collection.hooks import has_evidence
from survey.collection.messages import HAS_BEGUN, NOT_PUBLISHED
from survey.collection.models import Assignment, CollectionRound, ContactNote, Disposition
from survey.exceptions import PolicyDenied
from survey.frame.models import ReportingUnit, UnitContact
from survey.questionnaires.loader import load_all
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.services import publish_questionnaire

SHORTEST_REASON = 5
OLDEST_CONTACT = timedelta(days=3653)  # ten years: an earlier date is a slip of the pen
# These remove a unit from the denominator of the response rate.
NEEDS_EVIDENCE = frozenset({Disposition.CLOSED, Disposition.OUT_OF_SCOPE, Disposition.DUPLICATE})


@transaction.atomic
def open_round(round_: CollectionRound, *, by: User | None) -> CollectionRound:
    """Accept answers from now on (or from the opening date). Raises PermissionDenied, PolicyDenied."""
    return _set_state(round_, CollectionRound.State.OPEN, CollectionRound.State.PLANNED, by)


@transaction.atomic
def close_round(round_: CollectionRound, *, by: User | None) -> CollectionRound:
    """End all changes of answers. Raises PermissionDenied, PolicyDenied."""
    return _set_state(round_, CollectionRound.State.CLOSED, CollectionRound.State.OPEN, by)


def _set_state(round_: CollectionRound, target: str, expected: str, by: User | None) -> CollectionRound:
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
def assign(unit: ReportingUnit, round_: CollectionRound, *, by: User | None) -> Assignment:
    """Assign a unit to a round with the latest version of its questionnaire. Idempotent.

    The caller (``submissions``) creates the empty sheet.
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
def assign_units(units: Sequence[int], round_: CollectionRound, *, by: User | None, source: str) -> int:
    """Assign units to a planned round, each with the latest version of its questionnaire. Returns how many were new.

    Idempotent. The caller creates the empty sheets, as for ``assign``.
    Raises PermissionDenied, PolicyDenied (the round has begun; a category has no questionnaire).
    """
    if by is not None and not may(by, Permission.DESIGN_SAMPLE):
        raise PermissionDenied
    row = CollectionRound.objects.select_for_update().get(pk=round_.pk)
    if row.state != CollectionRound.State.PLANNED:
        raise PolicyDenied(HAS_BEGUN())
    categories = dict(ReportingUnit.objects.filter(pk__in=units).values_list("pk", "category"))
    versions: dict[str, int] = {}
    for version in QuestionnaireVersion.objects.filter(year=row.year).order_by("number").defer("document"):
        versions[version.category] = version.pk
    missing = sorted(set(categories.values()) - versions.keys())
    if missing:
        raise PolicyDenied(NOT_PUBLISHED(year=row.year, categories=missing))
    before = Assignment.objects.filter(round=row).count()
    Assignment.objects.bulk_create(
        [Assignment(unit_id=unit, round=row, version_id=versions[categories[unit]]) for unit in units],
        batch_size=5_000,
        ignore_conflicts=True,
    )
    added = Assignment.objects.filter(round=row).count() - before
    if added:
        audit.record(by=by, action="units_assigned", subject=row, year=row.year, source=source, units=added)
    return added


@transaction.atomic
def plan_round(
    *, by: User, year: int, reference_date: date, opens_at: datetime, due_at: datetime, closes_at: datetime
) -> CollectionRound:
    """Create a round with its calendar and publish the questionnaires of the program for its year.

    Raises PermissionDenied, PolicyDenied (the year is taken, the calendar is out of order), DefinitionError.
    """
    if not may(by, Permission.DESIGN):
        raise PermissionDenied
    locks.hold(f"round of {year}")
    if CollectionRound.objects.filter(year=year).exists():
        raise PolicyDenied(_("There is a round of %(year)s already.") % {"year": year})
    if not opens_at < due_at <= closes_at:
        raise PolicyDenied(_("Opening, deadline and closing must follow one another."))
    row = CollectionRound.objects.create(
        year=year,
        reference_date=reference_date,
        opens_at=opens_at,
        due_at=due_at,
        closes_at=closes_at,
        is_synthetic=settings.SYNTHETIC_BANNER,
    )
    published = set(QuestionnaireVersion.objects.filter(year=year).values_list("category", flat=True))
    for questionnaire in load_all().values():
        if questionnaire.category not in published:
            publish_questionnaire(questionnaire, year=year, by=by)
    audit.record(by=by, action="round_planned", subject=row, year=year)
    return row


@transaction.atomic
def record_disposition(
    assignment: Assignment, *, by: User, disposition: str, reason: str, evidence: str = ""
) -> Assignment:
    """Record the disposition of a unit; those that remove it from the survey require evidence.

    Raises PermissionDenied, PolicyDenied.
    """
    row = _locked(assignment, by)
    if disposition not in Disposition.values:
        raise PolicyDenied(_("Choose a disposition from the list."))
    document = " ".join(evidence.split())[:300]
    if disposition in NEEDS_EVIDENCE and len(document) < SHORTEST_REASON and not has_evidence(row):
        raise PolicyDenied(_("Evidence is needed: attach the document, or name it and say where it is kept."))
    old, row.disposition = row.disposition, disposition
    row.disposition_evidence = document
    row.disposition_reason = _reason(reason)
    row.disposition_by, row.disposition_at = by, clock.present()
    row.save(
        update_fields=[
            "disposition",
            "disposition_reason",
            "disposition_evidence",
            "disposition_by",
            "disposition_at",
        ]
    )
    _record(
        row, by, "disposition", old=old, new=disposition, reason=row.disposition_reason, evidence=document
    )
    return row


@transaction.atomic
def record_contact(
    assignment: Assignment,
    *,
    by: User,
    channel: str,
    outcome: str,
    direction: str = ContactNote.Direction.OUT,
    role: str = "",
    text: str = "",
    at: datetime | None = None,
    follow_up_on: date | None = None,
    via: str = "page",
) -> ContactNote:
    """Record a contact; it replaces the follow-up of earlier contacts.

    The audit row has channel and outcome, never the text. Raises PermissionDenied, PolicyDenied.
    """
    row = _locked(assignment, by)
    now = clock.present()
    text = " ".join(text.split())[:500]
    if channel not in ContactNote.Channel.values or direction not in ContactNote.Direction.values:
        raise PolicyDenied(_("Choose how the unit was reached, and who asked whom."))
    if outcome not in ContactNote.Outcome.values or role not in {"", *UnitContact.Role.values}:
        raise PolicyDenied(_("Choose the outcome from the list."))
    if outcome == ContactNote.Outcome.OTHER and len(text) < SHORTEST_REASON:
        raise PolicyDenied(_("Say in the note what came of it."))
    if at is not None and at > now:
        raise PolicyDenied(_("The contact cannot lie in the future."))
    if at is not None and at < now - OLDEST_CONTACT:
        raise PolicyDenied(_("The contact lies more than ten years back."))
    if follow_up_on is not None and follow_up_on < timezone.localdate():
        raise PolicyDenied(_("The day to ask again must not lie in the past."))
    note = ContactNote.objects.create(
        assignment=row,
        by=by,
        at=at or now,
        channel=channel,
        direction=direction,
        role=role,
        outcome=outcome,
        text=text,
        follow_up_on=follow_up_on,
        recorded_at=now,
    )
    _record(
        row,
        by,
        "contact",
        channel=channel,
        direction=direction,
        outcome=outcome,
        via=via,
        follow_up=follow_up_on.isoformat() if follow_up_on else None,
    )
    return note


@transaction.atomic
def extend(assignment: Assignment, *, by: User, until: datetime, reason: str) -> Assignment:
    """Extend the deadline of a unit. Raises PermissionDenied, PolicyDenied."""
    row = _locked(assignment, by)
    if row.round.state != CollectionRound.State.OPEN:
        raise PolicyDenied(_("The round is closed."))
    if until <= max(clock.present(), row.round.due_at):
        raise PolicyDenied(_("The new date must lie after the general deadline and in the future."))
    old, row.extended_until = row.extended_until, until
    row.extension_reason, row.extended_by = _reason(reason), by
    row.save(update_fields=["extended_until", "extension_reason", "extended_by"])
    _record(
        row,
        by,
        "extension",
        reason=row.extension_reason,
        old=old.isoformat() if old else None,
        new=until.isoformat(),
    )
    return row


def _locked(assignment: Assignment, by: User) -> Assignment:
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


def _record(row: Assignment, by: User, what: str, **details: Any) -> None:
    audit.record(
        by=by,
        action=f"assignment_{what}",
        subject=row,
        region_path=row.unit.review_region.path,
        unit=row.unit.uscc,
        year=row.round.year,
        **details,
    )
