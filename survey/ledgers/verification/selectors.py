"""Verification of a ledger: every row and block is read and recomputed; each fault is one sentence."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from survey import clock
from survey.audit import AuditEvent
from survey.ledgers import content, storage
from survey.ledgers import selectors as ledgers
from survey.ledgers.content import LAYOUT, LEDGERS, NOTHING, Ledger
from survey.ledgers.models import LedgerBlock, LedgerGap, LedgerRemoval
from survey.ledgers.storage import Line
from survey.ledgers.verification import messages
from survey.sentences import Sentence

MOST_NAMED = 20  # runs of ids in one sentence
LOWEST = -(2**63) + 1  # ids below zero are nobody's, and found


@dataclass(slots=True)
class Report:
    """What was looked at and what was found."""

    rows: int = 0
    blocks: int = 0
    faults: list[Sentence] = field(default_factory=list)
    notes: list[Sentence] = field(default_factory=list)  # restores of the database


@dataclass(slots=True)
class _State:
    """What is known while the blocks of a ledger are read in their order."""

    ledger: Ledger
    now: datetime
    number: int
    hash: str
    high: int
    unnamed: set[int] = field(default_factory=set)  # rows that no block has named yet
    backdated: list[int] = field(default_factory=list)


def verify(
    names: Iterable[str] = tuple(LEDGERS),
    since: datetime | None = None,
    *,
    heads: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Report:
    """Verify these ledgers; with ``since`` only the blocks sealed from then on.

    A copy of the database is verified with the heads and the time of the copy; the default are those that were
    noted last, and the present.
    """
    report, now = Report(), now or clock.present()
    noted = storage.noted_heads() if heads is None else heads
    for name in names:
        _verify(LEDGERS[name], since, now, report)
        report.faults += _head_faults(name, noted.get(name))
    for restore in ledgers.restores():
        _add_restore(restore, report)
    return report


def _verify(ledger: Ledger, since: datetime | None, now: datetime, report: Report) -> None:
    blocks = LedgerBlock.objects.filter(ledger=ledger.name).order_by("number")
    state = _State(ledger, now, 0, NOTHING, LOWEST)
    if since is not None:
        blocks = blocks.filter(sealed_at__gte=since)
        before = (
            LedgerBlock.objects.filter(ledger=ledger.name, sealed_at__lt=since).order_by("-number").first()
        )
        if before is not None:
            state = _State(ledger, now, before.number, before.hash, before.high)
    removals = {row.number: row for row in LedgerRemoval.objects.filter(ledger=ledger.name)}
    for block in blocks.iterator(chunk_size=20):
        report.faults += _block_faults(state, block, removals.get(block.number))
        report.blocks += 1
        report.rows += block.count
        state.number, state.hash = block.number, block.hash
        state.high = max(state.high, block.high)
    report.faults += _tail_faults(state)


def _block_faults(state: _State, block: LedgerBlock, removal: LedgerRemoval | None) -> Iterator[Sentence]:
    name = block.ledger
    if block.number != state.number + 1:
        yield messages.BLOCK_MISSING(ledger=name, ids=_named(range(state.number + 1, block.number)))
    elif block.predecessor != state.hash:
        yield messages.CHAIN_BROKEN(ledger=name, block=block.number)
    yield from _signature_faults(block)
    lines = _lines(state, block)
    if removal is not None:
        yield from _signature_faults(removal)
        if lines:
            yield messages.NOT_REMOVED(ledger=name, block=block.number, ids=_named(row[0] for row in lines))
        return
    if not block.opening:
        state.backdated += _backdated(block, lines)
    if (
        block.algorithm in content.ALGORITHMS
        and len(lines) == len(block.row_ids)
        and content.linked(block.predecessor, (row[1] for row in lines), block.algorithm) == block.hash
    ):
        return
    yield from _row_faults(block, dict(lines))


def _lines(state: _State, block: LedgerBlock) -> list[Line]:
    """The rows of a block. Other rows between the last block and this one are kept as unnamed."""
    own = set(block.row_ids)
    state.unnamed -= own
    late = [key for key in block.row_ids if key <= state.high]
    rows = storage.lines_of(state.ledger, block.layout, late) if late else []
    if block.high > state.high:
        later = storage.lines_between(state.ledger, block.layout, state.high + 1, block.high)
        state.unnamed.update(row[0] for row in later if row[0] not in own)
        rows += [row for row in later if row[0] in own]
    return rows


def _signature_faults(row: LedgerBlock | LedgerRemoval) -> Iterator[Sentence]:
    make = content.block_statement if isinstance(row, LedgerBlock) else content.removal_statement
    try:
        signed = row.algorithm in content.ALGORITHMS and content.is_signed(
            make(row), row.algorithm, row.key, row.signature
        )
    except KeyError:
        yield messages.UNKNOWN_KEY(ledger=row.ledger, block=row.number, key=row.key)
        return
    if not signed:
        yield messages.FORGED(ledger=row.ledger, block=row.number, key=row.key)


def _row_faults(block: LedgerBlock, lines: dict[int, str]) -> Iterator[Sentence]:
    """Which rows of a block are not those that were sealed."""
    place = {"ledger": block.ledger, "block": block.number}
    deleted = [key for key in block.row_ids if key not in lines]
    if deleted:
        yield messages.DELETED(**place, ids=_named(deleted))
    if block.key not in content.known_keys() or block.algorithm not in content.ALGORITHMS:
        if not deleted:
            yield messages.CHANGED(**place, ids=_named(block.row_ids))
        return
    ids = [key for key in block.row_ids if key in lines]
    stored = dict(zip(block.row_ids, content.split(block.row_digests), strict=False))
    present = content.split(content.digests([lines[key] for key in ids], block.algorithm, block.key))
    wrong = {key: digest for key, digest in zip(ids, present, strict=True) if stored.get(key) != digest}
    sealed = Counter(stored[key] for key in wrong if key in stored)
    moved = [key for key, digest in wrong.items() if sealed[digest]]
    changed = [key for key in wrong if key not in moved]
    if moved:
        yield messages.REORDERED(**place, ids=_named(moved))
    if changed or not (deleted or moved):
        yield messages.CHANGED(**place, ids=_named(changed or block.row_ids))


def _backdated(block: LedgerBlock, lines: Sequence[Line]) -> list[int]:
    earliest = content.micros(block.sealed_at - timedelta(minutes=settings.AUDIT_LATE_MINUTES))
    return [key for key, line in lines if _at(line) < earliest]


def _at(line: str) -> int:
    """The time of a row in microseconds: the second value of its line."""
    return int(line.split(", ", 2)[1])


def _head_faults(name: str, noted: Mapping[str, Any] | None) -> Iterator[Sentence]:
    if noted and not ledgers.is_known(name, noted) and not ledgers.is_given_up(name, noted):
        yield messages.HEAD_LOST(ledger=name, block=noted["number"])


def _add_restore(restore: AuditEvent, report: Report) -> None:
    """A restore that is recorded with a signature is a note; any other record of one is a fault."""
    details = restore.details
    try:
        recorded = ledgers.is_recorded(restore)
    except KeyError:
        recorded = False
    if not recorded:
        report.faults.append(messages.RESTORE_FORGED(row=restore.pk))
        return
    heads = [
        (messages.GIVEN_UP if head["lost"] else messages.GOES_ON)(
            ledger=name, block=head["block"], lost=head["lost"]
        )
        for name, head in sorted(details["ledgers"].items())
    ]
    report.notes.append(
        messages.RESTORED(
            at=details["restored_at"],
            operator=details["operator"],
            source=details["source"],
            reason=details["reason"],
            heads=heads,
        )
    )


def _tail_faults(state: _State) -> Iterator[Sentence]:
    """Rows that no block has, and rows that name a time long before their sealing."""
    name, minutes = state.ledger.name, settings.AUDIT_LATE_MINUTES
    gaps = [*LedgerGap.objects.filter(ledger=name).values_list("first", "last")]
    waiting = {key for key in state.unnamed if any(first <= key <= last for first, last in gaps)}
    inserted = state.unnamed - waiting
    if inserted:
        yield messages.INSERTED(ledger=name, ids=_named(sorted(inserted)))
    earliest = content.micros(state.now - timedelta(minutes=minutes))
    late = storage.lines_of(state.ledger, LAYOUT, sorted(waiting)) if waiting else []
    unsealed = [key for key, line in late if _at(line) < earliest]
    high = max(state.high, 0)
    while lines := storage.lines_after(state.ledger, LAYOUT, high, 10_000):
        unsealed += [key for key, line in lines if _at(line) < earliest]
        high = lines[-1][0]
    for ids, message in ((unsealed, messages.UNSEALED), (state.backdated, messages.BACKDATED)):
        if ids:
            yield message(ledger=name, count=len(ids), minutes=minutes, ids=_named(ids))


def _named(ids: Iterable[int]) -> str:
    """Ids as runs: ``3–7, 9``; the first MOST_NAMED runs."""
    runs: list[list[int]] = []
    for key in ids:
        if runs and key == runs[-1][1] + 1:
            runs[-1][1] = key
        else:
            runs.append([key, key])
    shown = [f"{first}" if first == last else f"{first}–{last}" for first, last in runs[:MOST_NAMED]]
    return ", ".join(shown) + (" …" if len(runs) > MOST_NAMED else "")
