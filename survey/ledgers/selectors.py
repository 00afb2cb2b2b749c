"""How far the ledgers are sealed, and what the last verification found."""

from dataclasses import dataclass

from django.db.models import Sum

from survey.audit import AuditEvent
from survey.ledgers.content import LEDGERS
from survey.ledgers.models import LedgerBlock, LedgerRemoval

VERIFIED = "ledgers_verified"


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
