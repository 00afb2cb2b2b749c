"""The progress board: region by category, out of one GROUP BY."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey.access.models import Region, User
from survey.access.roles import Permission
from survey.classification import NATION
from survey.collection.models import CollectionRound, Disposition
from survey.fieldwork.progress.curve import Curve, curve
from survey.review.filters import FILED_GROUP, QueueFilter
from survey.review.selectors import province_of
from survey.submissions.lifecycle.states import FILED, State
from survey.submissions.models import Filing, Submission

COUNTS = {
    "due": _("Due"),
    "not_started": _("Not started"),
    "started": _("Started"),
    "filed": _("Filed"),
    "returned": _("Returned"),
    "submitted": _("With the province"),
    "national_review": _("In national review"),
    "accepted": _("Accepted"),
    "invalidated": _("Ruled invalid"),
}
RATES = {
    "filed_rate": _("Share filed"),
    "accepted_rate": _("Share accepted"),
    "returned_rate": _("Share returned"),
}
MEASURES = {**RATES, **COUNTS}
# Which setting of the queue shows exactly the sheets that a count speaks of; the others have no link.
STATE_OF = {
    "not_started": State.NOT_STARTED.value,
    "filed": FILED_GROUP,
    "returned": State.RETURNED.value,
    "submitted": State.SUBMITTED.value,
    "national_review": State.NATIONAL_REVIEW.value,
    "accepted": State.ACCEPTED.value,
    "invalidated": State.INVALIDATED.value,
    "filed_rate": FILED_GROUP,
    "accepted_rate": State.ACCEPTED.value,
}


@dataclass(slots=True)
class Tally:
    """Counts of sheets in one place of the board."""

    due: int = 0
    not_started: int = 0
    returned: int = 0
    submitted: int = 0
    national_review: int = 0
    accepted: int = 0
    invalidated: int = 0
    again: int = 0  # filed more than once

    @property
    def started(self) -> int:
        """Sheets with at least one answer."""
        return self.due - self.not_started

    @property
    def filed(self) -> int:
        """Sheets that stand as filed now: a returned sheet does not."""
        return self.submitted + self.national_review + self.accepted + self.invalidated

    @property
    def filed_rate(self) -> float | None:
        """Filed over due."""
        return self.filed / self.due if self.due else None

    @property
    def accepted_rate(self) -> float | None:
        """Accepted over due."""
        return self.accepted / self.due if self.due else None

    @property
    def returned_rate(self) -> float | None:
        """Returned now or filed again, over everything that was ever filed."""
        ever = self.filed + self.returned
        return (self.returned + self.again) / ever if ever else None

    def add(self, state: str, count: int) -> None:
        """Count sheets of one state."""
        self.due += count
        if state in _STORED:
            setattr(self, state, getattr(self, state) + count)

    def value(self, measure: str) -> Any:
        """One measure by name; None for a rate over nothing."""
        return getattr(self, measure)


_STORED = frozenset({"not_started", "returned", "submitted", "national_review", "accepted", "invalidated"})


def heat(rate: float | None) -> int:
    """Step 0 (nothing) to 5 (complete) of a share, for the colour that repeats the number."""
    if not rate:
        return 0
    return 5 if rate >= 1 else 1 + min(int(rate * 4), 3)


@dataclass(slots=True)
class Board:
    """All tallies: by (region, category), by region, by category, and over everything."""

    round: CollectionRound
    cells: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    regions: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    categories: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    total: Tally = field(default_factory=Tally)
    names: dict[str, str] = field(default_factory=dict)

    def region_codes(self) -> list[str]:
        """Regions that have something due, in the order of the code list."""
        known = [code for code in self.names if code in self.regions]
        return known + sorted(set(self.regions) - set(known))

    def category_codes(self) -> list[str]:
        """Categories that have something due."""
        return sorted(self.categories)


def board(user: User, round_: CollectionRound, *, region: str = "", category: str = "") -> Board:
    """Progress over the units that this user may follow, optionally of one region or one category.

    Due are the eligible units that are not exempted, and everything that has been filed.
    """
    regions = list(Region.objects.all())
    provinces = {one.code: province_of(one.path) for one in regions}
    made = Board(round_, names={one.code: str(one) for one in regions if one.level <= 1})
    for code, kind, state, disposition, count in _rows(user, round_):
        if state == State.EXEMPTED or (disposition != Disposition.ELIGIBLE and state not in FILED):
            continue
        place = provinces[code]
        if (region and place != region) or (category and kind != category):
            continue
        for tally in (made.cells[place, kind], made.regions[place], made.categories[kind], made.total):
            tally.add(state, count)
    for code, kind, count in _again(user, round_):
        place = provinces[code]
        if (region and place != region) or (category and kind != category):
            continue
        for tally in (made.cells[place, kind], made.regions[place], made.categories[kind], made.total):
            tally.again += count
    return made


def _again(user: User, round_: CollectionRound) -> Iterable[tuple[str, str, int]]:
    """Sheets that stand as filed and were filed more than once."""
    return (
        Submission.objects.visible_to(user, Permission.VIEW_PROGRESS)
        .filter(round=round_, filings__number=2, state__in=FILED)
        .values_list("unit__region_id", "unit__category")
        .annotate(size=Count("pk"))
        .order_by()
    )


def _rows(user: User, round_: CollectionRound) -> Iterable[tuple[str, str, str, str, int]]:
    return (
        Submission.objects.visible_to(user, Permission.VIEW_PROGRESS)
        .filter(round=round_, assignment__round=round_)  # said twice: the planner reads half of each table
        .values_list("unit__region_id", "unit__category", "state", "assignment__disposition")
        .annotate(size=Count("pk"))
        .order_by()
    )


def filed_by_day(
    user: User, round_: CollectionRound, *, region: str = "", category: str = ""
) -> dict[dt.date, int]:
    """First filings of a round by day in Beijing, in this person's area."""
    rows = Filing.objects.visible_to(user, Permission.VIEW_PROGRESS).filter(
        submission__round=round_, number=1
    )
    if region:
        rows = rows.filter(submission__unit__region__path__startswith=f"{NATION}/{region}/")
    if category:
        rows = rows.filter(submission__unit__category=category)
    return dict(
        rows.annotate(day=TruncDate("filed_at", tzinfo=timezone.get_default_timezone()))
        .values_list("day")
        .annotate(size=Count("pk"))
        .order_by()
    )


def curve_of(user: User, found: Board, *, region: str = "", category: str = "") -> Curve | None:
    """The daily curve of a board beside last year's."""
    places = {"region": region, "category": category}
    earlier = CollectionRound.objects.filter(year=found.round.year - 1).first()
    last, last_due, last_due_on = {}, 0, timezone.localdate(found.round.due_at)
    if earlier is not None:
        last = filed_by_day(user, earlier, **places)
        last_due = board(user, earlier, **places).total.due
        last_due_on = timezone.localdate(earlier.due_at)
    return curve(
        filed_by_day(user, found.round, **places),
        found.total.due,
        timezone.localdate(found.round.due_at),
        timezone.localdate(),
        last,
        last_due,
        last_due_on,
    )


def queue_link(round_: CollectionRound, measure: str, *, region: str = "", category: str = "") -> str:
    """The query string of the queue that lists the sheets behind one cell; empty when none does exactly."""
    if measure not in STATE_OF:
        return ""
    return QueueFilter(
        year=str(round_.year), state=STATE_OF[measure], category=category, region=region
    ).encoded


# What the page shows ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Cell:
    """A number of the board with its share (for the colour) and the queue behind it."""

    value: Any
    rate: float | None
    heat: int
    count: int
    due: int
    link: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of a table of the board."""

    code: str
    name: str
    cells: list[Cell]
    total: Cell

    @property
    def every(self) -> list[Cell]:
        """The total first, then the cells."""
        return [self.total, *self.cells]


def _cell(tally: Tally, measure: str, link: str) -> Cell:
    value = tally.value(measure)
    of = {
        "filed_rate": tally.filed,
        "accepted_rate": tally.accepted,
        "returned_rate": tally.returned + tally.again,
    }
    count = of.get(measure, value)
    rate = value if measure in RATES else (value / tally.due if tally.due else None)
    return Cell(value, rate, heat(rate), count, tally.due, link if count else "")


def matrix(found: Board, measure: str, *, links: bool) -> list[Lane]:
    """Regions down, categories across, one measure in each cell."""
    lanes = []
    for region in found.region_codes():
        cells = [
            _cell(
                found.cells[region, category],
                measure,
                queue_link(found.round, measure, region=region, category=category) if links else "",
            )
            for category in found.category_codes()
        ]
        total = _cell(
            found.regions[region], measure, queue_link(found.round, measure, region=region) if links else ""
        )
        lanes.append(Lane(region, found.names.get(region, region), cells, total))
    return lanes


def table(found: Board, by: str, *, links: bool) -> list[Lane]:
    """One row per region or per category with every count, and the two shares."""
    codes, tallies = (
        (found.region_codes(), found.regions)
        if by == "region"
        else (found.category_codes(), found.categories)
    )
    lanes = []
    for code in codes:
        places = {by: code}
        cells = [
            _cell(tallies[code], measure, queue_link(found.round, measure, **places) if links else "")
            for measure in (*COUNTS, *RATES)
        ]
        lanes.append(Lane(code, found.names.get(code, code), cells, cells[0]))
    return lanes


def values(tally: Tally) -> dict[str, Any]:
    """Every measure of one tally by name."""
    return {name: tally.value(name) for name in MEASURES}
