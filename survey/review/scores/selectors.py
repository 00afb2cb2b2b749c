"""How far down the queue it pays to look: the stop rule of selective editing.

Undecided sheets are taken in the order of their scores. After the first k of them, what is left is the sum of
|w (y - expected)| / total over the unusual values of the others: the most by which a total could still be wrong. Looking
may stop where that is, for every item, at most a stated part of the standard error that sampling brings anyway.
Source: selective editing as in de Waal, Pannekoek and Scholtus (2011), chapter 6.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.utils.translation import get_language

from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import Level, grants_with
from survey.classification import SIZE_OF
from survey.collection.models import CollectionRound
from survey.questionnaires.loader import load_all
from survey.review.scores.limits import UNUSUAL, province_code
from survey.review.scores.models import (
    ItemScore,
    PeerQuantiles,
    SamplingError,
    SheetScore,
)
from survey.review.selectors import place_name
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission

UNDECIDED = (State.SUBMITTED, State.NATIONAL_REVIEW)
type Share = tuple[int, float, str, float]  # sheet, its score, item, share of the total (absolute)


@dataclass(frozen=True, slots=True)
class Left:
    """One total: what undecided sheets could move now, what will be left after the first k, and its sampling error."""

    item: str
    label: str
    now: float
    after: float
    error: float

    @property
    def allowed(self) -> float:
        """The largest remainder at which looking may stop, as a share of the total."""
        return self.error * float(settings.EDITING_STOP_SHARE)


@dataclass(frozen=True, slots=True)
class Lane:
    """A region ("" for the nation): undecided sheets, how many of them are still worth looking at, its totals."""

    region: str
    name: str
    undecided: int
    needed: int
    totals: tuple[Left, ...]

    @property
    def worst(self) -> Left | None:
        """The total that has most to gain, in terms of its own sampling error."""
        return max(self.totals, key=lambda one: one.now / one.error, default=None)


def depth(shares: Iterable[Share], errors: Mapping[str, float], part: float) -> tuple[int, dict[str, float]]:
    """k: how many sheets to look at in order of score; and by item what the others could move then.

    shares : those of items in ``errors`` count; errors : relative standard errors, all positive; part : of them, allowed
    """
    rows = sorted((-score, sheet, item, share) for sheet, score, item, share in shares if item in errors)
    left: defaultdict[str, float] = defaultdict(float)
    # From the end of the queue upwards: the first sheet that breaks the allowance is the last one to look at.
    order = list(dict.fromkeys(sheet for _score, sheet, _item, _share in rows))
    found: defaultdict[int, list[tuple[str, float]]] = defaultdict(list)
    for _score, sheet, item, share in rows:
        found[sheet].append((item, share))
    for place in range(len(order), 0, -1):
        more = found[order[place - 1]]
        if any(left[item] + share > part * errors[item] for item, share in more):
            return place, dict(left)
        for item, share in more:
            left[item] += share
    return 0, dict(left)


def remaining(user: User, round_: CollectionRound) -> list[Lane]:
    """The nation first, for whoever sees all of it; then the regions of this person that have something undecided.

    Empty when no run has handed its errors over.
    """
    errors: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for region, item, relative in SamplingError.objects.filter(round=round_).values_list(
        "region", "item", "relative"
    ):
        errors[region][item] = relative
    if not errors:
        return []
    sheets = Submission.objects.visible_to(user, Permission.REVIEW).filter(round=round_, state__in=UNDECIDED)
    undecided: defaultdict[str, int] = defaultdict(int)
    for path, count in sheets.values_list("unit__region__path").annotate(n=Count("pk")).order_by():
        undecided[province_code(path)] += count
    rows = ItemScore.objects.visible_to(user, Permission.REVIEW).filter(
        sheet__submission__round=round_, sheet__submission__state__in=UNDECIDED, suspicion__gte=UNUSUAL
    )
    national: list[Share] = []
    regional: defaultdict[str, list[Share]] = defaultdict(list)
    for sheet, score, item, whole, own, region in rows.values_list(
        "sheet_id", "sheet__value", "item", "national", "regional", "sheet__region"
    ):
        if whole is not None:
            national.append((sheet, score, item, abs(whole)))
        if own is not None and region:
            regional[region].append((sheet, score, item, abs(own)))
    lanes = [_lane("", sum(undecided.values()), national, errors[""])] if _sees_the_nation(user) else []
    return lanes + [
        _lane(code, undecided[code], regional[code], errors[code])
        for code in sorted(code for code in undecided if code and errors.get(code))
    ]


def _lane(region: str, undecided: int, shares: Sequence[Share], errors: Mapping[str, float]) -> Lane:
    needed, after = depth(shares, errors, float(settings.EDITING_STOP_SHARE))
    now: defaultdict[str, float] = defaultdict(float)
    for _sheet, _score, item, share in shares:
        now[item] += share
    totals = [
        Left(item, _label(item), now[item], after.get(item, 0.0), error)
        for item, error in sorted(errors.items())
    ]
    return Lane(region, place_name(region) if region else "", undecided, needed, tuple(totals))


def _label(item: str) -> str:
    known: Any = next((form.items[item] for form in load_all().values() if item in form.items), None)
    return known.label.get(get_language() or "zh-hans") if known else item


def _sees_the_nation(user: User) -> bool:
    return bool(grants_with(user, Permission.REVIEW, Level.NATION))


# What the pages read ------------------------------------------------------------------------
def score_of(submission: Submission) -> SheetScore | None:
    """The score of the version that the page shows, with its items; None when there is none (yet)."""
    return SheetScore.objects.filter(pk=submission.pk).prefetch_related("items").first()


def peer_groups(unit: Any) -> tuple[str, ...]:
    """The groups that a unit is compared with, the closest first."""
    size = SIZE_OF.get(unit.size_class, unit.size_class)
    return (f"{unit.category}/{size}", unit.category) if size else (unit.category,)


def peers_of(submission: Submission) -> dict[str, PeerQuantiles]:
    """For each item the quantiles of the closest group that has them."""
    groups = peer_groups(submission.unit)
    rows = PeerQuantiles.objects.filter(round_id=submission.round_id, group__in=groups)
    return {row.item: row for row in sorted(rows, key=lambda row: -groups.index(row.group))}
