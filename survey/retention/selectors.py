"""Holds that are in force, the table as it holds on this site, and reports of sweeps."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from survey import clock
from survey.retention.models import LegalHold, RetentionReport
from survey.retention.periods import KINDS, Kind, days_of


@dataclass(frozen=True, slots=True)
class Held:
    """What the holds in force say about one kind: everything stays, or what belongs to these units."""

    everything: bool
    units: frozenset[int]


def holds() -> "QuerySet[LegalHold]":
    """All holds, newest first."""
    return LegalHold.objects.select_related("by", "ended_by", "unit").order_by("-pk")


def in_force(now: datetime | None = None) -> "QuerySet[LegalHold]":
    """Holds that forbid a removal now."""
    return LegalHold.objects.filter(Q(until=None) | Q(until__gt=now or clock.present()), ended_at=None)


def held(kind: str) -> Held:
    """The holds in force on a kind."""
    rows = in_force().filter(kind__in=["", kind]).values_list("unit", flat=True)
    return Held(None in rows, frozenset(unit for unit in rows if unit is not None))


@dataclass(frozen=True, slots=True)
class Period:
    """A line of the table as it holds on this site."""

    kind: Kind
    days: int | None


def periods() -> list[Period]:
    """The table."""
    return [Period(kind, days_of(kind)) for kind in KINDS]


def limit_of(code: str, now: datetime) -> datetime:
    """What is older than this is over its period. Only for kinds with days."""
    kind = next(kind for kind in KINDS if kind.code == code)
    days = days_of(kind)
    if days is None:
        raise ValueError(f"{code} has no period")
    return now - timedelta(days=days)


def reports() -> "QuerySet[RetentionReport]":
    """Reports of sweeps, newest first."""
    return RetentionReport.objects.order_by("-pk")
