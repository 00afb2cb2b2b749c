"""The only module that changes the state of a release: it locks the row, checks permission and policies, writes the audit."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from estimation.releases.messages import NO_SUCH_MOVE
from estimation.releases.models import Release
from estimation.releases.policies import POLICIES, Request
from estimation.releases.states import TRANSITIONS, Action, State, Transition, legal_actions
from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.sentences import Sentence

# What a transition writes. The content, a million characters of JSON, is neither read nor written for one, but by the
# policies that compare it with its hash.
CHANGED = (
    "state",
    "reason",
    "validated_by",
    "validated_at",
    "embargo_until",
    "published_by",
    "published_at",
)


@transaction.atomic
def transition(
    release: Release, action: Action, *, by: User | None, reason: str = "", embargo: datetime | None = None
) -> Release:
    """Apply a transition to a release. ``by`` None is the system: the scheduler at the end of an embargo, a rehearsal.

    Raises PermissionDenied when the person may not, PolicyDenied with a message when the release does not allow it.
    """
    row = _locked(release.pk)
    request = Request(by, action, reason.strip(), embargo)
    return move(row, request, authorise(row, request))


def _locked(key: int) -> Release:
    """The release, locked until the end of the transaction."""
    rows = Release.objects.select_for_update(of=("self",)).select_related("run", "round")
    return rows.defer("content", "run__summary").get(pk=key)


def authorise(row: Release, request: Request) -> Transition:
    """The legal transition, or the refusal as an exception."""
    if request.by is not None and not may(request.by, Permission.PUBLISH):
        raise PermissionDenied
    transition = TRANSITIONS.get((State(row.state), request.action))
    if transition is None or (transition.system and request.by is not None):
        raise PolicyDenied(NO_SUCH_MOVE())
    for name in transition.policies:
        sentence = POLICIES[name](row, request)
        if sentence:
            raise PolicyDenied(sentence)
    return transition


def refusals(row: Release, by: User) -> dict[Action, Sentence | None]:
    """Actions of a user on a release, each with its refusal; None where only fields of the form are missing."""
    form_fields = {"reason_given", "embargo_ahead"}
    actions: dict[Action, Sentence | None] = {}
    if not may(by, Permission.PUBLISH):
        return actions
    for action in legal_actions(State(row.state)):
        request = Request(by, action)
        names = (name for name in TRANSITIONS[State(row.state), action].policies if name not in form_fields)
        actions[action] = next(
            (sentence for name in names if (sentence := POLICIES[name](row, request))), None
        )
    return actions


def move(row: Release, request: Request, transition: Transition) -> Release:
    """Write an authorised transition on a locked row: user, time, state, audit, and its consequences."""
    before, now = row.state, clock.present()
    row.state = transition.target.value
    if request.reason:
        row.reason = request.reason
    if request.action is Action.VALIDATE:
        row.validated_by, row.validated_at = request.by, now
    elif request.action is Action.RETURN:
        row.validated_by, row.validated_at = None, None
    elif request.action is Action.SCHEDULE:
        row.embargo_until, row.published_by = request.embargo, request.by
    elif request.action is Action.UNSCHEDULE:
        row.embargo_until, row.published_by = None, None
    elif request.action is Action.PUBLISH:
        row.published_at = now
        row.published_by = request.by or row.published_by
    row.save(update_fields=CHANGED)
    audit.record(
        by=request.by,
        action=f"release_{request.action}",
        subject=row,
        round=row.round.year,
        number=row.number,
        old=before,
        new=row.state,
        reason=request.reason,
        content_hash=row.content_hash,
    )
    if request.action is Action.PUBLISH and row.replaces_id:
        _retire(row.replaces_id)
    return row


def _retire(replaced: int) -> None:
    """Mark the release that a published correction replaces as corrected."""
    old = _locked(replaced)
    if old.state == Release.State.PUBLISHED:
        request = Request(None, Action.CORRECT)
        move(old, request, authorise(old, request))


def due() -> list[int]:
    """Scheduled releases whose embargo is over."""
    waiting = Release.objects.filter(state=Release.State.SCHEDULED, embargo_until__lte=clock.present())
    return list(waiting.values_list("pk", flat=True))
