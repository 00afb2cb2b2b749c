"""Records that the database was restored: signed, in the audit trail, and from then on reported by every verification.

Until then the block that was noted outside the database counts as lost. The record cannot be made without a key of
AUDIT_KEYS, so that who cuts off the end of a ledger behind the program's back cannot pass it off as a restore.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction

from survey import audit, clock
from survey.access.models import User
from survey.audit import AuditEvent
from survey.ledgers import content, storage
from survey.ledgers.content import LEDGERS, NOTHING
from survey.ledgers.models import LedgerBlock
from survey.ledgers.sealing.services import seal
from survey.ledgers.selectors import RESTORED, is_known


@transaction.atomic
def record_restore(*, operator: str, reason: str, source: str, **further: Any) -> AuditEvent:
    """Record who restored the database, why, from what, and the blocks from which the ledgers go on; then seal
    what waits. Rows that the copy had not sealed yet are sealed late, and marked so."""
    algorithm, key = content.present()
    details: dict[str, Any] = {
        "restored_at": clock.present().isoformat(timespec="seconds"),
        "operator": operator,
        "reason": reason,
        "source": source,
        "ledgers": {name: _head(name) for name in LEDGERS},
        "algorithm": algorithm,
        "key": key,
    }
    details["signature"] = content.signature(content.restore_statement(details), algorithm, key)
    by = User.objects.filter(username=operator).first()
    event = audit.record(by=by, action=RESTORED, **details, **further)
    for name in LEDGERS:
        while seal(name, partial_after=timedelta(0), opening=True):
            pass
    return event


def _head(name: str) -> dict[str, Any]:
    """The last block of a ledger, and the one that was noted if the database no longer has it."""
    last = LedgerBlock.objects.filter(ledger=name).order_by("-number").first()
    noted = storage.noted_heads().get(name)
    lost = noted if noted and not is_known(name, noted) else {"number": 0, "hash": ""}
    return {
        "block": last.number if last else 0,
        "hash": last.hash if last else NOTHING,
        "lost": lost["number"],
        "lost_hash": lost["hash"],
    }
