"""The stop rule of selective editing: how many sheets of the queue are worth reviewing.

Undecided sheets are reviewed in the order of their scores. After the first k of them, the remainder is the sum of
|w (y - expected)| / total over the unusual values of the others: an upper bound of the error of a total. Review may
stop where the remainder is, for every item, at most a given part of the sampling standard error.
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
from survey.review.selectors import region_name
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission

UNDECIDED = (State.SUBMITTED, State.NATIONAL_REVIEW)
type Share = tuple[int, float, str, float]  # sheet, its score, item, share of the total (absolute)


@dataclass(frozen=True, slots=True)
class TotalRemainder:
    """A total: the possible change by undecided sheets, now and after the first k, and its sampling error."""

    item: str
    label: str
    now: float
    after: float
    error: float

    @property
    def allowed(self) -> float:
        """The largest remainder at which review may stop, as a share of the total."""
        return self.error * float(settings.EDITING_STOP_SHARE)


@dataclass(frozen=True, slots=True)
class Domain:
    """A region ("" for the nation): undecided sheets, how many of them need review, its totals."""

    region: str
    name: str
    undecided: int
    needed: int
    totals: tuple[TotalRemainder, ...]

    @property
    def worst(self) -> TotalRemainder | None:
        """The total with the largest possible change relative to its sampling error."""
        return max(self.totals, key=lambda total: total.now / total.error, default=None)


def depth(shares: Iterable[Share], errors: Mapping[str, float], part: float) -> tuple[int, dict[str, float]]:
    """k, the number of sheets to review in order of score; and the remainder by item after them.

    shares : those of items in ``errors`` count; errors : relative standard errors, all positive; part : of them, allowed
    """
    rows = sorted((-score, sheet, item, share) for sheet, score, item, share in shares if item in errors)
    remainder: defaultdict[str, float] = defaultdict(float)
    # From the end of the queue upwards: the first sheet that exceeds the allowance is the last one to review.
    order = list(dict.fromkeys(sheet for _score, sheet, _item, _share in rows))
    shares_by_sheet: defaultdict[int, list[tuple[str, float]]] = defaultdict(list)
    for _score, sheet, item, share in rows:
        shares_by_sheet[sheet].append((item, share))
    for index in range(len(order), 0, -1):
        more = shares_by_sheet[order[index - 1]]
        if any(remainder[item] + share > part * errors[item] for item, share in more):
            return index, dict(remainder)
        for item, share in more:
            remainder[item] += share
    return 0, dict(remainder)


def remaining(user: User, round_: CollectionRound) -> list[Domain]:
    """The nation first, for users with national scope; then the regions in scope with undecided sheets.

    Empty without stored sampling errors.
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
    for sheet, score, item, national_share, regional_share, region in rows.values_list(
        "sheet_id", "sheet__value", "item", "national", "regional", "sheet__region"
    ):
        if national_share is not None:
            national.append((sheet, score, item, abs(national_share)))
        if regional_share is not None and region:
            regional[region].append((sheet, score, item, abs(regional_share)))
    domains = (
        [_domain("", sum(undecided.values()), national, errors[""])] if _has_national_scope(user) else []
    )
    return domains + [
        _domain(code, undecided[code], regional[code], errors[code])
        for code in sorted(code for code in undecided if code and errors.get(code))
    ]


def _domain(region: str, undecided: int, shares: Sequence[Share], errors: Mapping[str, float]) -> Domain:
    needed, after = depth(shares, errors, float(settings.EDITING_STOP_SHARE))
    now: defaultdict[str, float] = defaultdict(float)
    for _sheet, _score, item, share in shares:
        now[item] += share
    totals = [
        TotalRemainder(item, _label(item), now[item], after.get(item, 0.0), error)
        for item, error in sorted(errors.items())
    ]
    return Domain(region, region_name(region) if region else "", undecided, needed, tuple(totals))


def _label(item: str) -> str:
    definition: Any = next((form.items[item] for form in load_all().values() if item in form.items), None)
    return definition.label.get(get_language() or "zh-hans") if definition else item


def _has_national_scope(user: User) -> bool:
    return bool(grants_with(user, Permission.REVIEW, Level.NATION))


# Scores for the pages ------------------------------------------------------------------------
def score_of(submission: Submission) -> SheetScore | None:
    """The score of the version that the page shows, with its items; or None."""
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
