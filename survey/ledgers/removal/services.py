"""Lawful removal of sealed rows: whole blocks, with a signed row that keeps their count and hash."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from survey.ledgers import content, storage
from survey.ledgers.content import LEDGERS
from survey.ledgers.models import LedgerBlock, LedgerRemoval

type Held = Callable[[str, list[int]], bool]


def remove_before(name: str, before: datetime, *, reason: str, held: Held) -> tuple[int, int]:
    """Remove the rows of blocks sealed before a moment. Returns rows removed and rows kept because they are held.

    ``held`` says for the ids of a block whether one of its rows must stay: then the whole block stays.
    """
    gone = LedgerRemoval.objects.filter(ledger=name).values("number")
    due = LedgerBlock.objects.filter(ledger=name, sealed_at__lt=before).exclude(number__in=gone)
    removed = kept = 0
    for number in due.order_by("number").values_list("number", flat=True):
        with transaction.atomic():
            block = LedgerBlock.objects.get(ledger=name, number=number)
            if held(name, block.row_ids):
                kept += block.count
                continue
            _store(block, reason)
            removed += storage.delete_rows(LEDGERS[name], number)
    return removed, kept


def _store(block: LedgerBlock, reason: str) -> None:
    algorithm, key = content.present()
    removal = LedgerRemoval(
        ledger=block.ledger,
        number=block.number,
        count=block.count,
        hash=block.hash,
        reason=reason,
        removed_at=storage.transaction_time(),
        algorithm=algorithm,
        key=key,
    )
    removal.signature = content.signature(content.removal_statement(removal), algorithm, key)
    removal.save()
