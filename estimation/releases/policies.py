"""Conditions of the transitions of a release; each returns a message when it does not hold. Read-only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from estimation.releases.content.content import Content
from estimation.releases.messages import (
    CONTENT_CHANGED,
    EMBARGO_NOT_AHEAD,
    EMBARGO_NOT_OVER,
    FAULTS_OPEN,
    NO_PUBLIC_CORRECTION,
    NOT_A_CORRECTION,
    PREPARED_BY_YOU,
    REASON_TOO_SHORT,
    RECOVERABLE,
    RUN_BY_YOU,
)
from estimation.releases.models import Release
from estimation.releases.states import Action
from survey import clock
from survey.access.models import User
from survey.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Request:
    """The requested action and its user. ``by`` None is the system."""

    by: User | None
    action: Action
    reason: str = ""
    embargo: datetime | None = None


type Policy = Callable[[Release, Request], Sentence | None]


def content_unchanged(row: Release, request: Request) -> Sentence | None:
    """The hash is that of the content."""
    if Content.from_document(row.content).digest() == row.content_hash:
        return None
    return CONTENT_CHANGED()


def no_fault(row: Release, request: Request) -> Sentence | None:
    """Identities hold and passages have no fatal fault."""
    count = len(row.checks.faults)
    if not count:
        return None
    return FAULTS_OPEN(count=count)


def nothing_recoverable(row: Release, request: Request) -> Sentence | None:
    """The audit of disclosure control found no leak."""
    if row.checks.disclosure.leaks == 0:
        return None
    return RECOVERABLE()


def not_who_prepared(row: Release, request: Request) -> Sentence | None:
    """Separation of duties: the person who prepared does not validate."""
    if request.by is None or row.prepared_by_id != request.by.pk:
        return None
    return PREPARED_BY_YOU()


def not_who_ran(row: Release, request: Request) -> Sentence | None:
    """Separation of duties: the person who ran the estimation does not publish it."""
    if request.by is None or row.run.requested_by_id != request.by.pk:
        return None
    return RUN_BY_YOU()


def embargo_ahead(row: Release, request: Request) -> Sentence | None:
    """The time of publication is in the future."""
    if request.embargo is not None and request.embargo > clock.present():
        return None
    return EMBARGO_NOT_AHEAD()


def embargo_over(row: Release, request: Request) -> Sentence | None:
    """The time of publication has passed."""
    if row.embargo_until is not None and row.embargo_until <= clock.present():
        return None
    return EMBARGO_NOT_OVER()


def replaces_what_is_public(row: Release, request: Request) -> Sentence | None:
    """A round has one current release: the next one is its correction."""
    current = Release.objects.filter(round_id=row.round_id, state=Release.State.PUBLISHED).exclude(pk=row.pk)
    if all(key == row.replaces_id for key in current.values_list("pk", flat=True)):
        return None
    return NOT_A_CORRECTION()


def successor_public(row: Release, request: Request) -> Sentence | None:
    """A correction of it is public."""
    successor = Release.objects.filter(replaces=row, state=Release.State.PUBLISHED)
    return None if successor.exists() else NO_PUBLIC_CORRECTION()


def reason_given(row: Release, request: Request) -> Sentence | None:
    """A reason is recorded."""
    return None if len(request.reason.strip()) >= 4 else REASON_TOO_SHORT()


POLICIES: dict[str, Policy] = {
    policy.__name__: policy
    for policy in (
        content_unchanged,
        no_fault,
        nothing_recoverable,
        not_who_prepared,
        not_who_ran,
        embargo_ahead,
        embargo_over,
        replaces_what_is_public,
        successor_public,
        reason_given,
    )
}
