"""Databases of a server as a whole: a snapshot, checksums, dumps, and databases made, swapped and dropped."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from survey.backups import messages, programs
from survey.exceptions import PolicyDenied

ALIAS = "default"
MAINTENANCE = "postgres"  # the database from which others are made
LONGEST_NAME = 63  # bytes of a name in PostgreSQL
# What a row looks like as text must not depend on settings of server or role.
_FIXED = (
    "SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601'; SET LOCAL bytea_output = 'hex';"
)
_FIXED += " SET LOCAL extra_float_digits = 1; SET LOCAL timezone = 'UTC'"
_CHECKSUM = "SELECT count(*)::text, coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint), 0)::text FROM {} t"


def present_name() -> str:
    """The name of the database in use."""
    return str(connections[ALIAS].settings_dict["NAME"])


def version() -> int:
    """The major version of the server."""
    return int(connection.cursor().connection.info.server_version) // 10_000


@contextmanager
def using(database: str) -> Iterator[None]:
    """Inside, everything reads and writes this database of the same server, in a connection of its own."""
    former: Any = connections[ALIAS]
    settings = {**former.settings_dict, "NAME": database, "TIME_ZONE": None, "TEST": {}}
    settings["OPTIONS"] = {
        name: value for name, value in former.settings_dict["OPTIONS"].items() if name != "pool"
    }
    connections[ALIAS] = type(former)(settings, ALIAS)
    try:
        yield
    finally:
        connections[ALIAS].close()
        connections[ALIAS] = former


@contextmanager
def snapshot() -> Iterator[str]:
    """A transaction that sees the database as it is now, for as long as it takes; its name for pg_dump."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def checksums() -> dict[str, list[str]]:
    """Table -> number of rows and a checksum of all values, in whatever order the rows lie."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FIXED)
        result = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(sql.SQL(_CHECKSUM).format(sql.Identifier(table)))
            result[table] = [*cursor.fetchone()]
        return result


def migrations() -> list[str]:
    """Migrations that the database has had."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def properties() -> dict[str, str]:
    """Encoding and collation of the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()"
        )
        return dict(zip(("encoding", "collate", "ctype"), cursor.fetchone(), strict=True))


def dump(folder: Path, snapshot_name: str, jobs: int) -> int:
    """Dump the database as it is in a snapshot; the version of the program."""
    program = programs.program("pg_dump", version())
    address, environment = _client(present_name())
    options = ["--format=directory", f"--jobs={jobs}", f"--snapshot={snapshot_name}"]
    options += ["--no-owner", "--no-privileges", "--no-comments", f"--file={folder}"]
    programs.run(folder, [program, *options, f"--dbname={address}"], environment)
    return programs.major_of(program)


def load(folder: Path, database: str, made_by: int, jobs: int) -> None:
    """Load a dump into an empty database."""
    with maintenance() as server:
        program = programs.program("pg_restore", max(server.info.server_version // 10_000, made_by))
    address, environment = _client(database)
    options = ["--no-owner", "--no-privileges", "--exit-on-error", f"--jobs={jobs}", f"--dbname={address}"]
    programs.run(folder, [program, *options, str(folder)], environment)


@contextmanager
def maintenance() -> Iterator[psycopg.Connection[Any]]:
    """A connection to the server that no database in question is used by. Raises PolicyDenied for its refusals."""
    try:
        with psycopg.connect(make_conninfo(**_parameters(MAINTENANCE)), autocommit=True) as server:
            yield server
    except errors.InsufficientPrivilege:
        role = connections[ALIAS].settings_dict["USER"]
        raise PolicyDenied(messages.MAY_NOT_CREATE(role=role)) from None
    except psycopg.Error as error:
        raise PolicyDenied(messages.SERVER_FAILED(error=str(error).strip().splitlines()[0])) from error


def create(database: str, wanted: Mapping[str, Any]) -> None:
    """Make an empty database with the encoding and collation of another."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
        sql.Identifier(database), *(sql.Literal(wanted[name]) for name in ("encoding", "collate", "ctype"))
    )
    with maintenance() as server:
        server.execute(statement)


def drop(database: str) -> None:
    """Drop a database that nobody needs, if it is there."""
    with maintenance() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def is_used(database: str) -> bool:
    """Whether others are connected to a database."""
    close()
    with maintenance() as server:
        session = server.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'",
            [database],
        ).fetchone()
        return session is not None


def has_tables(database: str) -> bool:
    """Whether a database exists and has a table."""
    with maintenance() as server:
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
            return False
    with using(database), connection.cursor() as cursor:
        return bool(connection.introspection.table_names(cursor))


def swap(database: str, new: str, former: str) -> None:
    """Give ``new`` the name of a database, which gets the name ``former`` if it exists: both or neither."""
    close()
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with maintenance() as server, server.transaction():
        exists = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        try:
            if exists:
                server.execute(rename.format(sql.Identifier(database), sql.Identifier(former)))
            server.execute(rename.format(sql.Identifier(new), sql.Identifier(database)))
        except errors.ObjectInUse:
            raise PolicyDenied(messages.IN_USE(database=database)) from None


def analyze() -> None:
    """Statistics for the planner, which a dump does not have."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def close() -> None:
    """End the connections of this process to the database in use."""
    current: Any = connections[ALIAS]
    current.close()
    if current.settings_dict["OPTIONS"].get("pool"):
        current.close_pool()


def _parameters(database: str) -> dict[str, str]:
    """Parameters for libpq: the settings of the program with another database."""
    current: Any = connections[ALIAS]
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    given = {"dbname": database, **current.get_connection_params(), "options": ""} | {"dbname": database}
    return {name: str(value) for name, value in given.items() if name in known and value not in ("", None)}


def _client(database: str) -> tuple[str, dict[str, str]]:
    """Connection string for a program, and the password for its environment, where other users do not see it."""
    parameters = _parameters(database)
    password = parameters.pop("password", "")
    return make_conninfo(**parameters), {"PGPASSWORD": password} if password else {}
