"""Filed sheets day by day against last year: shares of what is due, aligned by the days to the deadline. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 10, 28


@dataclass(frozen=True, slots=True)
class Day:
    """One row of the table: day of this round, days to the deadline, cumulative counts and shares."""

    day: dt.date
    left: int
    filed: int | None
    share: float | None
    last_share: float | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of the two lines for an SVG of WIDTH x HEIGHT, its ticks, and the same as rows."""

    days: list[Day]
    this: str
    last: str
    across: list[Tick]
    up: list[Tick]
    due: float  # where the deadline stands
    lead: float | None  # this share minus last year's, on the latest day


def cumulated(filed: Mapping[dt.date, int], due_on: dt.date, until: dt.date | None = None) -> dict[int, int]:
    """Days to the deadline (negative after it) -> sheets filed up to then."""
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
    """The two lines; None while nothing has been filed in either round."""
    this, last = cumulated(filed, due_on, today), cumulated(last_filed, last_due_on)
    if not this and not last:
        return None
    first = max([*this, *last])
    end = min([*this, *last, (due_on - today).days if this else 0, 0])
    end = max(end, (due_on - today).days) if not last else end
    days = []
    count: int | None = 0
    last_count = 0
    for left in range(first, end - 1, -1):
        day = due_on - dt.timedelta(days=left)
        count = None if day > today else this.get(left, count or 0)
        last_count = last.get(left, last_count)
        days.append(
            Day(
                day,
                left,
                count,
                count / due if count is not None and due else None,
                last_count / last_due if last_due else None,
            )
        )
    known = [one for one in days if one.share is not None]
    lead = None
    if known and known[-1].share is not None and known[-1].last_share is not None:
        lead = known[-1].share - known[-1].last_share
    return Curve(
        days,
        _points([(one.left, one.share) for one in days], first, end),
        _points([(one.left, one.last_share) for one in days], first, end),
        [
            Tick(_x(left, first, end), (due_on - dt.timedelta(days=left)).strftime("%m-%d"))
            for left in _marks(first, end)
        ],
        [Tick(_y(share), f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
        _x(0, first, end),
        lead,
    )


def _marks(first: int, end: int) -> list[int]:
    step = max(1, -(-(first - end) // 8))
    return list(range(first, end - 1, -step))


def _x(left: int, first: int, end: int) -> float:
    return round(LEFT + (first - left) / max(1, first - end) * (WIDTH - LEFT - RIGHT), 1)


def _y(share: float) -> float:
    return round(TOP + (1 - min(share, 1.0)) * (HEIGHT - TOP - BOTTOM), 1)


def _points(rows: list[tuple[int, float | None]], first: int, end: int) -> str:
    return " ".join(f"{_x(left, first, end)},{_y(share)}" for left, share in rows if share is not None)
