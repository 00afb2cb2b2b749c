"""The ledger of invalid sheets, which tables 3 and 4 exclude, each with its reason.

``counts`` uses the definition of the frozen microdata version: decided sheets are filed, accepted ones valid. A
test compares the two.
"""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count, OuterRef, QuerySet, Subquery

from survey.access.models import Region, User
from survey.access.roles import Permission
from survey.classification import NATION
from survey.collection.models import CollectionRound
from survey.review.selectors import province_of
from survey.submissions.lifecycle.states import Action, State
from survey.submissions.models import Submission, SubmissionEvent

PAGE_SIZE = 50
DECIDED = (State.ACCEPTED.value, State.INVALIDATED.value)


@dataclass(slots=True)
class DecidedCount:
    """Numbers of decided sheets of a category or region: filed and valid; the rest is in the ledger."""

    filed: int = 0
    valid: int = 0

    @property
    def invalid(self) -> int:
        """Ruled invalid."""
        return self.filed - self.valid

    @property
    def rate(self) -> float | None:
        """Valid over filed."""
        return self.valid / self.filed if self.filed else None


@dataclass(slots=True)
class Counts:
    """Counts of a round by category, by province, and of the invalid ones by reason."""

    categories: dict[str, DecidedCount] = field(default_factory=dict)
    regions: dict[str, DecidedCount] = field(default_factory=dict)
    reasons: "Counter[str]" = field(default_factory=Counter)
    total: DecidedCount = field(default_factory=DecidedCount)


def counts(user: User, round_: CollectionRound) -> Counts:
    """Counts of the decided sheets in scope."""
    paths = dict(Region.objects.values_list("code", "path"))
    rows = (
        Submission.objects.visible_to(user, Permission.VIEW_SHEETS)
        .filter(round=round_, state__in=DECIDED)
        .values_list("unit__category", "unit__region_id", "state", "invalid_reason")
        .annotate(size=Count("pk"))
        .order_by("unit__category", "unit__region_id")
    )
    result = Counts()
    for category, region, state, reason, size in rows:
        for tally in (
            result.categories.setdefault(category, DecidedCount()),
            result.regions.setdefault(province_of(paths[region]), DecidedCount()),
            result.total,
        ):
            tally.filed += size
            tally.valid += size if state == State.ACCEPTED else 0
        if state == State.INVALIDATED:
            result.reasons[reason] += size
    return result


def entries(
    user: User, round_: CollectionRound, *, category: str = "", region: str = "", reason: str = ""
) -> "QuerySet[Submission]":
    """The invalid sheets with the user and time of the ruling, newest first."""
    ruling = SubmissionEvent.objects.filter(submission=OuterRef("pk"), action=Action.INVALIDATE.value)
    rows = (
        Submission.objects.visible_to(user, Permission.VIEW_SHEETS)
        .filter(round=round_, state=State.INVALIDATED)
        .select_related("unit__region")
        .defer("answers", "item_revisions", "signatories")
        .annotate(
            ruled_at=Subquery(ruling.order_by("-pk").values("at")[:1]),
            ruled_by=Subquery(ruling.order_by("-pk").values("actor__name")[:1]),
        )
    )
    if category:
        rows = rows.filter(unit__category=category)
    if region:
        rows = rows.filter(unit__region__path__startswith=f"{NATION}/{region}/")
    if reason:
        rows = rows.filter(invalid_reason=reason)
    return rows.order_by("-decided_at", "pk")
