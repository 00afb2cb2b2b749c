"""The database refuses to change ledgers and their blocks, to everybody by trigger and to the application by grants."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from survey.audit import AuditEvent
from survey.ledgers import storage
from survey.ledgers.content import APPEND_ONLY, LEDGERS
from survey.ledgers.models import LedgerBlock, LedgerRemoval
from survey.ledgers.removal import services as removal
from survey.ledgers.sealing import services as sealing
from survey.ledgers.storage import protection_lifted
from survey.ledgers.verification.selectors import verify
from tests.survey.ledgers.conftest import add

NOTHING_HELD = lambda name, ids: False  # noqa: E731 one line for an answer that never changes


UPDATE = "UPDATE {} SET id = id"


def refused(sql: str) -> str:
    with pytest.raises(ProgrammingError) as error, transaction.atomic(), connection.cursor() as cursor:  # noqa: PT012 both statements may be refused
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing of the test itself is in the way
        cursor.execute(sql)
    return str(error.value)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("sql", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_triggers_refuse_changes(sealed: list[int], world: Any, table: str, sql: str) -> None:
    world.sheet.events.create(kind="value", item="P01", new=1)
    sealing.seal("answers")
    assert "is refused" in refused(sql.format(table))


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_lifted_protection_is_put_back(sealed: list[int], world: Any, table: str) -> None:
    with protection_lifted():
        AuditEvent.objects.filter(pk=sealed[0]).update(action="x")
    assert "only ever added" in refused(UPDATE.format(table))


def test_rows_are_removed_after_six_months_only(sealed: list[int]) -> None:
    now = timezone.now()
    block = LedgerBlock.objects.get(ledger="audit", number=2)
    with pytest.raises(ProgrammingError, match="DELETE is refused"), transaction.atomic():
        removal.remove_before("audit", now + dt.timedelta(days=1), reason="audit", held=NOTHING_HELD)
    assert not LedgerRemoval.objects.exists()
    assert AuditEvent.objects.filter(pk__in=block.row_ids).count() == 3


@pytest.fixture
def old(db: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of rows in blocks of two that are four years old; the first block has those of the base."""
    then = timezone.now() - dt.timedelta(days=4 * 365)
    sealing.seal("audit", now=then)
    monkeypatch.setattr(sealing, "BLOCK_ROWS", 2)
    ids = [add(number) for number in range(4)]
    with protection_lifted():
        AuditEvent.objects.filter(pk__in=ids).update(at=then)
    sealing.seal("audit", now=then, partial_after=dt.timedelta(0))
    return ids


def test_a_removal_is_no_fault_and_held_rows_stay(old: list[int]) -> None:
    limit = timezone.now() - dt.timedelta(days=3 * 365)
    held = lambda name, ids: old[2] in ids  # noqa: E731 one line for this test
    _removed, kept = removal.remove_before("audit", limit, reason="audit", held=held)
    assert kept == 2
    assert set(AuditEvent.objects.values_list("pk", flat=True)) == set(old[2:])
    assert LedgerRemoval.objects.count() == 2
    report = verify(["audit"])
    assert report.faults == []
    again = removal.remove_before("audit", limit, reason="audit", held=NOTHING_HELD)
    assert again == (2, 0) and not AuditEvent.objects.exists() and verify(["audit"]).faults == []


def test_a_removal_without_signature_is_found(old: list[int]) -> None:
    with transaction.atomic():
        block = LedgerBlock.objects.get(ledger="audit", number=2)
        LedgerRemoval.objects.create(
            ledger="audit",
            number=2,
            count=2,
            hash=block.hash,
            reason="audit",
            removed_at=storage.transaction_time(),
            algorithm=block.algorithm,
            key=block.key,
            signature="0" * 64,
        )
        storage.delete_rows(LEDGERS["audit"], 2)
    assert [fault.code for fault in verify(["audit"]).faults] == ["ledger_forged"]


def test_rows_that_come_back_after_their_removal_are_found(old: list[int]) -> None:
    row = AuditEvent.objects.get(pk=old[0])
    removal.remove_before("audit", timezone.now(), reason="audit", held=NOTHING_HELD)
    row.save(force_insert=True)
    faults = verify(["audit"]).faults
    assert [(fault.code, fault.params["ids"]) for fault in faults] == [("ledger_not_removed", str(old[0]))]


@pytest.fixture
def application(db: None) -> Iterator[str]:
    """A role that owns nothing, with the rights of the command, in use until the end of the test."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE application_of_tests NOLOGIN")
        call_command("database_grants", "application_of_tests", "--apply")
        cursor.execute("SET LOCAL ROLE application_of_tests")
        yield "application_of_tests"
        cursor.execute("RESET ROLE")


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE {} SET id = id",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "ALTER TABLE {} DISABLE TRIGGER USER",
        "DROP TABLE {}",
        "DROP FUNCTION survey_append_only() CASCADE",
        "CREATE OR REPLACE FUNCTION survey_append_only() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_the_role_of_the_application_may_not(application: str, table: str, sql: str) -> None:
    assert "only ever added" not in refused(sql.format(table))


def test_the_role_of_the_application_works(sealed: list[int], application: str, world: Any) -> None:
    add(5)
    world.sheet.events.create(kind="value", item="P01", new=1)
    assert sealing.seal_all() >= 1
    assert verify().faults == []
    world.sheet.return_reason = "x"
    world.sheet.save()


def test_the_role_of_the_application_removes_old_rows(old: list[int], application: str) -> None:
    assert removal.remove_before("audit", timezone.now(), reason="audit", held=NOTHING_HELD)[0] > 4


def test_grants_are_refused_for_the_owner_and_for_odd_names(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
    for role in (owner, 'x"; DROP', "nobody_at_all"):
        with pytest.raises(CommandError):
            call_command("database_grants", role, "--apply")
