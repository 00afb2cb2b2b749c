"""Answers that somebody else has changed meanwhile."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two people changed the same cell: the three versions of it."""

    key: str
    mine: Any
    theirs: Any
    base: Any
    by: str = ""
    at: datetime | None = None
    by_id: int | None = None  # the account behind the name; guests have none
