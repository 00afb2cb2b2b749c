"""``manage.py database_grants ROLE``: what the database role of the application may do, as SQL."""

import re
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection, transaction

from survey.ledgers.content import APPEND_ONLY
from survey.management.base import SurveyCommand

FUNCTION = "survey_delete_removed_rows(text, integer)"
READ_ONLY = ("django_migrations",)
ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def statements(role: str, database: str, tables: list[str]) -> Iterator[str]:
    """Statements for a role that owns nothing: all work on the tables, but ledgers are only read and added to."""
    yield f'GRANT CONNECT ON DATABASE "{database}" TO "{role}";'
    yield f'GRANT USAGE ON SCHEMA public TO "{role}";'
    yield f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{role}";'
    yield f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "{role}";'
    for table in tables:
        rights = "SELECT, INSERT, UPDATE, DELETE"
        if table in APPEND_ONLY:
            rights = "SELECT, INSERT"
        elif table in READ_ONLY:
            rights = "SELECT"
        yield f'GRANT {rights} ON "{table}" TO "{role}";'
    yield f'GRANT EXECUTE ON FUNCTION {FUNCTION} TO "{role}";'


class Command(SurveyCommand):
    """The role that owns the tables runs ``migrate`` and this command; the application signs in as the other."""

    help = (
        "Print (or apply) the rights of the application's database role: ledgers are only read and added to."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The role, and whether the statements are executed."""
        parser.add_argument("role", help="the role in DATABASE_URL of web, worker and beat")
        parser.add_argument(
            "--apply", action="store_true", help="execute the statements instead of printing them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or apply."""
        role = options["role"]
        if not ROLE.fullmatch(role):
            raise CommandError(f"{role!r} is no name of a role: small letters, digits and _.")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_database()")
            owner, database = cursor.fetchone()
            cursor.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = %s", [role]
            )
            if role == owner or cursor.fetchone()[0]:
                raise CommandError(f"{role} owns the tables; the application needs a role that does not.")
            lines = [*statements(role, database, sorted(connection.introspection.table_names(cursor)))]
            if not options["apply"]:
                self.stdout.write("\n".join(lines))
                return
            cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [role])
            if not cursor.fetchone()[0]:
                raise CommandError(f'There is no role {role}; CREATE ROLE "{role}" LOGIN PASSWORD ... first.')
            for line in lines:
                cursor.execute(line)
        self.stdout.write(f"{len(lines)} statements applied for {role}")
