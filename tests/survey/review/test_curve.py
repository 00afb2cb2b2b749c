"""The daily curve: cumulative shares of two rounds aligned by their deadlines."""

import datetime as dt

import pytest

from survey.fieldwork.progress.curve import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, cumulative, curve

DUE, LAST_DUE = dt.date(2026, 3, 20), dt.date(2025, 3, 22)


def day(days_left: int, due: dt.date = DUE) -> dt.date:
    return due - dt.timedelta(days=days_left)


def test_both_years_are_aligned_by_the_deadline() -> None:
    result = curve(
        {day(3): 10, day(2): 5},
        100,
        DUE,
        day(1),
        {day(4, LAST_DUE): 20, day(0, LAST_DUE): 60},
        200,
        LAST_DUE,
    )
    assert result is not None
    assert [(entry.days_left, entry.filed, entry.share, entry.last_share) for entry in result.days] == [
        (4, 0, 0.0, 0.1),
        (3, 10, 0.1, 0.1),
        (2, 15, 0.15, 0.1),
        (1, 15, 0.15, 0.1),
        (0, None, None, 0.4),
    ]
    assert result.days[0].day == day(4)
    assert result.lead == pytest.approx(0.05)
    points = [tuple(map(float, point.split(","))) for point in result.last.split()]
    assert points[0] == (LEFT, TOP + 0.9 * (HEIGHT - TOP - BOTTOM))
    assert points[-1][0] == result.due == WIDTH - RIGHT
    assert len(result.this.split()) == 4


def test_no_curve_without_filings_and_late_filings_count() -> None:
    assert curve({}, 10, DUE, day(5), {}, 10, LAST_DUE) is None
    assert cumulative({day(1): 2, day(-3): 1}, DUE) == {1: 2, -3: 3}
    alone = curve({day(1): 2, day(-3): 1}, 4, DUE, day(-4), {}, 0, DUE)
    assert alone is not None
    assert alone.lead is None
    assert (alone.days[-1].days_left, alone.days[-1].share, alone.last) == (-4, 0.75, "")
