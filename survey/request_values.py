"""Reads numbers out of texts of a request. Pure.

``str.isdigit`` and ``str.isdecimal`` also accept digits that ``int`` refuses (``²``) or a database cannot hold, so
that no module besides this one converts a text of an address or a form by hand; a test reads the program for that.
"""

import re
from collections.abc import Sequence

LARGEST_INTEGER = 2**31 - 1  # of a PostgreSQL integer
LARGEST_KEY = 2**63 - 1  # of a PostgreSQL bigint: primary keys


def whole_number(text: str | None, largest: int = LARGEST_INTEGER) -> int | None:
    """The number that ASCII digits alone say, or None: no sign, no space, nothing above ``largest``."""
    if text is None or not re.fullmatch(r"[0-9]{1,19}", text):
        return None
    number = int(text)
    return number if number <= largest else None


def row_key(text: str | None) -> int | None:
    """The primary key that a text names, or None."""
    return whole_number(text, LARGEST_KEY)


def listed_number(text: str | None, listed: Sequence[int]) -> int:
    """The number of a text when it is one of the listed ones, else the first of these."""
    number = whole_number(text)
    return number if number is not None and number in listed else listed[0]
