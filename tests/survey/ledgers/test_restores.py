"""A restore ends the ledgers before the block that was noted: only its signed record explains that."""

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from survey import audit
from survey.audit import AuditEvent
from survey.encryption import new_key
from survey.ledgers.models import LedgerBlock
from survey.ledgers.restores.services import record_restore
from survey.ledgers.storage import note_head, noted_heads, protection_lifted
from survey.ledgers.verification.selectors import verify
from tests.survey.ledgers.conftest import add, seal_now

LOST = {"number": 9, "hash": "a" * 64}


def codes() -> set[str]:
    return {fault.code for fault in verify().faults}


def test_a_lost_head_is_a_fault_until_the_restore_is_recorded(
    transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    add(1)
    seal_now()
    note_head("audit", 9, "a" * 64)
    add(2)
    seal_now()
    assert noted_heads()["audit"] == LOST  # the sealer does not hide it
    assert codes() == {"ledger_head_lost"}
    call_command("record_restore", "--by", "wang", "--reason", "the disk broke", "--source", "a copy of noon")
    assert "the ledgers go on from audit block 2" in capsys.readouterr().out
    report = verify()
    assert report.faults == []
    assert [note.params["operator"] for note in report.notes] == ["wang"]
    last = LedgerBlock.objects.filter(ledger="audit").latest("number")
    assert last.number == 3 and noted_heads()["audit"] == {"number": 3, "hash": last.hash}
    # The record gives up that one block, no other.
    note_head("audit", 10, "b" * 64)
    assert codes() == {"ledger_head_lost"}


def test_rows_that_the_copy_had_not_sealed_may_be_old(sealed: list[int]) -> None:
    row = audit.record(by=None, action="sign_in")
    with protection_lifted():
        AuditEvent.objects.filter(pk=row.pk).update(at=timezone.now() - dt.timedelta(hours=3))
    assert codes() == {"ledger_unsealed"}
    assert verify(now=timezone.now() - dt.timedelta(hours=3), heads={}).faults == []
    record_restore(operator="wang", reason="the disk broke", source="a copy")
    assert codes() == set()
    assert LedgerBlock.objects.latest("pk").opening


@pytest.mark.parametrize(
    "change",
    [{"operator": "somebody"}, {"reason": "another"}, {"signature": "0" * 64}, {"ledgers": {}}, {"key": "x"}],
)
def test_a_changed_or_invented_record_explains_nothing(
    db: None, settings: Any, change: dict[str, Any]
) -> None:
    add(1)
    seal_now()
    note_head("audit", 9, "a" * 64)
    event = record_restore(operator="wang", reason="the disk broke", source="a copy")
    assert codes() == set()
    with protection_lifted():
        AuditEvent.objects.filter(pk=event.pk).update(details={**event.details, **change})
    assert codes() >= {"ledger_restore_forged", "ledger_head_lost"}


def test_a_record_that_was_signed_with_another_key_explains_nothing(db: None, settings: Any) -> None:
    add(1)
    seal_now()
    note_head("audit", 9, "a" * 64)
    former, settings.AUDIT_KEYS = settings.AUDIT_KEYS, f"local:{new_key()}"
    record_restore(operator="wang", reason="the disk broke", source="a copy")
    settings.AUDIT_KEYS = former
    assert codes() >= {"ledger_restore_forged", "ledger_head_lost"}
