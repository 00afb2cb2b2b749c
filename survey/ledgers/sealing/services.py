"""Sealing: rows that were committed since the last block are written into new blocks.

Linking within the transaction that adds a row would let all saves of the country wait for each other. Rows get
their ids before they are committed: ids that a block passes over are kept as gaps, and rows that appear there later
are sealed later.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import batched, pairwise

from django.db import transaction

from survey import clock
from survey.ledgers import content, storage
from survey.ledgers.content import LAYOUT, LEDGERS, NOTHING, Ledger
from survey.ledgers.models import LedgerBlock, LedgerGap
from survey.ledgers.selectors import is_given_up, is_known
from survey.ledgers.storage import Line

logger = logging.getLogger(__name__)
BLOCK_ROWS = 1000
MOST_BLOCKS = 50  # of one pass
PARTIAL_AFTER = timedelta(seconds=60)  # a block with fewer rows is written when the last one is so old
GAP_KEPT = timedelta(days=7)  # no transaction is open for longer


def seal_all() -> int:
    """Seal what waits in every ledger. Returns the number of rows."""
    return sum(seal(name) for name in LEDGERS)


@transaction.atomic
def seal(
    name: str,
    *,
    partial_after: timedelta = PARTIAL_AFTER,
    now: datetime | None = None,
    opening: bool = False,
) -> int:
    """Seal what waits in one ledger, up to MOST_BLOCKS blocks; nothing while another process does it.

    With ``opening`` the rows are of a time when the ledger was not sealed continuously.
    """
    if not storage.lock(name):
        return 0
    ledger, now = LEDGERS[name], now or clock.present()
    last = LedgerBlock.objects.filter(ledger=name).order_by("-number").first()
    LedgerGap.objects.filter(ledger=name, seen_at__lt=now - GAP_KEPT).delete()
    high, most = last.high if last else 0, BLOCK_ROWS * MOST_BLOCKS
    late = storage.late_lines(ledger, LAYOUT, most)
    fresh = storage.lines_after(ledger, LAYOUT, high, most - len(late))
    full = len(late) + len(fresh) == most
    chosen = [*batched([*late, *fresh], BLOCK_ROWS, strict=False)]
    if chosen and len(chosen[-1]) < BLOCK_ROWS and last and now - last.sealed_at < partial_after:
        chosen.pop()  # its rows wait for others
    if not chosen:
        return 0
    blocks = [*_blocks(ledger, last, chosen, full=full, now=now, opening=opening)]
    LedgerBlock.objects.bulk_create(blocks)
    sealed = {key for block in blocks for key in block.row_ids}
    _close_gaps(name, [key for key, _line in late if key in sealed])
    _open_gaps(name, high, [key for key, _line in fresh if key in sealed], now)
    transaction.on_commit(partial(_note, name, blocks[-1]))
    return len(sealed)


def _blocks(
    ledger: Ledger,
    last: LedgerBlock | None,
    chosen: Sequence[tuple[Line, ...]],
    *,
    full: bool,
    now: datetime,
    opening: bool,
) -> Iterator[LedgerBlock]:
    algorithm, key = content.present()
    number, before, high = (last.number, last.hash, last.high) if last else (0, NOTHING, 0)
    opening = opening or last is None or (last.opening and not last.caught_up)
    for rows in chosen:
        ids, lines = [row[0] for row in rows], [row[1] for row in rows]
        number, high = number + 1, max(high, ids[-1])
        block = LedgerBlock(
            ledger=ledger.name,
            number=number,
            layout=LAYOUT,
            row_ids=ids,
            row_digests=content.digests(lines, algorithm, key),
            count=len(ids),
            high=high,
            opening=opening,
            caught_up=not full and rows is chosen[-1],
            sealed_at=now,
            predecessor=before,
            hash=content.linked(before, lines, algorithm),
            algorithm=algorithm,
            key=key,
        )
        block.signature = content.signature(content.block_statement(block), algorithm, key)
        before = block.hash
        yield block


def _open_gaps(name: str, high: int, ids: Sequence[int], now: datetime) -> None:
    """Keep the ids that were passed over between the former ``high`` and the last of these."""
    gaps, before = [], high
    for key in ids:
        if key > before + 1:
            gaps.append(LedgerGap(ledger=name, first=before + 1, last=key - 1, seen_at=now))
        before = key
    LedgerGap.objects.bulk_create(gaps)


def _close_gaps(name: str, ids: Sequence[int]) -> None:
    """Take ids that were sealed out of their gaps."""
    if not ids:
        return
    for gap in LedgerGap.objects.filter(ledger=name, first__lte=ids[-1], last__gte=ids[0]):
        inside = [key for key in ids if gap.first <= key <= gap.last]
        if inside:
            edges = [gap.first - 1, *inside, gap.last + 1]
            rest = [(a + 1, b - 1) for a, b in pairwise(edges) if b > a + 1]
            gap.delete()
            LedgerGap.objects.bulk_create(
                LedgerGap(ledger=name, first=first, last=end, seen_at=gap.seen_at) for first, end in rest
            )


def _note(name: str, last: LedgerBlock) -> None:
    """Note the head outside the database. What was noted before stays when the database has lost it and no signed
    record of a restore gives it up."""
    noted = storage.noted_heads().get(name)
    if noted is None or is_known(name, noted) or is_given_up(name, noted):
        storage.note_head(name, last.number, last.hash)
    else:
        logger.error("the last block that was noted of ledger %s is no longer in the database", name)
