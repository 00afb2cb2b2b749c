"""Queries of managed units, and the contact log of a unit: notes and reminders in one list."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet

from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import Assignment
from survey.collection.selectors import assignments_of, contact_notes_of
from survey.fieldwork.models import Reminder

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the contact log, with its ``note`` or its ``reminder``."""

    at: datetime
    note: Any = None
    reminder: Reminder | None = None


@dataclass(frozen=True, slots=True)
class ContactLog:
    """Entries, newest first, and the day of the follow-up if there is one."""

    entries: list[Entry]
    follow_up_on: date | None


def log_of(user: User, assignment: Assignment) -> ContactLog:
    """The contact log of an assignment in the user's scope."""
    notes = list(contact_notes_of(user, assignment))
    reminders = (
        Reminder.objects.visible_to(user, Permission.MANAGE_UNITS)
        .filter(submission__assignment=assignment)
        .exclude(decided_at=None)
        .select_related("batch__by")
    )
    entries = [Entry(note.at, note=note) for note in notes]
    entries += [
        Entry(reminder.decided_at, reminder=reminder) for reminder in reminders if reminder.decided_at
    ]
    latest = max(notes, key=lambda note: (note.recorded_at, note.pk), default=None)
    return ContactLog(
        sorted(entries, key=lambda entry: entry.at, reverse=True), latest.follow_up_on if latest else None
    )


def units_of(user: User) -> "QuerySet[Assignment]":
    """Assignments that this user manages, each with its sheet but without the answers."""
    return (
        assignments_of(user)
        .select_related("submission")
        .defer("submission__answers", "submission__item_revisions")
    )


def search_units(
    user: User, *, year: int, query: str, category: str, state: str, disposition: str
) -> "QuerySet[Assignment]":
    """Assignments of a round, filtered; ordered by credit code so that pages stay stable."""
    rows = units_of(user).filter(round__year=year)
    if query:
        rows = rows.filter(Q(unit__uscc__istartswith=query) | Q(unit__name__icontains=query))
    if category:
        rows = rows.filter(unit__category=category)
    if state:
        rows = rows.filter(submission__state=state)
    if disposition:
        rows = rows.filter(disposition=disposition)
    return rows.order_by("unit__uscc")
