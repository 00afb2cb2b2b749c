"""Refuses migrations that would stop the site or break the release that is running while they are applied.

    uv run python -m tests.upgrade.lint

Reads every migration after the recorded release: its SQL with squawk (locks, columns and tables that the release
still reads), its operations for what SQL does not show. Needs no database.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunPython, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tests.upgrade import released

# Rules of squawk that say nothing about a running site.
NOT_APPLIED = {
    "ban-char-field": "style",
    "prefer-bigint-over-int": "style",
    "prefer-bigint-over-smallint": "style",
    "prefer-identity": "style",
    "prefer-text-field": "style; a changed length is changing-column-type",
    "prefer-timestamp-tz": "style",
    "prefer-robust-stmts": "Django records what was applied; manage.py migrate removes an index that was not finished",
    "require-lock-timeout": "manage.py migrate sets it for every statement",
    "require-statement-timeout": "manage.py migrate sets it for every statement",
    "ban-drop-constraint": "the first step of another constraint: what the release writes still passes",
    "ban-drop-not-null": "the first step of a removal: the next release no longer writes the column",
}
DROPPED_COLUMN = re.compile(r'^ALTER TABLE "?(\w+)"? DROP COLUMN (?:IF EXISTS )?"?(\w+)"?', re.IGNORECASE)
DROPPED_TABLE = re.compile(
    r"^DROP TABLE (?:IF EXISTS )?([\w\", ]+?)(?: CASCADE| RESTRICT)?;?$", re.IGNORECASE
)
NEW_TABLE = re.compile(r'^CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)"?', re.IGNORECASE)
CHANGED_ROWS = re.compile(r"^(?:WITH\b.*\b)?(?:UPDATE|DELETE FROM|INSERT INTO)\b", re.IGNORECASE | re.DOTALL)
LOCKS_AS_SUCH = re.compile(r"^(?:LOCK|CLUSTER|VACUUM FULL|REINDEX(?!.* CONCURRENTLY))\b", re.IGNORECASE)
LOCKED_TABLE = re.compile(r'^(?:ALTER|DROP) TABLE (?:IF EXISTS )?"?(\w+)"?', re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong with a migration."""

    migration: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.rule}: {self.text}"


class Writer(DatabaseSchemaEditor):
    """Collects the SQL of operations without asking a database for the names of constraints."""

    def __init__(self) -> None:
        super().__init__(connection, collect_sql=True, atomic=False)

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Collect a statement with its values in it."""
        text = str(sql)
        if params:
            text %= tuple(self.quote_value(value) for value in params)
        self.collected_sql.append(text.rstrip(";") + ";")

    def _constraint_names(self, model: Any, column_names: Any = None, **kinds: Any) -> list[str]:
        kind = "_".join(name for name, wanted in sorted(kinds.items()) if wanted is True)
        return ["_".join([model._meta.db_table, *(column_names or []), kind])]


def flattened(operations: Iterable[Operation]) -> Iterator[Operation]:
    """The operations on the database, those of SeparateDatabaseAndState among them."""
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from flattened(operation.database_operations)
        else:
            yield operation


def statements(migration: Migration, state: ProjectState) -> list[str]:
    """SQL of a migration, a line for each statement; ``state`` (the tables before it) is moved on."""
    with Writer() as writer:
        for operation in migration.operations:
            before = state.clone()
            operation.state_forwards(migration.app_label, state)
            if any(isinstance(part, RunPython) for part in flattened([operation])):
                continue
            operation.database_forwards(migration.app_label, writer, before, state)
    lines = (" ".join(line.split()) for line in writer.collected_sql)
    return [line for line in lines if line and not line.startswith("--")]


def squawk(lines: list[str]) -> list[dict[str, Any]]:
    """Findings of squawk in statements that stand a line each."""
    program = Path(sys.executable).with_name("squawk")
    command = [str(program), "--reporter", "json", "--exclude", ",".join(NOT_APPLIED)]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True)
    if not done.stdout.strip():
        raise RuntimeError(done.stderr)
    return list(json.loads(done.stdout))


def kept_columns(state: ProjectState) -> dict[str, set[str]]:
    """Table -> columns that the code of a state reads and writes."""
    return {
        model._meta.db_table: {field.column for field in model._meta.local_fields if field.column}
        for model in state.apps.get_models(include_auto_created=True)
    }


def still_used(statement: str, columns: Mapping[str, set[str]]) -> bool:
    """Whether a statement drops something that the release uses; True when that is unknown."""
    if match := DROPPED_COLUMN.match(statement):
        return match[2] in columns.get(match[1], set())
    if match := DROPPED_TABLE.match(statement):
        return any(name.strip(' "') in columns for name in match[1].split(","))
    return True


def findings_in_sql(
    name: str, lines: list[str], atomic: bool, columns: Mapping[str, set[str]]
) -> list[Finding]:
    """What squawk says, without removals of what the release no longer uses."""
    whole = ["BEGIN;", *lines, "COMMIT;"] if atomic else lines
    findings = []
    for warning in squawk(whole):
        statement, rule = whole[warning["line"]], warning["rule_name"]
        if rule in {"ban-drop-column", "ban-drop-table"} and not still_used(statement, columns):
            continue
        # PostgreSQL checks no row for a reference in a new column that is NULL everywhere.
        if rule == "adding-foreign-key-constraint" and re.search(r"ADD COLUMN .* NULL CONSTRAINT", statement):
            continue
        findings.append(Finding(name, rule, f"{warning['message']} In: {statement[:160]}"))
    return findings


def locks_as_such(migration: Migration, lines: list[str]) -> list[Finding]:
    """Statements that do nothing else than lock, or rewrite, a table."""
    locking = [line[:160] for line in lines if LOCKS_AS_SUCH.match(line)]
    return [Finding(name_of(migration), "table-lock", line) for line in locking]


def rows_with_locks(migration: Migration, lines: list[str]) -> list[Finding]:
    """Rows changed in the transaction that holds a lock on a table of the release."""
    if not migration.atomic:
        return []
    new = {match[1] for line in lines if (match := NEW_TABLE.match(line))}
    locked = {match[1] for line in lines if (match := LOCKED_TABLE.match(line))} - new
    changes = any(isinstance(operation, RunPython) for operation in flattened(migration.operations))
    if locked and (changes or any(CHANGED_ROWS.match(line) for line in lines)):
        text = (
            "changes rows in the transaction that locks " + ", ".join(sorted(locked)) + "; divide it in two."
        )
        return [Finding(name_of(migration), "rows-with-locks", text)]
    return []


def name_of(migration: Migration) -> str:
    """``survey.0036_x``."""
    return f"{migration.app_label}.{migration.name}"


def findings(migrations: Iterable[Migration], before: ProjectState) -> list[Finding]:
    """What is wrong with migrations that follow the state ``before``, that of the release."""
    columns, state, result = kept_columns(before), before.clone(), []
    for migration in migrations:
        lines = statements(migration, state)
        result += rows_with_locks(migration, lines) + locks_as_such(migration, lines)
        if lines:
            result += findings_in_sql(name_of(migration), lines, migration.atomic, columns)
    return sorted(set(result))


def without_accepted(findings: Iterable[Finding], accepted: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """The findings that pyproject.toml does not accept, and entries there without a reason or a finding."""
    reasons = {
        (name, rule): reason.strip() for name, rules in accepted.items() for rule, reason in rules.items()
    }
    left = [finding for finding in findings if not reasons.get((finding.migration, finding.rule))]
    unused = reasons.keys() - {(finding.migration, finding.rule) for finding in findings}
    return left + [Finding(name, rule, "is accepted but not found.") for name, rule in sorted(unused)]


def main() -> int:
    """Print what is wrong; the number of faults ends the command."""
    loader = MigrationLoader(None)
    migrations = released.newer(loader)
    faults = without_accepted(findings(migrations, released.state(loader)), released.record()["accepted"])
    for fault in faults:
        print(fault)
    if faults:
        print("How to do it in steps: .github/CONTRIBUTING.md, “Change the schema”.")
    else:
        print(f"{len(migrations)} migrations after the release: no faults")
    return min(len(faults), 1)


if __name__ == "__main__":
    from config.local import embedded

    if embedded.uses_local_servers():
        embedded.prepare_environment()
    import os

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    sys.exit(main())
