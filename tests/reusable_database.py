"""The test database is reused by the next run, because creating it takes longer than most tests."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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


class ReusableDatabase:
    """The state of the test database of a worker after its last run, stored in a file."""

    def __init__(self, folder: Path, worker: str, database: Mapping[str, Any]) -> None:
        self.state_file = folder / f"base-{worker}"
        self.digest = digest_of_sources(database)  # of the start: sources may be edited while the tests run

    def take(self) -> bool:
        """Whether the database is up to date. Deletes the state file, so that an interrupted run leaves none."""
        stored = self.state_file.read_text() if self.state_file.exists() else ""
        self.state_file.unlink(missing_ok=True)
        return stored == self.digest

    def leave(self) -> None:
        """Write the state file, unless a test has left rows in the database."""
        from survey.access.models import User
        from survey.frame.models import ReportingUnit

        if not (User.objects.exists() or ReportingUnit.objects.exists()):
            self.state_file.parent.mkdir(parents=True, exist_ok=True)
            self.state_file.write_text(self.digest)


def digest_of_sources(database: Mapping[str, Any]) -> str:
    """SHA-256 over the sources and the address of the server."""
    digest = hashlib.sha256(repr([database.get(key) for key in ("HOST", "PORT", "NAME")]).encode())
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
