"""The database of the tests is kept for the next run: making it takes longer than most of what one wants to test."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# What makes the database before the first test: the tables, and everything that ``factories.prepare_base`` stores.
SOURCES = (
    "uv.lock",
    "tests/factories.py",
    "*/migrations/*.py",
    "survey/access/regions*",
    "survey/questionnaires/**/*.py",
    "survey/questionnaires/**/*.yaml",
    "survey/collection/models.py",
)


class KeptDatabase:
    """A file beside the local servers says in which state the last run of this worker has left its database."""

    def __init__(self, folder: Path, worker: str, database: Mapping[str, Any]) -> None:
        self.mark = folder / f"base-{worker}"
        self.digest = digest_of_sources(database)  # of now: somebody may edit the sources while the tests run

    def take(self) -> bool:
        """Is the database as it would be made now? A run that does not come to its end leaves no mark."""
        known = self.mark.read_text() if self.mark.exists() else ""
        self.mark.unlink(missing_ok=True)
        return known == self.digest

    def leave(self) -> None:
        """Keep the database, unless a test has left rows in it."""
        from survey.access.models import User
        from survey.frame.models import ReportingUnit

        if not (User.objects.exists() or ReportingUnit.objects.exists()):
            self.mark.parent.mkdir(parents=True, exist_ok=True)
            self.mark.write_text(self.digest)


def digest_of_sources(database: Mapping[str, Any]) -> str:
    """SHA-256 over the sources and the address of the server."""
    digest = hashlib.sha256(repr([database.get(key) for key in ("HOST", "PORT", "NAME")]).encode())
    for path in sources():
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def sources() -> Iterator[Path]:
    """The files in a fixed order. Raises LookupError for a pattern that finds nothing any more."""
    for pattern in SOURCES:
        found = sorted(path for path in ROOT.glob(pattern) if path.is_file())
        if not found:
            raise LookupError(f"no file matches {pattern}")
        yield from found
