"""How far the ledgers are sealed, what the last verification found, and restores of the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from survey.audit import AuditEvent
from survey.ledgers.content import LEDGERS, is_signed, restore_statement
from survey.ledgers.models import LedgerBlock, LedgerRemoval

VERIFIED = "ledgers_verified"
RESTORED = "database_restored"


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """A ledger as the audit administrator sees it."""

    name: str
    last: LedgerBlock | None
    rows: int
    removed: int


def ledger_statuses() -> list[LedgerStatus]:
    """The state of every ledger."""
    return [
        LedgerStatus(
            name,
            LedgerBlock.objects.filter(ledger=name)
            .defer("row_ids", "row_digests")
            .order_by("-number")
            .first(),
            LedgerBlock.objects.filter(ledger=name).aggregate(rows=Sum("count"))["rows"] or 0,
            LedgerRemoval.objects.filter(ledger=name).aggregate(rows=Sum("count"))["rows"] or 0,
        )
        for name in LEDGERS
    ]


def last_verification() -> AuditEvent | None:
    """The audit row of the last verification."""
    return AuditEvent.objects.filter(action=VERIFIED).order_by("-at").first()


def is_known(ledger: str, head: Mapping[str, Any]) -> bool:
    """Whether the database has the block that was noted as the head of a ledger."""
    return LedgerBlock.objects.filter(ledger=ledger, number=head["number"], hash=head["hash"]).exists()


def restores() -> list[AuditEvent]:
    """Audit rows of restores of this database, the oldest first."""
    return [*AuditEvent.objects.filter(action=RESTORED).order_by("pk")]


def is_recorded(restore: AuditEvent) -> bool:
    """Whether the record of a restore is signed. Raises KeyError for a key that AUDIT_KEYS does not name."""
    details = restore.details
    try:
        statement = restore_statement(details)
    except (KeyError, AttributeError, TypeError):
        return False
    return is_signed(statement, details["algorithm"], details["key"], str(details.get("signature")))


def is_given_up(ledger: str, head: Mapping[str, Any]) -> bool:
    """Whether a signed record says that this head of a ledger was given up by a restore to an earlier block."""
    for restore in restores():
        given = restore.details.get("ledgers", {}).get(ledger, {})
        if (given.get("lost"), given.get("lost_hash")) != (head["number"], head["hash"]):
            continue
        try:
            return is_recorded(restore)
        except KeyError:
            return False
    return False
