"""Dates as people write them: year, month and day in this order, the year with four digits."""

import datetime as dt

import pytest

from survey.notation.dates import parse_day, parse_month
from survey.notation.errors import NotationError


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2019-05-06", (2019, 5, 6)),
        ("2019/5/6", (2019, 5, 6)),
        ("2019.05.06", (2019, 5, 6)),
        ("20190506", (2019, 5, 6)),
        ("2019年5月6日", (2019, 5, 6)),
        ("２０１９年５月６号", (2019, 5, 6)),
        ("二〇一九年十二月三十一日", (2019, 12, 31)),
        ("2019-05-06 00:00:00", (2019, 5, 6)),
        ("2019-05", (2019, 5, 1)),
        ("2019年5月", (2019, 5, 1)),
        ("201905", (2019, 5, 1)),
        ("1954-03", (1954, 3, 1)),
    ],
)
def test_a_day_and_its_month(text: str, day: tuple[int, int, int]) -> None:
    assert parse_day(text) == dt.date(*day)
    assert parse_month(text) == f"{day[0]}-{day[1]:02d}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2019",
        "54-03",
        "5/2019",
        "06/05/2019",
        "2019-13",
        "2019-02-30",
        "2019-5-",
        "2019-5/6",
        "20195",
        "1492-10",
        "2019-05-06 13:00",
        "yesterday",
        "43591",
    ],
)
def test_other_orders_and_short_years_are_not_read(text: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_month(text)
    assert caught.value.code == "bad_date"
