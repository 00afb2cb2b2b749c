"""The progress board: counts by region and category."""

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
# The state filter of the queue that selects exactly the sheets of a count; the other counts have no link.
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
    """Counts of sheets of one cell or margin of the board."""

    due: int = 0
    not_started: int = 0
    returned: int = 0
    submitted: int = 0
    national_review: int = 0
    accepted: int = 0
    invalidated: int = 0
    refiled: int = 0  # filed more than once

    @property
    def started(self) -> int:
        """Sheets with at least one answer."""
        return self.due - self.not_started

    @property
    def filed(self) -> int:
        """Sheets in a filed state; returned sheets are not."""
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
        """Sheets returned or filed again, over all sheets that were filed at least once."""
        ever = self.filed + self.returned
        return (self.returned + self.refiled) / ever if ever else None

    def add(self, state: str, count: int) -> None:
        """Count sheets of one state."""
        self.due += count
        if state in _STORED:
            setattr(self, state, getattr(self, state) + count)

    def value(self, measure: str) -> Any:
        """A measure by name; None for a rate with denominator 0."""
        return getattr(self, measure)


_STORED = frozenset({"not_started", "returned", "submitted", "national_review", "accepted", "invalidated"})


def heat(rate: float | None) -> int:
    """Colour step of a share, 0 (none) to 5 (complete)."""
    if not rate:
        return 0
    return 5 if rate >= 1 else 1 + min(int(rate * 4), 3)


@dataclass(slots=True)
class Board:
    """Tallies by (region, category), by region, by category, and in total."""

    round: CollectionRound
    cells: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    regions: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    categories: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    total: Tally = field(default_factory=Tally)
    names: dict[str, str] = field(default_factory=dict)

    def region_codes(self) -> list[str]:
        """Regions with due sheets, in the order of the code list."""
        listed = [code for code in self.names if code in self.regions]
        return listed + sorted(set(self.regions) - set(listed))

    def category_codes(self) -> list[str]:
        """Categories with due sheets."""
        return sorted(self.categories)


def board(user: User, round_: CollectionRound, *, region: str = "", category: str = "") -> Board:
    """Progress of the units in the user's scope, optionally of one region or one category.

    Due are the sheets of eligible units that are not exempted, and all filed sheets.
    """
    regions = list(Region.objects.all())
    provinces = {row.code: province_of(row.path) for row in regions}
    result = Board(round_, names={row.code: str(row) for row in regions if row.level <= 1})
    for code, kind, state, disposition, count in _rows(user, round_):
        if state == State.EXEMPTED or (disposition != Disposition.ELIGIBLE and state not in FILED):
            continue
        province = provinces[code]
        if (region and province != region) or (category and kind != category):
            continue
        for tally in (
            result.cells[province, kind],
            result.regions[province],
            result.categories[kind],
            result.total,
        ):
            tally.add(state, count)
    for code, kind, count in _refiled(user, round_):
        province = provinces[code]
        if (region and province != region) or (category and kind != category):
            continue
        for tally in (
            result.cells[province, kind],
            result.regions[province],
            result.categories[kind],
            result.total,
        ):
            tally.refiled += count
    return result


def _refiled(user: User, round_: CollectionRound) -> Iterable[tuple[str, str, int]]:
    """Counts of sheets in a filed state that were filed more than once."""
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
        .filter(
            round=round_, assignment__round=round_
        )  # redundant, but the planner then reads half of each table
        .values_list("unit__region_id", "unit__category", "state", "assignment__disposition")
        .annotate(size=Count("pk"))
        .order_by()
    )


def filed_by_day(
    user: User, round_: CollectionRound, *, region: str = "", category: str = ""
) -> dict[dt.date, int]:
    """First filings of a round by day in Beijing time, in the user's scope."""
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


def curve_of(user: User, current: Board, *, region: str = "", category: str = "") -> Curve | None:
    """The daily curve of a board and of last year's round."""
    filters = {"region": region, "category": category}
    earlier = CollectionRound.objects.filter(year=current.round.year - 1).first()
    last, last_due, last_due_on = {}, 0, timezone.localdate(current.round.due_at)
    if earlier is not None:
        last = filed_by_day(user, earlier, **filters)
        last_due = board(user, earlier, **filters).total.due
        last_due_on = timezone.localdate(earlier.due_at)
    return curve(
        filed_by_day(user, current.round, **filters),
        current.total.due,
        timezone.localdate(current.round.due_at),
        timezone.localdate(),
        last,
        last_due,
        last_due_on,
    )


def queue_link(round_: CollectionRound, measure: str, *, region: str = "", category: str = "") -> str:
    """The query string of the queue that lists exactly the sheets of a cell; empty when there is none."""
    if measure not in STATE_OF:
        return ""
    return QueueFilter(
        year=str(round_.year), state=STATE_OF[measure], category=category, region=region
    ).encoded


# What the page shows ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Cell:
    """A number of the board with its share (for the colour) and the query string of its queue."""

    value: Any
    rate: float | None
    heat: int
    count: int
    due: int
    link: str


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A row of a table of the board."""

    code: str
    name: str
    cells: list[Cell]
    total: Cell

    @property
    def all_cells(self) -> list[Cell]:
        """The total first, then the cells."""
        return [self.total, *self.cells]


def _cell(tally: Tally, measure: str, link: str) -> Cell:
    value = tally.value(measure)
    of = {
        "filed_rate": tally.filed,
        "accepted_rate": tally.accepted,
        "returned_rate": tally.returned + tally.refiled,
    }
    count = of.get(measure, value)
    rate = value if measure in RATES else (value / tally.due if tally.due else None)
    return Cell(value, rate, heat(rate), count, tally.due, link if count else "")


def matrix(board: Board, measure: str, *, links: bool) -> list[BoardRow]:
    """Rows by region with cells by category, of one measure."""
    rows = []
    for region in board.region_codes():
        cells = [
            _cell(
                board.cells[region, category],
                measure,
                queue_link(board.round, measure, region=region, category=category) if links else "",
            )
            for category in board.category_codes()
        ]
        total = _cell(
            board.regions[region], measure, queue_link(board.round, measure, region=region) if links else ""
        )
        rows.append(BoardRow(region, board.names.get(region, region), cells, total))
    return rows


def table(board: Board, by: str, *, links: bool) -> list[BoardRow]:
    """Rows by region or category with all counts and rates."""
    codes, tallies = (
        (board.region_codes(), board.regions)
        if by == "region"
        else (board.category_codes(), board.categories)
    )
    rows = []
    for code in codes:
        filters = {by: code}
        cells = [
            _cell(tallies[code], measure, queue_link(board.round, measure, **filters) if links else "")
            for measure in (*COUNTS, *RATES)
        ]
        rows.append(BoardRow(code, board.names.get(code, code), cells, cells[0]))
    return rows


def values(tally: Tally) -> dict[str, Any]:
    """All measures of a tally by name."""
    return {name: tally.value(name) for name in MEASURES}
