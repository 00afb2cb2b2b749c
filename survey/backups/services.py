"""A backup: the database as it is at one moment, and the files that its rows name, under a signed manifest."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import OperationalError

from survey import audit, clock, files
from survey.backups import folders, keys, manifest, messages, selectors, storage
from survey.backups.manifest import DATABASE, FILES, Manifest
from survey.exceptions import FileMissing, PolicyDenied, SurveyError
from survey.ledgers.content import LEDGERS
from survey.ledgers.models import LedgerBlock


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup and what was done beside it."""

    path: Path
    manifest: Manifest
    removed: list[str]  # older backups
    keys: list[Path]  # files with keys


def make_backup(to: Path, *, keys_to: Path | None = None, keep: int = 0, jobs: int = 2) -> Made:
    """Write a backup to a new folder in ``to``, and the keys to ``keys_to``; with ``keep`` older backups are deleted.

    A refusal is recorded like a success. Raises PolicyDenied and StorageFull.
    """
    try:
        if keys_to is not None and _in_each_other(to, keys_to):
            raise PolicyDenied(messages.KEYS_BESIDE(keys=keys_to, folder=to))
        with folders.alone(to):
            made = _write(to, clock.present(), jobs)
            written = [] if keys_to is None else keys.write(keys_to)
            removed = folders.remove_older(to, keep) if keep else []
    except SurveyError as refusal:
        audit.record(by=None, action=selectors.MADE, succeeded=False, error=refusal.stored.to_document())
        raise
    except OperationalError as error:
        raise PolicyDenied(messages.SERVER_FAILED(error=str(error).strip().splitlines()[0])) from error
    audit.record(
        by=None,
        action=selectors.MADE,
        name=made.name,
        size=made.size,
        rows=made.rows,
        files=sum(name.startswith(f"{FILES}/") for name in made.files),
        missing=len(made.missing),
    )
    return Made(to / made.name, made, removed, written)


def _write(to: Path, moment: datetime, jobs: int) -> Manifest:
    name = folders.name_of(moment)
    with folders.written_whole(to, name) as part, storage.using(storage.present_name()):
        with storage.snapshot() as snapshot:
            made = Manifest(
                name=name,
                made_at=moment.isoformat(),
                version=settings.VERSION,
                migrations=storage.migrations(),
                database={"server": storage.version(), **storage.properties()},
                tables=storage.checksums(),
                heads=_heads(),
                keys=keys.fingerprints(),
                open_jobs=selectors.open_jobs(),
                missing=[],
                gone=[],
            )
            # Files are written before the rows that name them: whatever the snapshot names was there. At once,
            # because a file goes when its row does, which the dump of a large database would leave time for.
            _copy_files(part / FILES, made)
            made.database["dump"] = storage.dump(part / DATABASE, snapshot, jobs)
        if made.missing:
            named = {
                f"{FILES}/{store}/{file.path}"
                for store, listed in selectors.stores().items()
                for file in listed(partial(files.read, store))
            }
            made.gone = [path for path in made.missing if path not in named]
            made.missing = [path for path in made.missing if path in named]
        for path in sorted((part / DATABASE).rglob("*")):
            made.files[path.relative_to(part).as_posix()] = [path.stat().st_size, manifest.digest_of(path)]
        manifest.write(part, made)
    return made


def _copy_files(target: Path, made: Manifest) -> None:
    for store, listed in selectors.stores().items():
        for file in listed(partial(files.read, store)):
            name = f"{FILES}/{store}/{file.path}"
            try:
                with files.opened(store, file.path) as source:
                    made.files[name] = [*folders.copy(source, target / store / file.path)]
            except FileMissing:
                made.missing.append(name)


def _heads() -> dict[str, dict[str, object]]:
    blocks = {name: LedgerBlock.objects.filter(ledger=name).order_by("-number").first() for name in LEDGERS}
    return {name: {"number": block.number, "hash": block.hash} for name, block in blocks.items() if block}


def _in_each_other(first: Path, second: Path) -> bool:
    first, second = first.resolve(), second.resolve()
    return first == second or first in second.parents or second in first.parents
