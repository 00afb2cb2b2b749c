"""COPY into PostgreSQL: text rows, binary arrays, foreign keys taken off while it lasts."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql
from psycopg.copy import QueuedLibpqWriter

from estimation.methods.arrays import Floats
from survey.ledgers.storage import protection_lifted

CHUNK = 1 << 18


def escaped(text: str) -> str:
    """A value of the text format; most values need nothing done."""
    if "\\" in text or "\t" in text or "\n" in text:
        return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return text


def copy_lines(table: str, columns: Sequence[str], lines: Iterable[str]) -> int:
    """Load lines of the text format (values joined by tabs, \\N for NULL). Returns how many.

    A second thread sends, so that lines are made while the server reads.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(",").join(map(sql.Identifier, columns))
    )
    count = 0
    connection.ensure_connection()
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(statement, writer=QueuedLibpqWriter(cursor)) as copy,
    ):
        buffer: list[str] = []
        size = 0
        for line in lines:
            buffer.append(line)
            size += len(line)
            count += 1
            if size > CHUNK:
                copy.write("\n".join(buffer) + "\n")
                buffer, size = [], 0
        if buffer:
            copy.write("\n".join(buffer) + "\n")
    return count


def copy_binary(table: str, columns: Sequence[str], blocks: Iterable[bytes]) -> None:
    """Load blocks of complete binary rows (without header and trailer)."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT binary)").format(
        sql.Identifier(table), sql.SQL(",").join(map(sql.Identifier, columns))
    )
    connection.ensure_connection()
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(statement, writer=QueuedLibpqWriter(cursor)) as copy,
    ):
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for block in blocks:
            copy.write(block)
        copy.write(b"\xff\xff")


def binary_rows(columns: Sequence[NDArray[np.generic] | str | None], array: Floats) -> bytes:
    """Rows of the binary format: integers, flags, texts and bytes of one length, then one double precision[].

    A column may be None (NULL in every row) or "" (the empty text in every row). `array` is (n, k).
    """
    fields: list[tuple[str, object] | tuple[str, object, int]] = [("fields", ">i2")]
    for number, column in enumerate(columns):
        fields.append((f"l{number}", ">i4"))
        if isinstance(column, np.ndarray):
            kind = {"i": ">i8", "b": "?", "S": f"S{column.dtype.itemsize}"}[column.dtype.kind]
            fields.append((f"v{number}", kind))
    element = np.dtype([("length", ">i4"), ("value", ">f8")])
    fields += [("size", ">i4"), ("header", ">i4", 5), ("elements", element, array.shape[1])]
    rows = np.zeros(len(array), np.dtype(fields))
    rows["fields"] = len(columns) + 1
    for number, column in enumerate(columns):
        if isinstance(column, np.ndarray):
            rows[f"v{number}"] = column
            rows[f"l{number}"] = {"i": 8, "b": 1, "S": column.dtype.itemsize}[column.dtype.kind]
        else:
            rows[f"l{number}"] = -1 if column is None else 0
    rows["size"] = 20 + 12 * array.shape[1]
    rows["header"] = (1, 0, 701, array.shape[1], 1)  # one dimension, no NULL, float8, length, lower bound
    rows["elements"]["length"] = 8
    rows["elements"]["value"] = array
    return rows.tobytes()


@contextmanager
def without_foreign_keys(tables: Sequence[str]) -> Iterator[None]:
    """Take the foreign keys of `tables` off and put them back, checked at once instead of row by row."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s) ORDER BY 1, 2",
            [list(tables)],
        )
        keys = cursor.fetchall()
        for table, name, _ in keys:
            cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
    yield
    with connection.cursor() as cursor:
        for table, name, definition in keys:
            cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def advance_sequences(tables: Sequence[str]) -> None:
    """Let the next row of each table get a free key."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM"  # noqa: S608 own table names
                f' "{table}"), false)'
            )


def empty_tables() -> None:
    """Empty every table of the two applications."""
    with protection_lifted(), connection.cursor() as cursor:
        names = [
            name
            for name in connection.introspection.table_names(cursor)
            if name.startswith(("survey_", "estimation_"))
        ]
        cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in names) + " RESTART IDENTITY CASCADE")
