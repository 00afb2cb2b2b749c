"""Runs PostgreSQL and Valkey of the recovery tests in a process of its own, with a database of its own.

Prints one line of JSON when the test data exist. Then it executes each line of its input, a name of COMMANDS or an
SQL statement, and prints the result as JSON. It ends at the end of its input.
"""

import json
import os
import sys
from typing import Any

from config.local import embedded

COMMANDS = {
    "stop postgres": embedded.stop_postgres,
    "kill valkey": embedded.kill_valkey,
    "restart stopped": embedded.restart_stopped,
}
INHERITED = ("LOCAL_MODE", "LOCAL_DIR", "SECRET_KEY", "FIELD_KEYS", "AUDIT_KEYS", "REDIS_URL", "DATABASE_URL")
PASSWORD = "Jade-Harbour-2031"


def build() -> dict[str, Any]:
    """A tiny country with a requested run, a sheet in progress, six sheets for concurrent saves, and sessions of their users."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from estimation.runs.compute.spec import RunSpec
    from estimation.runs.services import request_run
    from survey.access.models import User
    from survey.access.roles import Role
    from survey.collection.models import CollectionRound
    from survey.submissions.lifecycle.states import State
    from tests.estimation.runs.country import Country
    from tests.factories import make_sheet, make_unit, make_user, prepare_base
    from tests.reusable_database import digest_of_sources, dump_file, restore

    dump = dump_file(digest_of_sources())
    if dump.exists():  # of the test database: the same tables, without the time of the migrations
        restore(dump, settings.DATABASES["default"], "survey")
    else:
        call_command("migrate", verbosity=0)
    prepare_base()
    Country()
    round_ = CollectionRound.objects.get(year=2025)
    run, _waits = request_run(round=round_, by=None, spec=RunSpec())
    unit = make_unit("CAT12")
    sheet = make_sheet(unit, State.IN_PROGRESS)

    def session(user: User) -> str:
        client = Client()
        client.force_login(user)
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    concurrent_sheets = []
    for _number in range(6):
        writer = make_unit("CAT12")
        begun = make_sheet(writer, State.IN_PROGRESS)
        concurrent_sheets.append([session(make_user(Role.RESPONDENT, unit=writer)), begun.pk, begun.revision])
    make_user(Role.METHODOLOGIST, username="drill-sign-in", password=PASSWORD)
    return {
        "run": run.pk,
        "sheet": sheet.pk,
        "revision": sheet.revision,
        "respondent": session(make_user(Role.RESPONDENT, unit=unit)),
        "concurrent_sheets": concurrent_sheets,
        "methodologist": session(make_user(Role.METHODOLOGIST)),
    }


def query(statement: str) -> list[list[Any]]:
    """Rows of a statement, committed at once."""
    from django.db import connection

    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return [list(row) for row in cursor.fetchall()] if cursor.description else []
    finally:
        connection.close()  # returned to the pool, which checks it before the next use


def main() -> None:
    """Build the test data, then execute the lines of the input."""
    embedded.prepare_environment()
    embedded.start(durable=False)  # these tests stop PostgreSQL in order; tests.drills kills it
    embedded.drop_database()
    os.environ["PLAIN_STATIC"] = "1"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    from django.db import connections

    data = build()
    connections.close_all()  # a restart of PostgreSQL would break the connection that building has left open
    environment = {name: os.environ[name] for name in INHERITED}
    print(json.dumps({"environment": environment, "data": data}), flush=True)
    for line in sys.stdin:
        command = COMMANDS.get(line.strip())
        print(json.dumps(command() if command else query(line), default=str), flush=True)
    embedded.stop()


if __name__ == "__main__":
    main()
