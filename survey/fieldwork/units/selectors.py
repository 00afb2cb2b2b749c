"""What has been tried with a unit in a round: notes of its desk and reminders of the system, as one list."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import Assignment
from survey.collection.selectors import contact_notes_of
from survey.fieldwork.models import Reminder


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log; ``note`` or ``reminder`` is the row that it tells of."""

    at: datetime
    note: Any = None
    reminder: Reminder | None = None


@dataclass(frozen=True, slots=True)
class ContactLog:
    """Entries, newest first, and the day on which the unit is to be asked again if one stands."""

    entries: list[Entry]
    follow_up_on: date | None


def log_of(user: User, assignment: Assignment) -> ContactLog:
    """The log of one assignment as far as this person may read it."""
    notes = list(contact_notes_of(user, assignment))
    reminders = (
        Reminder.objects.visible_to(user, Permission.MANAGE_UNITS)
        .filter(submission__assignment=assignment)
        .exclude(decided_at=None)
        .select_related("batch__by")
    )
    entries = [Entry(note.at, note=note) for note in notes]
    entries += [Entry(one.decided_at, reminder=one) for one in reminders if one.decided_at]
    latest = max(notes, key=lambda note: (note.recorded_at, note.pk), default=None)
    return ContactLog(
        sorted(entries, key=lambda entry: entry.at, reverse=True), latest.follow_up_on if latest else None
    )
