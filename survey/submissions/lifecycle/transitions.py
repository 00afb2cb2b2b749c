"""The only module that changes the state of a sheet.

``transition`` locks the row, looks up the transition table, checks permission and policies, and writes state,
event and audit entry together.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.monitoring.metrics import count_actions
from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import Level, may
from survey.classification import NATIONAL_CATEGORIES
from survey.exceptions import PolicyDenied, Shown, StaleRevision
from survey.questionnaires.routing import prefilled_cells
from survey.questionnaires.selectors import definition_for
from survey.submissions.lifecycle.filing.services import freeze
from survey.submissions.lifecycle.policies import BY_REQUEST, POLICIES, Request
from survey.submissions.lifecycle.states import TRANSITIONS, Action, Owner, State, Transition
from survey.submissions.models import Submission, SubmissionEvent
from survey.submissions.paradata.services import time_sections
from survey.submissions.selectors import SHEET_RELATIONS, sheet_of, unit_context

NO_SUCH_MOVE = _("This is not possible in the present state of the sheet.")


@transaction.atomic
def transition(
    submission: Submission,
    action: Action,
    *,
    by: User | None,
    reason: str = "",
    reason_code: str = "",
    due_at: datetime | None = None,
    shown_revision: int | None = None,
    channel: str = "page",
) -> Submission:
    """Apply an action. ``by`` None is the system itself (a periodic job, the rehearsal) and needs no permission.

    Returns the locked and saved row. Raises PermissionDenied when the person may not, PolicyDenied with a
    sentence when the sheet does not allow it, StaleRevision when it was changed after it was shown.
    """
    row = locked(submission)
    request = Request(by, action, reason, reason_code, due_at, shown_revision)
    authorise(row, request)
    return move(row, request, channel=channel)


def locked(submission: Submission) -> Submission:
    """The current row, locked until the transaction ends, with the relations that the rules need."""
    return (
        Submission.objects.select_for_update(of=("self",))
        .select_related(*SHEET_RELATIONS)
        .defer("assignment__version__document")
        .get(pk=submission.pk)
    )


def authorise(row: Submission, request: Request) -> Transition:
    """The transition of the table. Raises PermissionDenied, PolicyDenied, StaleRevision."""
    entry = TRANSITIONS.get((State(row.state), request.action))
    if request.by is not None and not _allowed(row, request.action, entry, request.by):
        raise PermissionDenied
    if entry is None:
        raise PolicyDenied(NO_SUCH_MOVE)
    for name in entry.policies:
        sentence = POLICIES[name](row, request)
        if sentence and name == "revision_shown":
            raise StaleRevision(sentence)
        if sentence:
            raise PolicyDenied(sentence)
    return entry


def _allowed(row: Submission, action: Action, entry: Transition | None, by: User) -> bool:
    if entry is not None:
        return reaches(row, Permission(entry.permission), entry.level, by)
    # Not legal in this state: an actor who may do it in another state gets the reason, others a permission error.
    moves = [move for (_, other), move in TRANSITIONS.items() if other is action]
    return any(reaches(row, Permission(move.permission), move.level, by) for move in moves)


_LEVELS = {Owner.RESPONDENT: Level.UNIT, Owner.NATION: Level.NATION}


def reaches(row: Submission, permission: Permission, level: Owner, by: User) -> bool:
    """Whether a grant of ``by`` includes the permission for this sheet at the level of the owner."""
    return may(by, permission, row, _LEVELS.get(level, Level.REGION))


def move(row: Submission, request: Request, *, channel: str = "page", commit: bool = True) -> Submission:
    """Apply an authorised transition to a locked row: effects, state, event and audit entry.

    ``commit`` False leaves the row unsaved: autosave writes answers and state in a single UPDATE of its own.
    """
    entry = TRANSITIONS[(State(row.state), request.action)]
    before = State(row.state)
    EFFECTS.get(request.action, _nothing)(row, request)
    row.state = entry.target
    row.updated_at = clock.present()
    if entry.target is not before or request.action is not Action.SAVE:
        _trace(row, request, before, channel)
    transaction.on_commit(partial(count_actions, request.action.value), robust=True)
    if commit:
        row.save()
    if entry.target in {State.SUBMITTED, State.NATIONAL_REVIEW} and request.action in _FILING:
        freeze(row, by=request.by)
        time_sections(row, sheet_of(row))
    return row


def _trace(row: Submission, request: Request, before: State, channel: str) -> None:
    why = request.reason or request.reason_code
    SubmissionEvent.objects.create(
        submission=row,
        actor=request.by,
        kind=SubmissionEvent.Kind.STATE,
        action=request.action,
        old=before,
        new=row.state,
        revision=row.revision,
        reason=why,
        channel=channel,
        at=row.updated_at,
    )
    audit.record(
        by=request.by,
        action=f"sheet_{request.action}",
        subject=row,
        channel=channel,
        region_path=row.unit.review_region.path,
        old=before,
        new=row.state,
        reason=why,
        unit=row.unit.uscc,
        year=row.round.year,
        revision=row.revision,
    )


def submit_action(submission: Submission) -> Action:
    """The submit action of the unit's category."""
    return Action.SUBMIT_NATIONAL if submission.unit.category in NATIONAL_CATEGORIES else Action.SUBMIT


def can(submission: Submission, action: Action, by: User) -> bool:
    """Whether the action is possible; policies about request data (a reason, a date) are not checked."""
    return not refusals(submission, action, by)


def refusals(submission: Submission, action: Action, by: User | None) -> list[Shown]:
    """Why an action is not possible: one message per obstacle, empty when it is possible."""
    entry = TRANSITIONS.get((State(submission.state), action))
    if entry is None:
        return [NO_SUCH_MOVE]
    if by is not None and not reaches(submission, Permission(entry.permission), entry.level, by):
        return [_("You may not do this with this sheet.")]
    request = Request(by, action)
    sentences = [POLICIES[name](submission, request) for name in entry.policies if name not in BY_REQUEST]
    return [sentence for sentence in sentences if sentence]


# Effects: what a transition changes besides the state -----------------------------------------------------------
_FILING = frozenset({Action.SUBMIT, Action.SUBMIT_NATIONAL})


def _nothing(row: Submission, request: Request) -> None:
    """Most transitions change nothing else."""


def _start(row: Submission, request: Request) -> None:
    """The first save of a sheet writes the prefilled cells."""
    if row.state != State.NOT_STARTED:
        return
    cells = prefilled_cells(definition_for(row.assignment.version), unit_context(row.unit, row.round))
    new = {code: cell for code, cell in cells.items() if code not in row.answers}
    row.answers = {**new, **row.answers}
    SubmissionEvent.objects.bulk_create(
        SubmissionEvent(
            submission=row,
            actor=None,
            kind=SubmissionEvent.Kind.VALUE,
            action="prefill",
            item=code,
            new=cell,
            revision=row.revision,
            channel="register",
        )
        for code, cell in new.items()
    )


def _file(row: Submission, request: Request) -> None:
    row.filed_at = clock.present()
    row.review_started_at = row.decided_at = row.return_due_at = None
    row.return_reason = ""
    row.hard_count = row.unexplained_count = 0


def _return_to_unit(row: Submission, request: Request) -> None:
    row.return_reason, row.return_due_at = request.reason, request.due_at
    row.decided_at = clock.present()


def _decide(row: Submission, request: Request) -> None:
    row.decided_at = clock.present()
    row.review_started_at = row.review_started_at or row.decided_at


def _exempt(row: Submission, request: Request) -> None:
    row.exempt_reason = request.reason_code


def _unexempt(row: Submission, request: Request) -> None:
    row.exempt_reason = ""


def _invalidate(row: Submission, request: Request) -> None:
    row.invalid_reason = request.reason_code
    row.decided_at = clock.present()


def _reinstate(row: Submission, request: Request) -> None:
    row.invalid_reason = ""
    row.decided_at = None


def _undo(row: Submission, request: Request) -> None:
    row.decided_at = None


EFFECTS: dict[Action, Callable[[Submission, Request], None]] = {
    Action.SAVE: _start,
    Action.SUBMIT: _file,
    Action.SUBMIT_NATIONAL: _file,
    Action.RETURN: _return_to_unit,
    Action.REOPEN: _return_to_unit,
    Action.ACCEPT: _decide,
    Action.ACCEPT_FINALLY: _decide,
    Action.EXEMPT: _exempt,
    Action.UNEXEMPT: _unexempt,
    Action.INVALIDATE: _invalidate,
    Action.REINSTATE: _reinstate,
    Action.UNDO_ACCEPT: _undo,
}
