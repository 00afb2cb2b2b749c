"""Reads rounds and the units that are asked in them."""

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import Assignment, CollectionRound, ContactNote, Disposition

PAGE_SIZE = 50


def national_counts(round_: CollectionRound) -> dict[str, Any]:
    """Counts of a whole round by disposition, by state and by category, for those who run it."""
    rows = (
        Assignment.objects.filter(round=round_)
        .values("unit__category", "disposition", "submission__state")
        .annotate(count=Count("pk"))
        .order_by("unit__category")
    )
    dispositions: dict[str, int] = dict.fromkeys(Disposition.values, 0)
    states: dict[str, int] = {}
    categories: dict[str, dict[str, int]] = {}
    for row in rows:
        count, state = row["count"], row["submission__state"]
        dispositions[row["disposition"]] += count
        states[state] = states.get(state, 0) + count
        category = categories.setdefault(row["unit__category"], {"asked": 0, "filed": 0, "accepted": 0})
        category["asked"] += count
        category["filed"] += (
            count if state in {"submitted", "national_review", "accepted", "invalidated"} else 0
        )
        category["accepted"] += count if state == "accepted" else 0
    return {
        "total": sum(dispositions.values()),
        "dispositions": dispositions,
        "states": states,
        "categories": categories,
    }


def assignments_of(user: User, permission: Permission = Permission.MANAGE_UNITS) -> "QuerySet[Assignment]":
    """Assignments that this person manages."""
    return (
        Assignment.objects.visible_to(user, permission)
        .select_related("unit__region", "unit__review_region", "round", "submission")
        .defer("submission__answers", "submission__item_revisions")
    )


def search_units(user: User, *, year: int, query: str, category: str, state: str, disposition: str) -> Any:
    """Assignments of a round, filtered; ordered by credit code so that pages stay stable."""
    rows = assignments_of(user).filter(round__year=year)
    if query:
        rows = rows.filter(Q(unit__uscc__istartswith=query) | Q(unit__name__icontains=query))
    if category:
        rows = rows.filter(unit__category=category)
    if state:
        rows = rows.filter(submission__state=state)
    if disposition:
        rows = rows.filter(disposition=disposition)
    return rows.order_by("unit__uscc")


def respondents_of(assignment: Assignment) -> "QuerySet[User]":
    """Accounts that fill for the unit."""
    return User.objects.filter(assignments__unit_id=assignment.unit_id, assignments__ended_at=None).distinct()


def contact_notes_of(user: User, assignment: Assignment) -> "QuerySet[ContactNote]":
    """What this person may read of the contacts with a unit in a round, newest first."""
    notes = ContactNote.objects.visible_to(user, Permission.MANAGE_UNITS).filter(assignment=assignment)
    return notes.select_related("by", "assignment")


def contacted(assignment: str = "pk") -> Exists:
    """Condition: somebody has spoken with the unit. ``assignment`` is the lookup to the assignment."""
    return Exists(ContactNote.objects.filter(assignment=OuterRef(assignment)))


def follow_up_due(assignment: str = "pk") -> Exists:
    """Condition: the latest contact asked for another one, and its day has come."""
    later = ContactNote.objects.filter(
        assignment=OuterRef("assignment"), recorded_at__gt=OuterRef("recorded_at")
    )
    return Exists(
        ContactNote.objects.filter(
            ~Exists(later), assignment=OuterRef(assignment), follow_up_on__lte=timezone.localdate()
        )
    )
