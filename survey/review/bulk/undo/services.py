"""Undo of a bulk acceptance. Sheets that have changed since keep their state."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from survey import audit, clock
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
class Undone:
    """One undo of a part of a bulk acceptance."""

    at: datetime
    by: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Left:
    """Unchanged sheets of one category (national acts) or reviewing region, and how many of them the user may undo."""

    category: str
    region: str
    count: int
    own: int

    @property
    def others(self) -> int:
        """How many only other users may undo."""
        return self.count - self.own


@dataclass(frozen=True, slots=True)
class UndoStatus:
    """A bulk acceptance: what was undone, by whom, and what the user and others could still undo."""

    act: BulkAcceptance
    origin: State  # state of its unchanged sheets
    total: int
    reversible: int  # by this user
    left: list[Left]
    undone: list[Undone]
    is_open: bool  # the time for an undo is not over

    @property
    def for_others(self) -> int:
        """Number of unchanged sheets that only other users may undo."""
        return sum(row.count for row in self.left) - self.reversible

    @property
    def moved_on(self) -> int:
        """Number of sheets that have changed since otherwise than by an undo."""
        return self.total - sum(row.count for row in self.left) - sum(row.count for row in self.undone)


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


def unchanged(act: BulkAcceptance) -> "QuerySet[Submission]":
    """Sheets of the bulk acceptance that are as it left them."""
    return Submission.objects.filter(
        _of_act(act), state=_origin(act).value, decided_at=F("bulk_memberships__decided_at")
    )


def _of_act(act: BulkAcceptance) -> Q:
    return Q(bulk_memberships__act=act, bulk_memberships__undone_at=None)


def reversible(act: BulkAcceptance, by: User) -> "QuerySet[Submission]":
    """Unchanged sheets of the bulk acceptance that the user may decide on."""
    origin = _origin(act)
    move = TRANSITIONS[origin, Action.UNDO_ACCEPT]
    rows = Submission.objects.visible_to(by, Permission(move.permission)).filter(
        _of_act(act), state=origin.value, decided_at=F("bulk_memberships__decided_at")
    )
    if move.level is Owner.NATION:
        categories = national_categories(by, Permission(move.permission))
        rows = rows if "" in categories else rows.filter(unit__category__in=categories)
    return rows


def undo_status(act: BulkAcceptance, by: User) -> UndoStatus:
    """What was undone, and what an undo would do now."""
    is_open = bool(act.action) and act.undo_until is not None and clock.present() < act.undo_until
    left = _left(act, by) if is_open else []
    undone = [
        Undone(at, row["undone_by__username"], row["undo_reason"], row["count"])
        for row in act.members.exclude(undone_at=None)
        .values("undone_at", "undone_by__username", "undo_reason")
        .annotate(count=Count("pk"))
        .order_by("undone_at")
        if (at := row["undone_at"]) is not None
    ]
    origin = _origin(act) if act.action else State.SUBMITTED
    own = sum(row.own for row in left)
    return UndoStatus(act, origin, act.members.count(), own, left, undone, is_open)


def _left(act: BulkAcceptance, by: User) -> list[Left]:
    national = TRANSITIONS[_origin(act), Action.UNDO_ACCEPT].level is Owner.NATION
    group = "unit__category" if national else "unit__review_region__code"

    def counted(rows: "QuerySet[Submission]") -> dict[str, int]:
        return dict(rows.order_by().values_list(group).annotate(count=Count("pk", distinct=True)))

    own = counted(reversible(act, by))
    return [
        Left(name if national else "", "" if national else name, count, own.get(name, 0))
        for name, count in sorted(counted(unchanged(act)).items())
    ]


@transaction.atomic
def undo_acceptance(act: BulkAcceptance, *, by: User, reason: str, channel: str = "page") -> BulkAcceptance:
    """Return the unchanged sheets that the user may decide on to their earlier state; the others stay undoable.

    Raises PolicyDenied: too late, undone before, no reason, or no sheet that can be undone.
    """
    row = BulkAcceptance.objects.select_for_update(of=("self",)).get(pk=act.pk)
    if not row.action or row.undo_until is None or clock.present() >= row.undo_until:
        raise PolicyDenied(_("The time in which this acceptance could be taken back is over."))
    reason = " ".join(reason.split())[:2000]
    if not reason:
        raise PolicyDenied(_("Give a reason."))
    ids = list(
        reversible(row, by).select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
    )
    if not ids:
        if row.members.visible_to(by, Permission.REVIEW).exclude(undone_at=None).exists():
            raise PolicyDenied(_("This acceptance has been taken back already."))
        raise PolicyDenied(_("Every sheet of this acceptance has moved on since."))
    now = clock.present()
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
    row.members.filter(submission__in=ids).update(undone_at=now, undone_by=by, undo_reason=reason)
    row.undone_at, row.undone_by, row.undone, row.undo_reason = now, by, row.undone + len(ids), reason
    row.save(update_fields=["undone_at", "undone_by", "undone", "undo_reason"])
    audit.record(
        by=by,
        action="bulk_undo",
        subject=row,
        year=row.round.year,
        undone=len(ids),
        left=row.members.filter(undone_at=None).count(),
        reasons=reasons,
        reason=reason,
        channel=channel,
    )
    return row
