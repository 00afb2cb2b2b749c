"""Unused accounts are closed, because nobody notices their misuse.

The time of last use is the last sign-in, or the creation or reopening of the account when that is later.
Rehearsal accounts stay open, and so does the last account that can reopen the others. Accounts of respondents stay
open too: the survey takes place once a year, and reopening 48,000 accounts would take as many letters.
"""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import CharField, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce, Greatest

from survey import audit, clock
from survey.access.models import RoleAssignment, User
from survey.access.own_sessions.services import end_sessions_of
from survey.access.roles import Permission, Role, roles_with
from survey.audit import AuditEvent


def _with_last_use() -> Any:
    """Open accounts of the offices' staff, annotated with ``used_at`` (which the type of a queryset cannot express)."""
    reopened = AuditEvent.objects.filter(
        action="account_reopened", subject_type="user", subject_id=Cast(OuterRef("pk"), CharField())
    ).order_by("-at")
    moments = (F("created_at"), F("last_login"), Subquery(reopened.values("at")[:1]))
    respondents = RoleAssignment.objects.filter(user=OuterRef("pk"), role=Role.RESPONDENT, ended_at=None)
    return User.objects.filter(~Exists(respondents), is_active=True, is_synthetic=False).annotate(
        used_at=Greatest(
            *(Coalesce(moment, F("created_at"), output_field=DateTimeField()) for moment in moments)
        )
    )


def idle_accounts() -> "QuerySet[User]":
    """Open accounts that nobody has used for IDLE_ACCOUNT_DAYS."""
    limit = clock.present() - dt.timedelta(days=settings.IDLE_ACCOUNT_DAYS)
    rows: QuerySet[User] = _with_last_use().filter(used_at__lt=limit).exclude(pk=_last_administrator())
    return rows


def _last_administrator() -> int | None:
    """The system administrator with the latest use: one account must remain that can reopen others."""
    holds = Q(assignments__role__in=roles_with(Permission.MANAGE_USERS), assignments__ended_at=None)
    newest = _with_last_use().filter(holds).order_by("-used_at", "pk").first()
    return newest.pk if newest else None


@transaction.atomic
def close_idle_accounts(only: Any = None) -> int:
    """Close the idle accounts (or ``only`` this account, if it is idle), with one audit row each. Returns their number."""
    rows = idle_accounts() if only is None else idle_accounts().filter(pk=only.pk)
    closed = 0
    for user in rows:
        if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            end_sessions_of(user)
            audit.record(
                by=None, action="account_closed", subject=user, reason="idle", days=settings.IDLE_ACCOUNT_DAYS
            )
            closed += 1
    return closed
