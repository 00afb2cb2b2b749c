"""Undo of a bulk acceptance. Sheets that have changed since keep their state."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey import audit
from survey.access.models import User
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.review.bulk.models import BulkAcceptance, BulkMember
from survey.review.bulk.services import national_categories, transition_many
from survey.review.sheet.services import withdraw_reasons
from survey.submissions.lifecycle.states import TRANSITIONS, Action, Owner, State
from survey.submissions.models import Submission

LATEST = 50


@dataclass(frozen=True, slots=True)
class UndoStatus:
    """A bulk acceptance and how many of its sheets the user could undo now."""

    act: BulkAcceptance
    origin: State  # state of its unchanged sheets
    total: int
    reversible: int
    is_open: bool

    @property
    def moved_on(self) -> int:
        """Number of sheets that have changed since."""
        return self.total - self.reversible


def acts_of(user: User) -> "QuerySet[BulkAcceptance]":
    """Bulk acceptances with a sheet in the user's scope, newest first."""
    members = BulkMember.objects.visible_to(user, Permission.REVIEW).filter(act=OuterRef("pk"))
    return (
        BulkAcceptance.objects.filter(Exists(members))
        .select_related("by", "undone_by", "round")
        .order_by("-pk")
    )


def _origin(act: BulkAcceptance) -> State:
    return next(move.target for (_state, other), move in TRANSITIONS.items() if other.value == act.action)


def reversible(act: BulkAcceptance, by: User) -> "QuerySet[Submission]":
    """Unchanged sheets of the bulk acceptance that the user may decide on."""
    origin = _origin(act)
    move = TRANSITIONS[origin, Action.UNDO_ACCEPT]
    rows = Submission.objects.visible_to(by, Permission(move.permission)).filter(
        state=origin.value, bulk_memberships__act=act, decided_at=F("bulk_memberships__decided_at")
    )
    if move.level is Owner.NATION:
        categories = national_categories(by, Permission(move.permission))
        rows = rows if "" in categories else rows.filter(unit__category__in=categories)
    return rows


def undo_status(act: BulkAcceptance, by: User) -> UndoStatus:
    """What an undo would do now."""
    is_open = (
        act.undone_at is None
        and bool(act.action)
        and act.undo_until is not None
        and timezone.now() < act.undo_until
    )
    count = reversible(act, by).count() if is_open else 0
    origin = _origin(act) if act.action else State.SUBMITTED
    return UndoStatus(act, origin, act.members.count(), count, is_open)


@transaction.atomic
def undo_acceptance(act: BulkAcceptance, *, by: User, reason: str, channel: str = "page") -> BulkAcceptance:
    """Return every unchanged sheet of the bulk acceptance to its earlier state.

    Raises PolicyDenied: too late, undone before, no reason, or no sheet that can be undone.
    """
    row = BulkAcceptance.objects.select_for_update(of=("self",)).get(pk=act.pk)
    if row.undone_at is not None:
        raise PolicyDenied(_("This acceptance has been taken back already."))
    if not row.action or row.undo_until is None or timezone.now() >= row.undo_until:
        raise PolicyDenied(_("The time in which this acceptance could be taken back is over."))
    reason = " ".join(reason.split())[:2000]
    if not reason:
        raise PolicyDenied(_("Give a reason."))
    ids = list(
        reversible(row, by).select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
    )
    if not ids:
        raise PolicyDenied(_("Every sheet of this acceptance has moved on since."))
    now = timezone.now()
    transition_many(
        ids,
        Action.UNDO_ACCEPT,
        by=by,
        origin=_origin(row),
        reason=f"#{row.pk} {reason}",
        channel=channel,
        now=now,
    )
    decided = dict(row.members.filter(submission__in=ids).values_list("submission", "decided_at"))
    reasons = withdraw_reasons(decided, by=by, at=now, channel=channel)
    row.undone_at, row.undone_by, row.undone, row.undo_reason = now, by, len(ids), reason
    row.save(update_fields=["undone_at", "undone_by", "undone", "undo_reason"])
    audit.record(
        by=by,
        action="bulk_undo",
        subject=row,
        year=row.round.year,
        undone=len(ids),
        moved_on=row.members.count() - len(ids),
        reasons=reasons,
        reason=reason,
        channel=channel,
    )
    return row
