"""The recorded release goes on with the tables of today: every statement of its models is possible."""

from collections.abc import Iterator

import pytest
from django.apps.registry import Apps
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model
from django.db.utils import ProgrammingError

from survey.ledgers.content import APPEND_ONLY
from tests.upgrade import released

COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod),
           a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = ''
    FROM pg_attribute a WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""


@pytest.fixture(scope="module")
def release() -> Apps:
    return released.state(MigrationLoader(None)).apps


def faults_of(model: type[Model]) -> Iterator[str]:
    """What the release can no longer do with the table of a model."""
    meta = model._meta
    names = [field.column for field in meta.local_fields if field.column]
    table, listed = f'"{meta.db_table}"', ", ".join(f'"{name}"' for name in names)
    kept = ", ".join(f'"{name}" = "{name}"' for name in names)
    with connection.cursor() as cursor:
        for verb, statement in (
            ("read", f"SELECT {listed} FROM {table} LIMIT 0"),
            ("add", f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {table} WHERE false"),
            ("change", f"UPDATE {table} SET {kept} WHERE false"),
        ):
            if verb == "change" and meta.db_table in APPEND_ONLY:
                continue
            try:
                with transaction.atomic():
                    cursor.execute(statement)
            except ProgrammingError as error:
                yield f"{meta.db_table}: cannot {verb}: {str(error).splitlines()[0]}"
        cursor.execute(COLUMNS, [table])
        columns = {name: (kind, required) for name, kind, required in cursor.fetchall()}
        yield from (
            f"{meta.db_table}: cannot add without {name}"
            for name, (_kind, required) in columns.items()
            if required and name not in names
        )
        for field in meta.local_fields:
            cursor.execute(
                "SELECT format_type(to_regtype(%s), to_regtypemod(%s))", [field.db_type(connection)] * 2
            )
            wanted = cursor.fetchone()[0]
            if field.column in columns and columns[field.column][0] != wanted:
                yield f"{meta.db_table}: {field.column} is {columns[field.column][0]}, not {wanted}"


def faults(release: Apps) -> list[str]:
    """The same for all models."""
    return sorted(
        text for model in release.get_models(include_auto_created=True) for text in faults_of(model)
    )


@pytest.mark.django_db
def test_the_release_reads_and_writes_the_tables_of_today(release: Apps) -> None:
    assert len(release.get_models()) > 60
    assert faults(release) == []


PLANTED = {
    "ALTER TABLE survey_contactnote RENAME COLUMN channel TO way": {
        "cannot read",
        "cannot add",
        "cannot change",
    },
    "ALTER TABLE survey_contactnote ADD COLUMN x text NOT NULL": {"cannot add without x"},
    "ALTER TABLE survey_contactnote ALTER COLUMN channel TYPE text": {"channel is text"},
    "ALTER TABLE survey_contactnote RENAME TO survey_note": {"cannot read", "cannot add", "cannot change"},
    "ALTER TABLE survey_contactnote ADD COLUMN x text NOT NULL DEFAULT ''": set(),
}


@pytest.mark.django_db
@pytest.mark.parametrize("statement", PLANTED)
def test_a_step_that_breaks_the_release_is_found(statement: str, release: Apps) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
    named = [text for text in faults(release) if text.startswith("survey_contactnote: ")]
    missing = [part for part in PLANTED[statement] if not any(part in text for text in named)]
    assert missing == []
    assert bool(named) is bool(PLANTED[statement])
