"""Queries of accounts and of the audit trail."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.utils.functional import cached_property

from survey.access.models import RoleAssignment, User
from survey.audit import AuditEvent

# The audit trail gets a row with every saved cell; counting all of them would take too long.
MAX_COUNT = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic in its stubs only
    """Counts at most MAX_COUNT rows; ``capped`` is true when there may be more."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """Number of rows, at most MAX_COUNT."""
        return min(MAX_COUNT, self.object_list.order_by()[: MAX_COUNT + 1].count())

    @property
    def capped(self) -> bool:
        """True when there may be more than MAX_COUNT rows."""
        return self.count >= MAX_COUNT


def accounts(*, search: str = "", role: str = "", region: str = "", state: str = "") -> QuerySet[User]:
    """All accounts with their current grants. The caller checks the permission."""
    grants = RoleAssignment.objects.filter(ended_at=None).select_related("region", "unit")
    rows = User.objects.order_by("username").prefetch_related(
        Prefetch("assignments", grants, to_attr="current_grants")
    )
    if search:
        rows = rows.filter(Q(username__icontains=search) | Q(name__icontains=search))
    if role or region:
        assignments = RoleAssignment.objects.filter(ended_at=None)
        assignments = assignments.filter(role=role) if role else assignments
        assignments = assignments.filter(region_id=region) if region else assignments
        rows = rows.filter(pk__in=assignments.values("user_id"))
    if state in {"open", "closed"}:
        rows = rows.filter(is_active=state == "open")
    return rows


def audit_events(
    *,
    actor: str = "",
    action: str = "",
    since: dt.date | None = None,
    until: dt.date | None = None,
    outcome: str = "",
) -> QuerySet[AuditEvent]:
    """Audit rows, newest first. Dates are days of Beijing time, both included."""
    rows = AuditEvent.objects.order_by("-at", "-id")
    if actor:
        people = User.objects.filter(Q(username__icontains=actor) | Q(name__icontains=actor))
        rows = rows.filter(actor_id__in=list(people.values_list("pk", flat=True)[:500]))
    if action:
        rows = rows.filter(action=action)
    if since:
        rows = rows.filter(at__gte=_midnight(since))
    if until:
        rows = rows.filter(at__lt=_midnight(until + dt.timedelta(days=1)))
    if outcome:
        rows = rows.filter(succeeded=outcome == "yes")
    return rows


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), ZoneInfo(settings.TIME_ZONE))
