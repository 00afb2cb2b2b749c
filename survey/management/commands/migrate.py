"""``manage.py migrate``: Django's, so that the site goes on while it runs."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from survey.management.base import SurveyCommand

LOCK = "migrate"  # of the database: two hosts never migrate it at the same time
LONGEST_PAUSE = 10.0  # seconds between two tries
WAITED_TOO_LONG, TOOK_TOO_LONG = "55P03", "57014"  # lock_not_available, query_canceled
TABLES = re.compile(r"\s*(?:ALTER|CREATE|DROP|TRUNCATE|LOCK|COMMENT|SET CONSTRAINTS)\b", re.IGNORECASE)
# These take minutes and many waits, but nobody waits for them.
IN_BACKGROUND = re.compile(r"\bCONCURRENTLY\b|\bVALIDATE CONSTRAINT\b", re.IGNORECASE)
UNFINISHED = r"""
    SELECT quote_ident(c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace AND c.relname !~ '_cc(new|old)\d*$'
    ORDER BY 1
"""


class Limits:
    """Sets ``lock_timeout`` and ``statement_timeout`` before a statement that changes tables (an execute wrapper).

    Whoever wants the table queues behind a statement that waits for it, so it waits shortly and comes again.
    """

    def __init__(self, lock: float, statement: float) -> None:
        self.wanted = {True: (lock, statement), False: (0.0, 0.0)}
        self.present: tuple[float, float] | None = None

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        """Execute the statement under its limits."""
        text = str(sql)
        limits = self.wanted[bool(TABLES.match(text)) and not IN_BACKGROUND.search(text)]
        if limits != self.present:
            lock, statement = (round(seconds * 1000) for seconds in limits)
            # A cursor of its own: that of the statement may be one of the server, for reading rows in parts.
            with context["connection"].connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = {lock}; SET statement_timeout = {statement}")
            self.present = limits
        return execute(sql, params, many, context)


class Command(SurveyCommand, MigrateCommand):
    """Short waits for locks with further tries, one process at a time, no index left half-built."""

    help = f"{MigrateCommand.help} Waits shortly for locks and tries again, so that the site goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's, and the limits."""
        super().add_arguments(parser)
        parser.add_argument("--lock-seconds", type=float, default=2, help="wait for a lock (2)")
        parser.add_argument(
            "--statement-seconds",
            type=float,
            default=30,
            help="of a statement that holds a lock (30); 0 without limit, when the site is stopped",
        )
        parser.add_argument("--tries", type=int, default=60, help="to get the locks (60)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate. Raises CommandError when a lock is not to be had or a statement takes too long."""
        if min(options["lock_seconds"], options["statement_seconds"], options["tries"] - 1) < 0:
            raise CommandError("Seconds and tries are not negative, and there is one try at least.")
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        connection = connections[options["database"]]
        with alone(connection, options["tries"]):
            for number in range(1, options["tries"] + 1):
                self._drop_unfinished(connection)
                try:
                    self._try(connection, *args, **options)
                except OperationalError as error:
                    pause = self._pause(error, number, options)
                else:
                    return
                self.stderr.write(
                    f"A table is in use; try {number} of {options['tries']} waits {pause:.1f} s"
                )
                time.sleep(pause)

    def _try(self, connection: BaseDatabaseWrapper, *args: Any, **options: Any) -> None:
        try:
            limits = Limits(options["lock_seconds"], options["statement_seconds"])
            with connection.execute_wrapper(limits):
                super().handle(*args, **options)
        finally:
            if connection.connection is not None and not connection.needs_rollback:
                with connection.cursor() as cursor:
                    cursor.execute("RESET lock_timeout; RESET statement_timeout")

    def _pause(self, error: OperationalError, number: int, options: dict[str, Any]) -> float:
        """Seconds until the next try. Raises CommandError when there is none."""
        code = getattr(error.__cause__, "sqlstate", "")
        if code == TOOK_TOO_LONG:
            raise CommandError(
                f"A statement held its lock for more than {options['statement_seconds']} s and was taken back. "
                "Divide the migration, or stop the site and give --statement-seconds 0."
            ) from error
        if code != WAITED_TOO_LONG:
            raise error
        if number == options["tries"]:
            raise CommandError(
                f"A table was in use at each of {number} tries. What was migrated before stays; run it again."
            ) from error
        return min(LONGEST_PAUSE, float(options["lock_seconds"]) + number * 0.2)

    def _drop_unfinished(self, connection: BaseDatabaseWrapper) -> None:
        """Remove indexes that a killed or failed CREATE INDEX CONCURRENTLY has left."""
        with connection.cursor() as cursor:
            cursor.execute(UNFINISHED)
            for (name,) in cursor.fetchall():
                self.stderr.write(f"The index {name} was not finished and is built anew")
                cursor.execute(f"DROP INDEX CONCURRENTLY {name}")


@contextmanager
def alone(connection: BaseDatabaseWrapper, tries: int) -> Iterator[None]:
    """Hold the lock of migrating. Raises CommandError when another process keeps it."""
    for _number in range(tries):
        with connection.cursor() as cursor:
            # Waiting inside a statement would keep a snapshot, for which the other's index waits.
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [LOCK])
            if cursor.fetchone()[0]:
                break
        time.sleep(1)
    else:
        raise CommandError("Another process migrates this database.")
    try:
        yield
    finally:
        if connection.connection is not None and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [LOCK])
