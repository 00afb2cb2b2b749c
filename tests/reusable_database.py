"""The test database is reused by the next run, because creating it takes longer than most tests.

Migrations run once for all workers: the first one writes what they have made to a file, the others read it, and so
does a worker whose last run has left rows, and the recovery tests with servers of their own.
"""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from config.local import embedded

ROOT = Path(__file__).resolve().parent.parent
# Sources of the database before the first test: the tables, and the rows of ``factories.prepare_base``.
SOURCES = (
    "uv.lock",
    "tests/factories.py",
    "*/migrations/*.py",
    "survey/access/regions*",
    "survey/questionnaires/**/*.py",
    "survey/questionnaires/**/*.yaml",
    "survey/collection/models.py",
)


FOLDER = ROOT / ".local" / "test"


class ReusableDatabase:
    """The state of the test database of a worker after its last run, stored in a file."""

    def __init__(self, worker: str, database: Mapping[str, Any]) -> None:
        self.state_file = FOLDER / f"base-{worker}"
        self.database = database
        self.sources = digest_of_sources()  # of the start: sources may be edited while the tests run
        place = repr([database.get(key) for key in ("HOST", "PORT", "NAME")])
        self.digest = f"{self.sources} {hashlib.sha256(place.encode()).hexdigest()}"
        self.dump = dump_file(self.sources)
        self.lock: IO[bytes] | None = None

    def take(self, name: str) -> bool:
        """Whether the database of this name is up to date, as it was left or made from the file.

        Deletes the state file, so that an interrupted run leaves none. Where there is no file this worker is the one
        that makes it, with ``write``; others wait for it.
        """
        stored = self.state_file.read_text() if self.state_file.exists() else ""
        self.state_file.unlink(missing_ok=True)
        if stored == self.digest:
            return True
        if not os.environ.get("LOCAL_MODE"):  # another server may be too new for our programs
            return False
        self.lock = (FOLDER / "base.lock").open("wb")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        if not self.dump.exists():
            return False
        self.lock.close()
        _recreate(name)
        restore(self.dump, self.database, name)
        return True

    def write(self, name: str) -> None:
        """Write the file, unless the database was not made by migrations."""
        if self.lock is None or self.lock.closed:
            return
        for former in FOLDER.glob("base-*.dump"):
            former.unlink()
        new = self.dump.with_suffix(".new")
        _program("pg_dump", self.database, name, "--format", "custom", "--compress", "0", "--file", str(new))
        new.replace(self.dump)
        self.lock.close()

    def leave(self) -> None:
        """Write the state file, unless a test has left rows in the database."""
        from survey.access.models import User
        from survey.frame.models import ReportingUnit

        if not (User.objects.exists() or ReportingUnit.objects.exists()):
            self.state_file.parent.mkdir(parents=True, exist_ok=True)
            self.state_file.write_text(self.digest)


def dump_file(sources: str) -> Path:
    """Where the database that these sources make is written."""
    return FOLDER / f"base-{sources[:16]}.dump"


def restore(dump: Path, database: Mapping[str, Any], name: str) -> None:
    """Make the tables and rows of the file in an empty database."""
    _program("pg_restore", database, name, "--exit-on-error", "--no-owner", str(dump))


def _recreate(name: str) -> None:
    from django.db import connection

    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')


def _program(program: str, database: Mapping[str, Any], name: str, *arguments: str) -> None:
    host = database["HOST"] or database["OPTIONS"]["host"]
    server = [
        "--host",
        host,
        "--port",
        str(database["PORT"]),
        "--username",
        database["USER"],
        "--dbname",
        name,
    ]
    command = [*embedded.postgres_program(program), *server, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr}")


def digest_of_sources() -> str:
    """SHA-256 over the sources."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def sources() -> Iterator[Path]:
    """The files in a fixed order. Raises LookupError for a pattern without matches."""
    for pattern in SOURCES:
        paths = sorted(path for path in ROOT.glob(pattern) if path.is_file())
        if not paths:
            raise LookupError(f"no file matches {pattern}")
        yield from paths
