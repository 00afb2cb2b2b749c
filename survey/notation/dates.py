"""Dates and months as people write them; two-digit years and orders other than year, month, day are not read."""

import datetime as dt
import re

from survey.notation.characters import clean_text
from survey.notation.errors import NotationError
from survey.notation.numerals import DIGITS, parse_digits, parse_numerals

EARLIEST, LATEST = 1800, 2200
_DIGIT = re.compile(f"[0-9{re.escape(''.join(DIGITS))}]")
_PART = re.compile(f"[0-9十{re.escape(''.join(DIGITS))}]{{1,3}}")
_DATE = re.compile(
    rf"(?P<year>{_DIGIT.pattern}{{4}})(?P<mark>[-/. ])(?P<month>{_PART.pattern})"
    rf"(?:(?P=mark)(?P<day>{_PART.pattern}))?"
)
_CHINESE = re.compile(
    rf"(?P<year>{_DIGIT.pattern}{{4}})年(?P<month>{_PART.pattern})"
    rf"(?:月(?:(?P<day>{_PART.pattern})[日号]?)?)?"
)
_COMPACT = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})?")
# Times of a day that a program has written behind a date.
_TIME = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?$")


def parse_month(text: str) -> str:
    """A month as YYYY-MM from 2019-05, 2019/5, 2019年5月, 二〇一九年五月, 201905 or a full date.

    Raises NotationError ``bad_date``.
    """
    year, month, day = _parts(text)
    if day is not None:
        _day(year, month, day)
    return f"{year}-{month:02d}"


def parse_day(text: str) -> dt.date:
    """A day; a month alone means its first day. Raises NotationError ``bad_date``."""
    year, month, day = _parts(text)
    return _day(year, month, 1 if day is None else day)


def _day(year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise NotationError("bad_date") from None


def _parts(text: str) -> tuple[int, int, int | None]:
    cleaned = _TIME.sub("", clean_text(text.strip()))
    match = _COMPACT.fullmatch(cleaned) or _DATE.fullmatch(cleaned) or _CHINESE.fullmatch(cleaned)
    if match is None:
        raise NotationError("bad_date")
    year = _number(parse_digits(match["year"]))
    month, day = _number(match["month"]), _number(match["day"]) if match["day"] else None
    if not EARLIEST <= year <= LATEST or not 1 <= month <= 12:
        raise NotationError("bad_date")
    return year, month, day


def _number(text: str) -> int:
    """One or two digits, or a Chinese numeral up to 三十一."""
    if text.isascii():
        return int(text)
    try:
        return int(parse_numerals(text))
    except (NotationError, ValueError):
        raise NotationError("bad_date") from None
