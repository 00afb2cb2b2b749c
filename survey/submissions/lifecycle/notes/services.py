"""Remarks of the respondent at single items, for the reviewer."""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from survey import clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.submissions.lifecycle.policies import Request
from survey.submissions.lifecycle.states import Action, Owner
from survey.submissions.lifecycle.transitions import authorise, locked, reaches
from survey.submissions.models import ItemNote, Submission, SubmissionEvent
from survey.submissions.selectors import sheet_of

LONGEST = 500


@transaction.atomic
def note_items(submission: Submission, *, by: User, notes: Mapping[str, str], channel: str = "page") -> int:
    """Store the user's remarks, item -> text; an empty text deletes one. Returns how many changed.

    Raises PermissionDenied, PolicyDenied (the sheet takes no answers). Items that are not on the form are skipped.
    """
    if not notes:
        return 0
    by_item = {note.item: note for note in ItemNote.objects.filter(submission=submission, by=by)}
    texts = {item: " ".join(text.split())[:LONGEST] for item, text in notes.items()}
    changed = {item: text for item, text in texts.items() if text != getattr(by_item.get(item), "text", "")}
    if not changed:
        return 0
    row = locked(submission)
    authorise(row, Request(by, Action.SAVE))
    items = sheet_of(row).definition.items
    count = 0
    for item, text in changed.items():
        if item not in items:
            continue
        _store(row, by, item, text, by_item.get(item), channel)
        count += 1
    return count


@transaction.atomic
def note_leftover(submission: Submission, *, by: User, item: str, text: str, channel: str = "page") -> None:
    """Add a text about an entry that was not sent before the sheet was filed to the user's remark at its item.

    Possible in every state of the sheet. Raises PermissionDenied, PolicyDenied (no text, no such item, too
    long a remark).
    """
    row = locked(submission)
    if not reaches(row, Permission.RESPOND, Owner.RESPONDENT, by):
        raise PermissionDenied
    entry = " ".join(text.split())
    if not entry or item not in sheet_of(row).definition.items:
        raise PolicyDenied(_("There is nothing to send."))
    known = ItemNote.objects.filter(submission=row, item=item, by=by).first()
    whole = f"{known.text} {entry}" if known else entry
    if len(whole) > LONGEST:
        raise PolicyDenied(_("The comment would be too long. Write to your reviewer."))
    _store(row, by, item, whole, known, channel)


def _store(row: Submission, by: User, item: str, text: str, known: ItemNote | None, channel: str) -> None:
    """Write one remark and its event; an empty text deletes it."""
    if text:
        ItemNote.objects.update_or_create(
            submission=row, item=item, by=by, defaults={"text": text, "at": clock.present()}
        )
    else:
        ItemNote.objects.filter(submission=row, item=item, by=by).delete()
    old = known.text if known else None
    SubmissionEvent.objects.create(
        submission=row,
        actor=by,
        kind=SubmissionEvent.Kind.EXPLANATION,
        action="note",
        item=item,
        old={"text": old} if old else None,
        new={"text": text},
        revision=row.revision,
        channel=channel,
    )
