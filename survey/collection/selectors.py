"""Queries of assignments and contact notes."""

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import Assignment, ContactNote


def assignments_of(user: User, permission: Permission = Permission.MANAGE_UNITS) -> "QuerySet[Assignment]":
    """Assignments that this user manages."""
    return Assignment.objects.visible_to(user, permission).select_related(
        "unit__region", "unit__review_region", "round"
    )


def respondents_of(assignment: Assignment) -> "QuerySet[User]":
    """Accounts with a grant for the unit."""
    return User.objects.filter(assignments__unit_id=assignment.unit_id, assignments__ended_at=None).distinct()


def contact_notes_of(user: User, assignment: Assignment) -> "QuerySet[ContactNote]":
    """Contact notes of an assignment that this user may read, newest first."""
    notes = ContactNote.objects.visible_to(user, Permission.MANAGE_UNITS).filter(assignment=assignment)
    return notes.select_related("by", "assignment")


def contacted(assignment: str = "pk") -> Exists:
    """Condition: a contact with the unit is recorded. ``assignment`` is the lookup to the assignment."""
    return Exists(ContactNote.objects.filter(assignment=OuterRef(assignment)))


def follow_up_due(assignment: str = "pk") -> Exists:
    """Condition: the latest contact note has a follow-up that is due."""
    later = ContactNote.objects.filter(
        assignment=OuterRef("assignment"), recorded_at__gt=OuterRef("recorded_at")
    )
    return Exists(
        ContactNote.objects.filter(
            ~Exists(later), assignment=OuterRef(assignment), follow_up_on__lte=timezone.localdate()
        )
    )
