"""The manifest of a backup: what it holds, with what it was made, and its signature. Pure."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from survey.backups import messages
from survey.exceptions import PolicyDenied
from survey.ledgers import content
from survey.ledgers.content import Statement
from survey.sentences import Sentence

LAYOUT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
DATABASE, FILES = "database", "files"


@dataclass(slots=True)
class Manifest:
    """A backup in figures. ``files`` are all files of its folder except the manifest and the signature."""

    name: str
    made_at: str  # ISO 8601; the time of the snapshot
    version: str  # of the program
    migrations: list[str]
    database: dict[str, Any]  # versions of server and dump, encoding and collation
    tables: dict[str, list[str]]  # number of rows, sum of their hashes
    heads: dict[str, dict[str, Any]]  # last block of each ledger
    keys: dict[str, dict[str, str]]  # setting -> name of a key -> fingerprint
    open_jobs: int  # jobs that waited or ran
    missing: list[str]  # files that rows name and that were not there
    gone: list[str]  # files that were removed with their rows while the backup was made
    files: dict[str, list[Any]] = field(default_factory=dict)  # path -> size, SHA-256
    layout: int = LAYOUT

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(int(count) for count, _sum in self.tables.values())

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(int(size) for size, _digest in self.files.values())


def write(folder: Path, manifest: Manifest) -> None:
    """Write manifest and signature."""
    data = json.dumps(asdict(manifest), ensure_ascii=False, indent=1, sort_keys=True).encode()
    algorithm, key = content.present()
    signature = content.signature(_statement(data), algorithm, key)
    (folder / MANIFEST).write_bytes(data)
    document = {"algorithm": algorithm, "key": key, "signature": signature}
    (folder / SIGNATURE).write_text(json.dumps(document), encoding="utf-8")


def read(folder: Path) -> Manifest:
    """The manifest of a backup. Raises PolicyDenied when it cannot be read or is not the one that was signed."""
    try:
        data = (folder / MANIFEST).read_bytes()
        signed = json.loads((folder / SIGNATURE).read_text(encoding="utf-8"))
        algorithm, key, given = (str(signed[name]) for name in ("algorithm", "key", "signature"))
    except FileNotFoundError:
        raise PolicyDenied(messages.NO_BACKUP(folder=folder)) from None
    except (ValueError, KeyError, TypeError):
        raise PolicyDenied(messages.MANIFEST_UNREADABLE(folder=folder)) from None
    try:
        intact = content.is_signed(_statement(data), algorithm, key, given)
    except KeyError:
        raise PolicyDenied(messages.KEY_UNKNOWN(key=key)) from None
    if not intact:
        raise PolicyDenied(messages.MANIFEST_FORGED(folder=folder, key=key))
    try:
        return Manifest(**json.loads(data))
    except TypeError:  # signed by a program with another layout
        raise PolicyDenied(messages.MANIFEST_UNREADABLE(folder=folder)) from None


def file_faults(folder: Path, manifest: Manifest) -> Iterator[Sentence]:
    """Files that are missing, changed or unknown to the manifest; every file is read."""
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name, (size, digest) in sorted(manifest.files.items()):
        if name not in present:
            yield messages.FILE_MISSING(file=name)
        elif (folder / name).stat().st_size != size or digest_of(folder / name) != digest:
            yield messages.FILE_CHANGED(file=name)
    for name in sorted(present - manifest.files.keys() - {MANIFEST, SIGNATURE}):
        yield messages.FILE_UNKNOWN(file=name)


def table_faults(expected: Mapping[str, list[str]], actual: Mapping[str, list[str]]) -> Iterator[Sentence]:
    """Tables whose rows are not those of the backup."""
    for table in sorted(expected.keys() | actual.keys()):
        then, now = expected.get(table, ["0", ""]), actual.get(table, ["0", ""])
        if then != now:
            yield messages.TABLE_DIFFERS(table=table, count=now[0], expected=then[0])


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return digest(file)


def digest(file: IO[bytes]) -> str:
    """SHA-256 of an open file."""
    hashed = hashlib.sha256()
    while data := file.read(1 << 20):
        hashed.update(data)
    return hashed.hexdigest()


def _statement(data: bytes) -> Statement:
    return Statement("backup", (hashlib.sha256(data).hexdigest(),))
