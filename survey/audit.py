"""The audit trail. Rows have no foreign keys, so that they outlive their subjects."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import connection, models

from survey import clock

# The address of the current request, so that services need no argument for it.
_address: ContextVar[str | None] = ContextVar("address", default=None)


class AuditEvent(models.Model):
    """An action of a user or of the system, successful or refused. Rows are only added."""

    at = models.DateTimeField(default=clock.present, db_index=True)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.CharField(max_length=60, blank=True)
    region_path = models.CharField(max_length=60, blank=True)
    succeeded = models.BooleanField(default=True)
    details = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
            models.Index(fields=["actor_id", "-at"], name="audit_actor"),
            models.Index(fields=["action", "-at"], name="audit_action"),
        ]


@contextmanager
def address(value: str | None) -> Iterator[None]:
    """Set the network address of the rows that are recorded inside the context."""
    token = _address.set(value)
    try:
        yield
    finally:
        _address.reset(token)


def current_address() -> str | None:
    """The network address of the rows that are recorded now."""
    return _address.get()


def record(
    *,
    by: Any,
    action: str,
    subject: models.Model | None = None,
    succeeded: bool = True,
    region_path: str = "",
    **details: Any,
) -> AuditEvent:
    """Add one audit row inside the caller's transaction.

    ``by`` is a user, or None for the system. ``details`` must be JSON values and must not hold
    passwords, one-time codes or whole answer sheets.
    """
    return AuditEvent.objects.create(
        actor_id=getattr(by, "pk", None),
        actor_name=getattr(by, "username", "") or "",
        action=action,
        subject_type=subject._meta.model_name or "" if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        region_path=region_path,
        succeeded=succeeded,
        details=details,
        address=current_address(),
    )


_RECORD_EACH = """
    INSERT INTO survey_auditevent
        (at, actor_id, actor_name, action, subject_type, subject_id, region_path, succeeded, details, address)
    SELECT %(audit_at)s, %(audit_by)s, %(audit_name)s, %(audit_action)s, %(audit_subject)s, subject_id, region_path,
           true, details, %(audit_address)s::inet
    FROM ({rows}) AS given
"""


def record_each(
    *, by: Any, action: str, subject: type[models.Model], at: datetime, rows: str, params: Mapping[str, Any]
) -> int:
    """Add one audit row for each row of a query, in one statement inside the caller's transaction.

    ``rows`` is a trusted SELECT with the columns subject_id (text), region_path and details (jsonb), in the order of
    the events; ``params`` are its values. Returns how many rows were added.
    """
    values = {
        **params,
        "audit_at": at,
        "audit_by": getattr(by, "pk", None),
        "audit_name": getattr(by, "username", "") or "",
        "audit_action": action,
        "audit_subject": subject._meta.model_name,
        "audit_address": current_address(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_EACH.replace("{rows}", rows), values)
        return int(cursor.rowcount)
