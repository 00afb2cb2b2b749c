"""Remarks of the respondent at single items, for the reviewer."""

from collections.abc import Mapping

from django.db import transaction

from survey import clock
from survey.access.models import User
from survey.submissions.lifecycle.policies import Request
from survey.submissions.lifecycle.states import Action
from survey.submissions.lifecycle.transitions import authorise, locked
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
        if text:
            ItemNote.objects.update_or_create(
                submission=row, item=item, by=by, defaults={"text": text, "at": clock.present()}
            )
        else:
            ItemNote.objects.filter(submission=row, item=item, by=by).delete()
        old = by_item[item].text if item in by_item else None
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
        count += 1
    return count
