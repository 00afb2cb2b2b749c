"""What a reviewer filters the queue by, as one value that is also a query string. Pure.

The address of a filtered queue is its bookmark, the link of a board cell, and the filter that a bulk
acceptance was given: all three are written and read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from urllib.parse import urlencode

from survey.submissions.lifecycle.states import FILED, State

DESK = ""  # the states that wait for this user's decision
EVERY = "all"
FILED_GROUP = "filed"
ORDERS = ("score", "oldest", "findings", "change")
EFFECTS = ("little", "moves", "slip")
FINDINGS = ("none", "soft", "refused")
QUERIES = ("none", "open", "answered")
AGAIN = ("first", "again")
_CHOICES: dict[str, tuple[str, ...]] = {
    "state": (FILED_GROUP, EVERY, *(state.value for state in State)),
    "findings": FINDINGS,
    "queries": QUERIES,
    "again": AGAIN,
    "effect": EFFECTS,
    "order": ORDERS,
}
_MOST = 60  # characters of a search


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """One setting of the queue; an empty string means "any" (for ``state``: this user's desk)."""

    year: str = ""
    state: str = DESK
    category: str = ""
    region: str = ""
    findings: str = ""
    queries: str = ""
    again: str = ""
    effect: str = ""
    search: str = ""
    order: str = "score"

    @classmethod
    def read(cls, query: Mapping[str, str]) -> QueueFilter:
        """From a query string; values that mean nothing are dropped, so that an old bookmark still works."""
        values = {field.name: str(query.get(field.name, "")).strip()[:_MOST] for field in fields(cls)}
        for name, known in _CHOICES.items():
            if values[name] not in known:
                values[name] = ""
        if not (values["year"].isascii() and values["year"].isdigit() and len(values["year"]) == 4):
            values["year"] = ""
        values["search"] = values["search"].replace("\x00", "")
        values["order"] = values["order"] or "score"
        return cls(**values)

    def written(self) -> dict[str, str]:
        """Only what differs from the plain queue."""
        plain = QueueFilter()
        return {name: value for name, value in asdict(self).items() if value != getattr(plain, name)}

    @property
    def encoded(self) -> str:
        """The query string without the question mark."""
        return urlencode(self.written())

    def but(self, **changes: str) -> QueueFilter:
        """The same filter with some settings replaced."""
        return replace(self, **changes)

    @property
    def is_plain(self) -> bool:
        """True when nothing but year and order is set."""
        return self.but(year="", order="score") == QueueFilter()

    def states(self, desk: frozenset[State]) -> frozenset[State]:
        """The states that this filter lets through for somebody with this desk."""
        if self.state == DESK:
            return desk
        if self.state == EVERY:
            return frozenset(State)
        return FILED if self.state == FILED_GROUP else frozenset({State(self.state)})
