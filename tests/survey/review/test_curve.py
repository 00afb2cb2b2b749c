"""The daily curve: cumulative shares of two rounds aligned by their deadlines."""

import datetime as dt

import pytest

from survey.fieldwork.progress.curve import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, cumulative, curve

DUE, LAST_DUE = dt.date(2026, 3, 20), dt.date(2025, 3, 22)


def day(left: int, due: dt.date = DUE) -> dt.date:
    return due - dt.timedelta(days=left)


def test_both_years_are_aligned_by_the_deadline() -> None:
    found = curve(
        {day(3): 10, day(2): 5},
        100,
        DUE,
        day(1),
        {day(4, LAST_DUE): 20, day(0, LAST_DUE): 60},
        200,
        LAST_DUE,
    )
    assert found is not None
    assert [(one.days_left, one.filed, one.share, one.last_share) for one in found.days] == [
        (4, 0, 0.0, 0.1),
        (3, 10, 0.1, 0.1),
        (2, 15, 0.15, 0.1),
        (1, 15, 0.15, 0.1),
        (0, None, None, 0.4),
    ]
    assert found.days[0].day == day(4)
    assert found.lead == pytest.approx(0.05)
    points = [tuple(map(float, one.split(","))) for one in found.last.split()]
    assert points[0] == (LEFT, TOP + 0.9 * (HEIGHT - TOP - BOTTOM))
    assert points[-1][0] == found.due == WIDTH - RIGHT
    assert len(found.this.split()) == 4


def test_nothing_filed_is_no_curve_and_late_filings_count() -> None:
    assert curve({}, 10, DUE, day(5), {}, 10, LAST_DUE) is None
    assert cumulative({day(1): 2, day(-3): 1}, DUE) == {1: 2, -3: 3}
    alone = curve({day(1): 2, day(-3): 1}, 4, DUE, day(-4), {}, 0, DUE)
    assert alone is not None
    assert alone.lead is None
    assert (alone.days[-1].days_left, alone.days[-1].share, alone.last) == (-4, 0.75, "")
