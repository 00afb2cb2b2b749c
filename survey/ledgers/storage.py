"""Rows of the ledgers as lines, where the last blocks are noted outside the database, and the lock of the sealer."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from survey import files
from survey.exceptions import FileMissing
from survey.files import Store
from survey.ledgers.content import APPEND_ONLY, LEDGERS, Ledger

TRIGGER = "append_only"
EARLIER = frozenset({"heads.json"})  # where earlier versions noted the heads of all ledgers
type Line = tuple[int, str]

_LATE = """
    SELECT id, {line} FROM {table}
    WHERE id IN (SELECT late.id FROM survey_ledgergap gap JOIN {table} late ON late.id BETWEEN gap.first AND gap.last
                 WHERE gap.ledger = %s)
    ORDER BY id LIMIT %s
"""
_AFTER = "SELECT id, {line} FROM {table} WHERE id > %s ORDER BY id LIMIT %s"
_BETWEEN = "SELECT id, {line} FROM {table} WHERE id BETWEEN %s AND %s ORDER BY id"
_BY_ID = "SELECT id, {line} FROM {table} WHERE id = ANY(%s) ORDER BY id"


def late_lines(ledger: Ledger, layout: int, most: int) -> list[Line]:
    """Rows that were committed after a block had passed over their ids."""
    return _lines(_LATE, ledger, layout, [ledger.name, most])


def lines_after(ledger: Ledger, layout: int, high: int, most: int) -> list[Line]:
    """The first rows above an id."""
    return _lines(_AFTER, ledger, layout, [high, most])


def lines_between(ledger: Ledger, layout: int, first: int, last: int) -> list[Line]:
    """All rows from one id to another."""
    return _lines(_BETWEEN, ledger, layout, [first, last])


def lines_of(ledger: Ledger, layout: int, ids: list[int]) -> list[Line]:
    """The rows with these ids."""
    return _lines(_BY_ID, ledger, layout, [ids])


def _lines(sql: str, ledger: Ledger, layout: int, params: list[Any]) -> list[Line]:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(line=ledger.line(layout), table=ledger.table), params)
        return [*cursor.fetchall()]


def lock(name: str) -> bool:
    """Take the lock of a ledger until the end of the transaction. False when somebody else has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [f"survey.ledgers.{name}"])
        return bool(cursor.fetchone()[0])


def transaction_time() -> Any:
    """When the present transaction began, by the clock of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp()")
        return cursor.fetchone()[0]


def delete_rows(ledger: Ledger, number: int) -> int:
    """Delete the rows of a block whose removal is stored in this transaction; the database checks it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT survey_delete_removed_rows(%s, %s)", [ledger.name, number])
        return int(cursor.fetchone()[0])


def noted_heads() -> Mapping[str, Any]:
    """Ledger -> number and hash of the last block that was noted outside the database."""
    heads: dict[str, Any] = {}
    for name in (*EARLIER, *(head_file(ledger) for ledger in LEDGERS)):
        try:
            heads |= json.loads(files.read(Store.AUDIT, name))
        except FileMissing:
            continue
    return heads


def note_head(name: str, number: int, block_hash: str) -> None:
    """Note the last block of a ledger outside the database."""
    head = {name: {"number": number, "hash": block_hash}}
    files.write(Store.AUDIT, head_file(name), json.dumps(head).encode())


def head_file(name: str) -> str:
    """Where the head of a ledger is noted. A file for each: machines may seal two ledgers at the same time."""
    return f"head-{name}.json"


@contextmanager
def protection_lifted() -> Iterator[None]:
    """The triggers of the ledgers are off inside, in one transaction: only for the owner of the tables.

    For building the rehearsal country and for tests; no page and no task calls it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in APPEND_ONLY:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in APPEND_ONLY:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
