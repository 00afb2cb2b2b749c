"""Every way to change a ledger behind the program's back is planted, and found."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from survey.audit import AuditEvent
from survey.ledgers import content, storage
from survey.ledgers.content import LEDGERS, NOTHING
from survey.ledgers.models import LedgerBlock, LedgerGap
from survey.ledgers.storage import protection_lifted
from survey.ledgers.verification.selectors import verify
from tests.survey.ledgers.conftest import add, seal_now

OTHER_KEY = "local:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoyMzQ1Njc="
type Fault = tuple[str, set[int] | None]


def execute(sql: str, *params: Any) -> None:
    with protection_lifted(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def faults() -> dict[str, str]:
    """Code -> ids or block of each fault of the audit trail."""
    report = verify(["audit"])
    assert len({fault.code for fault in report.faults}) == len(report.faults)
    return {
        fault.code.removeprefix("ledger_"): str(fault.params.get("ids", fault.params.get("block")))
        for fault in report.faults
    }


def test_an_untouched_ledger_has_no_fault(sealed: list[int]) -> None:
    assert LedgerBlock.objects.filter(ledger="audit").count() == 4
    report = verify()
    assert report.faults == []
    assert (report.rows, report.blocks) == (AuditEvent.objects.count(), 4)


def changed(ids: list[int]) -> dict[str, str]:
    execute("UPDATE survey_auditevent SET actor_name = 'somebody' WHERE id = %s", ids[4])
    return {"changed": f"{ids[4]}"}


def changed_time(ids: list[int]) -> dict[str, str]:
    execute("UPDATE survey_auditevent SET at = at + interval '1 microsecond' WHERE id = %s", ids[4])
    return {"changed": f"{ids[4]}"}


def changed_details(ids: list[int]) -> dict[str, str]:
    execute('UPDATE survey_auditevent SET details = \'{"rows": "1"}\' WHERE id = %s', ids[4])
    return {"changed": f"{ids[4]}"}


def deleted(ids: list[int]) -> dict[str, str]:
    execute("DELETE FROM survey_auditevent WHERE id = ANY(%s)", ids[2:4])
    return {"deleted": f"{ids[2]}–{ids[3]}"}


def deleted_tail(ids: list[int]) -> dict[str, str]:
    execute("DELETE FROM survey_auditevent WHERE id >= %s", ids[7])
    return {"deleted": f"{ids[7]}–{ids[9]}"}


def deleted_tail_with_its_block(ids: list[int]) -> dict[str, str]:
    storage.note_head("audit", 4, LedgerBlock.objects.get(ledger="audit", number=4).hash)
    execute("DELETE FROM survey_auditevent WHERE id >= %s", ids[7])
    execute("DELETE FROM survey_ledgerblock WHERE ledger = 'audit' AND number = 4")
    return {"head_lost": "4"}


def inserted(ids: list[int]) -> dict[str, str]:
    execute(
        "INSERT INTO survey_auditevent (id, at, actor_name, action, subject_type, subject_id, region_path, succeeded,"
        " details) SELECT 0, at, 'x', action, '', '', '', true, '{}' FROM survey_auditevent WHERE id = %s",
        ids[0],
    )
    return {"inserted": "0"}


def swapped(ids: list[int]) -> dict[str, str]:
    first, second = ids[1], ids[2]
    execute("UPDATE survey_auditevent SET id = -1 WHERE id = %s", first)
    execute("UPDATE survey_auditevent SET id = %s WHERE id = %s", first, second)
    execute("UPDATE survey_auditevent SET id = %s WHERE id = -1", second)
    return {"reordered": f"{first}–{second}"}


def block_removed(ids: list[int]) -> dict[str, str]:
    execute("DELETE FROM survey_ledgerblock WHERE ledger = 'audit' AND number = 3")
    return {"block_missing": "3", "inserted": f"{ids[4]}–{ids[6]}"}


def block_changed(ids: list[int]) -> dict[str, str]:
    execute("UPDATE survey_ledgerblock SET sealed_at = sealed_at + interval '1 s' WHERE number = 2")
    return {"forged": "2"}


def rebuilt_without_key(ids: list[int]) -> dict[str, str]:
    """A row is changed and every hash after it computed again, as somebody with the database alone can do."""
    execute("UPDATE survey_auditevent SET action = 'sign_in' WHERE id = %s", ids[8])
    block = LedgerBlock.objects.get(ledger="audit", number=4)
    lines = [line for _key, line in storage.lines_of(LEDGERS["audit"], 1, block.row_ids)]
    execute(
        "UPDATE survey_ledgerblock SET hash = %s WHERE ledger = 'audit' AND number = 4",
        content.linked(block.predecessor, lines, block.algorithm),
    )
    return {"forged": "4"}


def chain_of_another_start(ids: list[int]) -> dict[str, str]:
    execute("UPDATE survey_ledgerblock SET predecessor = %s WHERE ledger = 'audit' AND number = 4", NOTHING)
    return {"chain_broken": "4", "forged": "4", "changed": f"{ids[7]}–{ids[9]}"}


def waiting_too_long(ids: list[int]) -> dict[str, str]:
    row = add(11)
    execute("UPDATE survey_auditevent SET at = at - interval '2 hours' WHERE id = %s", row)
    return {"unsealed": f"{row}"}


def backdated(ids: list[int]) -> dict[str, str]:
    row = add(11)
    execute("UPDATE survey_auditevent SET at = at - interval '2 hours' WHERE id = %s", row)
    seal_now()
    return {"backdated": f"{row}"}


PLANTED: tuple[Callable[[list[int]], dict[str, str]], ...] = (
    changed,
    changed_time,
    changed_details,
    deleted,
    deleted_tail,
    deleted_tail_with_its_block,
    inserted,
    swapped,
    block_removed,
    block_changed,
    rebuilt_without_key,
    chain_of_another_start,
    waiting_too_long,
    backdated,
)


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_fault_is_found(sealed: list[int], plant: Callable[[list[int]], dict[str, str]]) -> None:
    assert faults() == {}
    expected = plant(sealed)
    assert faults() == expected


@pytest.mark.parametrize("plant", PLANTED)
def test_the_command_says_it_and_ends_with_1(
    sealed: list[int], plant: Callable[[list[int]], dict[str, str]], capsys: Any
) -> None:
    call_command("verify_audit", "--ledger", "audit")
    assert "no fault" in capsys.readouterr().out
    plant(sealed)
    with pytest.raises(CommandError) as ended:
        call_command("verify_audit", "--ledger", "audit")
    assert ended.value.returncode == 1
    assert "audit" in capsys.readouterr().err


def test_a_wrong_and_an_unknown_key_are_found(sealed: list[int], settings: Any) -> None:
    settings.AUDIT_KEYS = OTHER_KEY
    assert [fault.code for fault in verify(["audit"]).faults] == ["ledger_forged"] * 4
    settings.AUDIT_KEYS = OTHER_KEY.replace("local", "other")
    assert [fault.code for fault in verify(["audit"]).faults] == ["ledger_unknown_key"] * 4


def test_blocks_of_earlier_keys_and_algorithms_stay_valid(sealed: list[int], settings: Any) -> None:
    settings.AUDIT_KEYS = f"{OTHER_KEY.replace('local', 'second')},{settings.AUDIT_KEYS}"
    settings.AUDIT_ALGORITHM = "SM3"
    row = add(12)
    assert seal_now() == 1
    last = LedgerBlock.objects.filter(ledger="audit").latest("number")
    assert (last.key, last.algorithm, last.row_ids) == ("second", "SM3", [row])
    assert faults() == {}
    execute("UPDATE survey_auditevent SET action = 'sign_in' WHERE id = %s", row)
    assert faults() == {"changed": f"{row}"}


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns"])
def test_settings_of_the_session_change_no_line(sealed: list[int], zone: str) -> None:
    before = storage.lines_of(LEDGERS["audit"], 1, sealed)
    with connection.cursor() as cursor:
        for setting in (
            f"timezone = '{zone}'",
            "bytea_output = 'escape'",
            "extra_float_digits = -5",
            "datestyle = 'German'",
            "intervalstyle = 'iso_8601'",
        ):
            cursor.execute(f"SET LOCAL {setting}")
    assert len(before) == 10 and storage.lines_of(LEDGERS["audit"], 1, sealed) == before


def test_since_looks_at_later_blocks_only(sealed: list[int]) -> None:
    soon = timezone.now() + dt.timedelta(hours=1)
    changed(sealed)
    assert verify(["audit"], since=soon).blocks == 0
    assert verify(["audit"], since=soon - dt.timedelta(hours=2)).blocks == 4
    assert [f.code for f in verify(["audit"], since=soon - dt.timedelta(hours=2)).faults] == [
        "ledger_changed"
    ]


def test_gaps_are_no_fault(sealed: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('survey_auditevent', 'id')) FROM generate_series(1, 5)"
        )
    row = add(12)
    seal_now()
    assert LedgerGap.objects.values_list("first", "last").get(last=row - 1) == (row - 5, row - 1)
    assert AuditEvent.objects.filter(pk=row).exists() and faults() == {}
