"""Migrations leave the site running, and the release that runs while they are applied."""

import subprocess
from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import models
from django.db.migrations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    DeleteModel,
    RemoveField,
    RenameField,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tests.architecture.source import ROOT
from tests.upgrade import lint, released

TEXT = models.TextField
NOT_EMPTY = models.CheckConstraint(condition=~models.Q(name=""), name="planted_check")
INDEX = models.Index(fields=["name"], name="planted_index")
USER = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
USER_WITHOUT_INDEX = models.ForeignKey(
    "survey.User", models.PROTECT, null=True, related_name="+", db_index=False
)


def remove_from_state(model: str, name: str) -> Operation:
    """The step before the removal of a column: the program no longer knows it, the database takes rows without it."""
    nullable = AlterField(model, name, models.CharField(max_length=10, null=True))
    return SeparateDatabaseAndState([nullable], [RemoveField(model, name)])


@pytest.fixture(scope="module")
def loader() -> MigrationLoader:
    return MigrationLoader(None)


@pytest.fixture(scope="module")
def before(loader: MigrationLoader) -> ProjectState:
    return released.state(loader)


def planted(*operations: Operation, atomic: bool = True) -> Migration:
    migration: Any = Migration("planted", "survey")
    migration.operations, migration.atomic = list(operations), atomic
    return migration


def rules(before: ProjectState, *migrations: Migration) -> set[str]:
    return {finding.rule for finding in lint.findings(migrations, before)}


def test_migrations_after_the_release_pass(loader: MigrationLoader, before: ProjectState) -> None:
    findings = lint.findings(released.newer(loader), before)
    assert [str(finding) for finding in lint.without_accepted(findings, released.record()["accepted"])] == []


REFUSED = {
    "index": (AddIndex("reportingunit", INDEX), "require-concurrent-index-creation"),
    "index in a transaction": (
        AddIndexConcurrently("reportingunit", INDEX),
        "ban-concurrent-index-creation-in-transaction",
    ),
    "index of a reference": (AddField("reportingunit", "x", USER), "require-concurrent-index-creation"),
    "required column": (AddField("reportingunit", "x", TEXT()), "adding-required-field"),
    "default of the program only": (AddField("reportingunit", "x", TEXT(default="")), "ban-drop-default"),
    "type": (AlterField("reportingunit", "name", models.IntegerField()), "changing-column-type"),
    "length": (AlterField("reportingunit", "name", models.CharField(max_length=9)), "changing-column-type"),
    "not null": (AlterField("submission", "filed_at", models.DateTimeField()), "adding-not-nullable-field"),
    "name of a column": (RenameField("reportingunit", "name", "title"), "renaming-column"),
    "name of a table": (RenameModel("reportingunit", "unit"), "renaming-table"),
    "column": (RemoveField("reportingunit", "name"), "ban-drop-column"),
    "column by SQL": (RunSQL("ALTER TABLE survey_reportingunit DROP COLUMN name"), "ban-drop-column"),
    "table": (DeleteModel("contactnote"), "ban-drop-table"),
    "table by SQL": (RunSQL("DROP TABLE IF EXISTS nobody, survey_contactnote CASCADE"), "ban-drop-table"),
    "constraint": (AddConstraint("reportingunit", NOT_EMPTY), "constraint-missing-not-valid"),
    "unique": (
        AddConstraint("reportingunit", models.UniqueConstraint(fields=["name"], name="planted_unique")),
        "disallowed-unique-constraint",
    ),
    "lock": (RunSQL("LOCK TABLE survey_reportingunit"), "table-lock"),
    "index anew": (RunSQL("REINDEX TABLE survey_reportingunit"), "table-lock"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_locking_or_breaking_operation_is_refused(what: str, before: ProjectState) -> None:
    operation, rule = REFUSED[what]
    assert rule in rules(before, planted(operation))


def test_rows_change_in_another_transaction_than_tables(before: ProjectState) -> None:
    column = AddField("reportingunit", "x", TEXT(null=True))
    code, text = RunPython(RunPython.noop), RunSQL("UPDATE survey_reportingunit SET name = name")
    for rows in (code, text):
        assert rules(before, planted(column, rows)) == {"rows-with-locks"}
        assert rules(before, planted(column), planted(rows)) == set()
        assert rules(before, planted(column, rows, atomic=False)) == set()


def test_steps_are_accepted(before: ProjectState) -> None:
    """What CONTRIBUTING tells to write instead."""
    steps = {
        "column with a default of the database": [AddField("reportingunit", "x", TEXT(db_default=""))],
        "column that may be empty": [AddField("reportingunit", "x", TEXT(null=True))],
        "reference": [AddField("reportingunit", "x", USER_WITHOUT_INDEX)],
        "constraint": [AddConstraintNotValid("reportingunit", NOT_EMPTY)],
        "new table": [CreateModel("Planted", [("id", models.BigAutoField(primary_key=True)), ("by", USER)])],
        "removal, first step": [remove_from_state("unitcontact", "role")],
        "removal of a column that the release does not know": [
            RunSQL("ALTER TABLE survey_reportingunit DROP COLUMN IF EXISTS gone")
        ],
        "removal of a table that the release does not know": [RunSQL('DROP TABLE IF EXISTS "a_b", c_d')],
    }
    valid_steps: dict[str, Any] = steps
    assert {what for what, operations in valid_steps.items() if rules(before, planted(*operations))} == set()
    valid = [planted(AddConstraintNotValid("reportingunit", NOT_EMPTY))]
    valid.append(planted(ValidateConstraint("reportingunit", "planted_check")))
    assert rules(before, *valid) == set()
    assert rules(before, planted(AddIndexConcurrently("reportingunit", INDEX), atomic=False)) == set()
    unique = planted(
        RunSQL("CREATE UNIQUE INDEX CONCURRENTLY u ON survey_reportingunit (name)"), atomic=False
    )
    named = planted(RunSQL("ALTER TABLE survey_reportingunit ADD CONSTRAINT u UNIQUE USING INDEX u"))
    assert rules(before, unique, named) == set()


def test_an_accepted_finding_has_a_reason_and_is_used() -> None:
    findings = [lint.Finding("survey.0036_x", "changing-column-type", "")]
    name, rule = findings[0].migration, findings[0].rule
    assert lint.without_accepted(findings, {}) == findings
    assert lint.without_accepted(findings, {name: {rule: " "}}) == findings
    assert lint.without_accepted(findings, {name: {rule: "longer text only"}}) == []
    assert len(lint.without_accepted([], {name: {rule: "longer text only"}})) == 1


def test_the_recorded_migrations_are_those_of_the_recorded_commit() -> None:
    """A release moves both: the commit and its last migrations."""

    def missing(nodes: list[tuple[str, str]]) -> list[str]:
        listed = subprocess.run(
            ["git", "ls-tree", "-r", "--name-only", released.commit()],  # noqa: S607 git of the machine
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        last = {
            app: max(n for n in listed if n.startswith(f"{app}/migrations/0"))
            for app in ("survey", "estimation")
        }
        return [name for app, name in nodes if app in last and last[app] != f"{app}/migrations/{name}.py"]

    assert missing(released.nodes()) == []
    assert missing([("survey", "0034_bulk_members_of_earlier_undos")])
