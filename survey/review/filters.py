"""The filter of the review queue as a value that converts to and from a query string. Pure.

The same query string is used in bookmarks, links of the progress board and stored bulk acceptances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from urllib.parse import urlencode

from survey.request_values import whole_number
from survey.submissions.lifecycle.states import FILED, State

DESK = ""  # the states that this user decides on
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
LONGEST_QUERY = 1_500  # characters; Django redirects to 2,048 at most


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
        """From a query string; invalid values are dropped, so that an old bookmark still works."""
        values = {field.name: str(query.get(field.name, "")).strip()[:_MOST] for field in fields(cls)}
        for name, allowed in _CHOICES.items():
            if values[name] not in allowed:
                values[name] = ""
        if len(values["year"]) != 4 or whole_number(values["year"]) is None:
            values["year"] = ""
        values["search"] = values["search"].replace("\x00", "")
        values["order"] = values["order"] or "score"
        return cls(**values)

    def dropped(self, query: Mapping[str, str]) -> list[str]:
        """The names of the settings whose values in the query were not taken as they are."""
        given = {field.name: str(query.get(field.name, "")).strip() for field in fields(self)}
        return [name for name, value in given.items() if value and getattr(self, name) != value]

    def written(self) -> dict[str, str]:
        """The settings that differ from the default."""
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
        """The states that this filter includes for a user who decides on ``desk``."""
        if self.state == DESK:
            return desk
        if self.state == EVERY:
            return frozenset(State)
        return FILED if self.state == FILED_GROUP else frozenset({State(self.state)})


def carried(query: Mapping[str, str], text: str) -> str:
    """The query of a page, ``text``, for the address after an act; the filter alone when it is too long for one."""
    return text if len(text) <= LONGEST_QUERY else QueueFilter.read(query).encoded
