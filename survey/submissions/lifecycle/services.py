"""The public services that change a sheet; callers import them from this module."""

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from survey.access.models import User
from survey.collection.models import Assignment, CollectionRound
from survey.exceptions import PolicyDenied
from survey.jobs.services import enqueue
from survey.submissions.lifecycle.explaining.services import explain, reply
from survey.submissions.lifecycle.notes.services import note_items, note_leftover
from survey.submissions.lifecycle.policies import SIGNATORIES
from survey.submissions.lifecycle.saving.conflicts import Conflict
from survey.submissions.lifecycle.saving.services import SaveResult, autosave, start_sheet
from survey.submissions.lifecycle.signing import services as signing
from survey.submissions.lifecycle.states import Action
from survey.submissions.lifecycle.transitions import can, locked, refusals, submit_action, transition
from survey.submissions.models import Filing, Submission, SubmissionEvent
from survey.submissions.selectors import latest_filing, sheet_of

__all__ = [
    "Action",
    "Conflict",
    "SaveResult",
    "autosave",
    "can",
    "create_sheet",
    "create_sheets",
    "explain",
    "note_items",
    "note_leftover",
    "recall",
    "refusals",
    "reply",
    "start_sheet",
    "submit",
    "submit_action",
    "transition",
]


@transaction.atomic
def submit(
    submission: Submission,
    *,
    by: User,
    signatories: dict[str, str],
    shown_revision: int,
    channel: str = "page",
) -> Filing:
    """Sign and file the revision that was shown. All rules are evaluated again.

    Raises PermissionDenied, PolicyDenied, StaleRevision; then nothing is stored, not even the names.
    """
    row = locked(submission)
    if signing.chain_required():
        signatories = {**signatories, **signing.names(sheet_of(row))}
    names = {name: " ".join(str(signatories.get(name, "")).split())[:60] for name in SIGNATORIES}
    row.signatories = names
    row.save(update_fields=["signatories"])
    filed = transition(row, submit_action(row), by=by, shown_revision=shown_revision, channel=channel)
    SubmissionEvent.objects.create(
        submission=filed,
        actor=by,
        kind=SubmissionEvent.Kind.SIGNATURE,
        action="sign",
        new=names,
        revision=filed.revision,
        channel=channel,
    )
    filing = latest_filing(filed)
    if filing is None:  # the move to a filed state always freezes a filing
        raise PolicyDenied(_("The sheet could not be filed."))
    enqueue("receipt", filing.pk, by=by, arguments={"language": get_language() or "zh-hans"})
    return filing


def recall(submission: Submission, *, by: User, channel: str = "page") -> Submission:
    """Take a filed sheet back before anybody has begun to review it."""
    return transition(submission, Action.RECALL, by=by, channel=channel)


def create_sheet(assignment: Assignment) -> Submission:
    """The empty sheet of a new assignment. Safe to repeat."""
    return Submission.objects.get_or_create(
        assignment=assignment, defaults={"unit_id": assignment.unit_id, "round_id": assignment.round_id}
    )[0]


def create_sheets(round: CollectionRound) -> int:
    """The empty sheets of every assignment of a round that has none. Safe to repeat."""
    bare = Assignment.objects.filter(round=round, submission=None).values_list("pk", "unit_id")
    rows = [Submission(assignment_id=key, unit_id=unit, round=round) for key, unit in bare]
    Submission.objects.bulk_create(rows, batch_size=5_000, ignore_conflicts=True)
    return len(rows)
