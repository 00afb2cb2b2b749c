"""Blocks hold every committed row once, also rows that are committed after later ids were sealed."""

import datetime as dt

import pytest
from django.utils import timezone

from survey.audit import AuditEvent
from survey.ledgers import storage
from survey.ledgers.models import LedgerBlock, LedgerGap
from survey.ledgers.sealing import services as sealing
from survey.ledgers.verification.selectors import verify
from tests.concurrency import LIMIT, Actor, race
from tests.survey.ledgers.conftest import add, seal_now


def sealed_ids(name: str = "audit") -> list[int]:
    return [
        key
        for ids in LedgerBlock.objects.filter(ledger=name).values_list("row_ids", flat=True)
        for key in ids
    ]


def test_a_row_that_is_committed_late_is_sealed_later(transactional_db: None) -> None:
    seal_now()
    late = Actor(lambda: add(1), held=True)
    late.start()
    assert late.acted.wait(LIMIT)
    row = add(2)
    seal_now()
    assert row in sealed_ids() and row - 1 not in sealed_ids()
    assert LedgerGap.objects.filter(first__lte=row - 1, last=row - 1).exists()
    late.end()
    assert late.outcome.value == row - 1
    assert verify(["audit"]).faults == []
    assert seal_now() == 1
    assert sealed_ids()[-1] == row - 1
    assert not LedgerGap.objects.filter(last=row - 1).exists()
    assert sorted(sealed_ids()) == sorted(AuditEvent.objects.values_list("pk", flat=True))
    assert verify(["audit"]).faults == []


def test_of_two_sealers_one_works(transactional_db: None) -> None:
    add(1)
    first, second = race(seal_now, seal_now)
    assert first.error is None and first.value > 0
    assert (second.value, second.waited) == (0, False)
    assert verify(["audit"]).faults == []


def test_nobody_who_saves_waits_for_the_sealer(transactional_db: None) -> None:
    add(1)
    _first, second = race(seal_now, lambda: add(2))
    assert second.error is None and not second.waited


def test_the_last_block_is_noted_outside_the_database(transactional_db: None) -> None:
    add(1)
    seal_now()
    last = LedgerBlock.objects.latest("number")
    assert storage.noted_heads()["audit"] == {"number": last.number, "hash": last.hash}
    storage.note_head("audit", last.number + 5, "0" * 64)
    add(2)
    seal_now()
    assert storage.noted_heads()["audit"]["number"] == last.number + 5
    assert [fault.code for fault in verify(["audit"]).faults] == ["ledger_head_lost"]


def test_small_blocks_wait_a_minute(sealed: list[int]) -> None:
    add(1)
    assert sealing.seal("audit") == 0
    assert sealing.seal("audit", now=timezone.now() + dt.timedelta(minutes=2)) == 1


def test_one_pass_has_a_limit(sealed: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MOST_BLOCKS", 2)
    for number in range(8):
        add(number)
    assert [seal_now() for _ in range(3)] == [6, 2, 0]
    assert not LedgerBlock.objects.filter(number__gt=4, opening=True).exists()


def test_rows_of_the_time_before_are_the_opening(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MOST_BLOCKS", 2)
    monkeypatch.setattr(sealing, "BLOCK_ROWS", 10)
    old = timezone.now() - dt.timedelta(days=9)
    for _ in range(5):
        AuditEvent.objects.create(at=old, action="sign_in")
    while seal_now():
        pass
    assert set(LedgerBlock.objects.values_list("opening", flat=True)) == {True}
    assert verify(["audit"]).faults == []
    AuditEvent.objects.create(at=old, action="sign_in")
    seal_now()
    assert not LedgerBlock.objects.latest("number").opening
    assert [fault.code for fault in verify(["audit"]).faults] == ["ledger_backdated"]


def test_a_large_gap_is_closed_piece_by_piece(sealed: list[int]) -> None:
    last = sealed[-1]
    AuditEvent.objects.create(pk=last + 100, action="sign_in")
    seal_now()
    assert list(LedgerGap.objects.filter(first__gt=last).values_list("first", "last")) == [
        (last + 1, last + 99)
    ]
    for key in (last + 1, last + 50, last + 51):
        AuditEvent.objects.create(pk=key, action="sign_in")
    assert seal_now() == 3
    assert list(LedgerGap.objects.filter(first__gt=last).order_by("first").values_list("first", "last")) == [
        (last + 2, last + 49),
        (last + 52, last + 99),
    ]
    assert verify(["audit"]).faults == []
