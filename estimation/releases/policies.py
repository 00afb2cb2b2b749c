"""What must hold before a release may move, each as a sentence when it does not. Reads the row, writes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from estimation.releases.content.content import Content
from estimation.releases.models import Release
from estimation.releases.states import Action
from survey.access.models import User
from survey.exceptions import Shown


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants what. ``by`` None is the system."""

    by: User | None
    action: Action
    reason: str = ""
    embargo: datetime | None = None


type Policy = Callable[[Release, Request], Shown | None]


def content_unchanged(row: Release, request: Request) -> Shown | None:
    """The hash is that of the content."""
    if Content.from_document(row.content).digest() == row.content_hash:
        return None
    return _("The content does not have the hash that was frozen with it. Rebuild the draft.")


def no_fault(row: Release, request: Request) -> Shown | None:
    """Identities hold and passages have no fatal fault."""
    count = len(row.checks.get("faults", []))
    if not count:
        return None
    return _("%(count)s faults are open; the list is on the page of the release.") % {"count": count}


def nothing_recoverable(row: Release, request: Request) -> Shown | None:
    """The audit of disclosure control found no leak."""
    if row.checks.get("disclosure", {}).get("leaks") == 0:
        return None
    return _("Withheld cells can be computed from published ones, or the audit has not run.")


def not_who_prepared(row: Release, request: Request) -> Shown | None:
    """Two people: who prepared does not validate."""
    if request.by is None or row.prepared_by_id != request.by.pk:
        return None
    return _("You prepared this release; somebody else validates it.")


def not_who_ran(row: Release, request: Request) -> Shown | None:
    """Two people: who ran the estimation does not publish it."""
    if request.by is None or row.run.requested_by_id != request.by.pk:
        return None
    return _("You ran the estimation; somebody else publishes it.")


def embargo_ahead(row: Release, request: Request) -> Shown | None:
    """The moment of publication lies ahead."""
    if request.embargo is not None and request.embargo > timezone.now():
        return None
    return _("The moment of publication must lie in the future.")


def embargo_over(row: Release, request: Request) -> Shown | None:
    """The moment of publication has come."""
    if row.embargo_until is not None and row.embargo_until <= timezone.now():
        return None
    return _("The embargo is not over yet.")


def replaces_what_is_public(row: Release, request: Request) -> Shown | None:
    """A round has one current release: the next one is its correction."""
    current = Release.objects.filter(round_id=row.round_id, state=Release.State.PUBLISHED).exclude(pk=row.pk)
    if all(one.pk == row.replaces_id for one in current):
        return None
    return _("This round has a published release that this one does not correct. Prepare a correction of it.")


def successor_public(row: Release, request: Request) -> Shown | None:
    """A correction of it is public."""
    successor = Release.objects.filter(replaces=row, state=Release.State.PUBLISHED)
    return None if successor.exists() else _("No correction of this release is public.")


def reason_given(row: Release, request: Request) -> Shown | None:
    """A reason stands on record."""
    return None if len(request.reason.strip()) >= 4 else _("Give a reason of at least four characters.")


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
