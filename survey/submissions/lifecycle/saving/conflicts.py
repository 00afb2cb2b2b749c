"""Conflicts between concurrent changes of a cell."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell that two people changed, with the three versions of a three-way merge."""

    key: str
    mine: Any
    theirs: Any
    base: Any
    by: str = ""
    at: datetime | None = None
    by_id: int | None = None  # the account behind the name; guests have none
