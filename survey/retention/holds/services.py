"""Legal holds: set and ended by the audit administrator, never deleted."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.frame.models import ReportingUnit
from survey.retention.models import LegalHold
from survey.retention.periods import CODES


@transaction.atomic
def set_hold(
    *, by: User, reason: str, kind: str = "", credit_code: str = "", until: datetime | None = None
) -> LegalHold:
    """Set a hold. Raises PermissionDenied, PolicyDenied (no reason, unknown unit or kind, end in the past)."""
    if not may(by, Permission.VIEW_AUDIT):
        raise PermissionDenied
    reason = " ".join(reason.split())[:2000]
    if not reason:
        raise PolicyDenied(_("Give a reason."))
    if kind and kind not in CODES:
        raise PolicyDenied(_("Choose a kind of the table."))
    unit = ReportingUnit.objects.filter(uscc=credit_code.strip()).first() if credit_code.strip() else None
    if credit_code.strip() and unit is None:
        raise PolicyDenied(_("No unit has this credit code."))
    if until is not None and until <= clock.present():
        raise PolicyDenied(_("The end lies in the past."))
    row = LegalHold.objects.create(by=by, reason=reason, kind=kind, unit=unit, until=until)
    audit.record(
        by=by,
        action="hold_set",
        subject=row,
        kind=kind,
        unit=unit.uscc if unit else "",
        reason=reason,
        until=until.isoformat() if until else "",
    )
    return row


@transaction.atomic
def end_hold(hold: LegalHold, *, by: User) -> LegalHold:
    """End a hold now. Raises PermissionDenied, PolicyDenied when it has ended."""
    if not may(by, Permission.VIEW_AUDIT):
        raise PermissionDenied
    row = LegalHold.objects.select_for_update().get(pk=hold.pk)
    if row.ended_at is not None:
        raise PolicyDenied(_("This hold has ended already."))
    row.ended_at, row.ended_by = clock.present(), by
    row.save(update_fields=["ended_at", "ended_by"])
    audit.record(by=by, action="hold_ended", subject=row, kind=row.kind, reason=row.reason)
    return row
