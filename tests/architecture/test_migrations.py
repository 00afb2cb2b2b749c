"""Every change of a table has its migration."""

from collections.abc import Callable

from django.apps import apps
from django.db import models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.utils import translation

APPS = {"survey", "estimation"}


def missing_migrations(change: Callable[[ProjectState], None] | None = None) -> set[str]:
    """Apps whose migrations do not lead to the tables of the program, after ``change`` of these tables."""
    # Labels are compared as they are written, as makemigrations does.
    with translation.override(None):
        loader, state = MigrationLoader(None), ProjectState.from_apps(apps)
        if change:
            change(state)
        return APPS & MigrationAutodetector(loader.project_state(), state).changes(loader.graph).keys()


def test_no_migration_is_missing() -> None:
    assert missing_migrations() == set()


def test_a_change_without_migration_is_found() -> None:
    for app, model in (("survey", "submission"), ("estimation", "release")):

        def plant(state: ProjectState, app: str = app, model: str = model) -> None:
            field = models.IntegerField(default=0)
            state.add_field(app, model, "planted", field, preserve_default=True)

        assert missing_migrations(plant) == {app}
