"""Daily curve of filed sheets and last year's: shares of due sheets, aligned by days to the deadline. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 10, 28


@dataclass(frozen=True, slots=True)
class Day:
    """A row of the table: day of this round, days to the deadline, cumulative counts and shares."""

    day: dt.date
    days_left: int
    filed: int | None
    share: float | None
    last_share: float | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of an axis: position in pixels and label."""

    position: float
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of the two lines in an SVG of WIDTH x HEIGHT pixels, the ticks, and the data as rows."""

    days: list[Day]
    this: str
    last: str
    across: list[Tick]
    up: list[Tick]
    due: float  # position of the deadline
    lead: float | None  # this share minus last year's, on the latest day


def cumulative(filed: Mapping[dt.date, int], due_on: dt.date, until: dt.date | None = None) -> dict[int, int]:
    """Map days to the deadline (negative after it) to the number of sheets filed until then."""
    result: dict[int, int] = {}
    total = 0
    for day in sorted(filed):
        if until is not None and day > until:
            break
        total += filed[day]
        result[(due_on - day).days] = total
    return result


def curve(
    filed: Mapping[dt.date, int],
    due: int,
    due_on: dt.date,
    today: dt.date,
    last_filed: Mapping[dt.date, int],
    last_due: int,
    last_due_on: dt.date,
) -> Curve | None:
    """The curve of both rounds; None while nothing has been filed in either."""
    this, last = cumulative(filed, due_on, today), cumulative(last_filed, last_due_on)
    if not this and not last:
        return None
    first = max([*this, *last])
    end = min([*this, *last, (due_on - today).days if this else 0, 0])
    end = max(end, (due_on - today).days) if not last else end
    days = []
    count: int | None = 0
    last_count = 0
    for days_left in range(first, end - 1, -1):
        day = due_on - dt.timedelta(days=days_left)
        count = None if day > today else this.get(days_left, count or 0)
        last_count = last.get(days_left, last_count)
        days.append(
            Day(
                day,
                days_left,
                count,
                count / due if count is not None and due else None,
                last_count / last_due if last_due else None,
            )
        )
    filed_days = [row for row in days if row.share is not None]
    lead = None
    if filed_days and filed_days[-1].share is not None and filed_days[-1].last_share is not None:
        lead = filed_days[-1].share - filed_days[-1].last_share
    return Curve(
        days,
        _points([(row.days_left, row.share) for row in days], first, end),
        _points([(row.days_left, row.last_share) for row in days], first, end),
        [
            Tick(_x(days_left, first, end), (due_on - dt.timedelta(days=days_left)).strftime("%m-%d"))
            for days_left in _tick_days(first, end)
        ],
        [Tick(_y(share), f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
        _x(0, first, end),
        lead,
    )


def _tick_days(first: int, end: int) -> list[int]:
    step = max(1, -(-(first - end) // 8))
    return list(range(first, end - 1, -step))


def _x(days_left: int, first: int, end: int) -> float:
    return round(LEFT + (first - days_left) / max(1, first - end) * (WIDTH - LEFT - RIGHT), 1)


def _y(share: float) -> float:
    return round(TOP + (1 - min(share, 1.0)) * (HEIGHT - TOP - BOTTOM), 1)


def _points(rows: list[tuple[int, float | None]], first: int, end: int) -> str:
    return " ".join(
        f"{_x(days_left, first, end)},{_y(share)}" for days_left, share in rows if share is not None
    )
