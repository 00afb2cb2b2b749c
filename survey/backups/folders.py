"""Folders of backups: one for each, written under another name and renamed when it is complete. Pure."""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from config.files.faults import FULL
from survey.backups import messages
from survey.backups.manifest import MANIFEST
from survey.exceptions import PolicyDenied, StorageFull

PARTIAL = ".part-"
NAME = re.compile(r"\d{8}T\d{6}Z")
CHUNK = 1 << 20


def name_of(moment: datetime) -> str:
    """The name of a backup; names sort by time."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Only one backup is written to a folder at a time. Raises PolicyDenied while another one is."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (root / ".lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise PolicyDenied(messages.RUNNING(folder=root)) from None
        yield


@contextmanager
def written_whole(root: Path, name: str) -> Iterator[Path]:
    """A folder that appears under its name when the block ends without an exception, and else is deleted."""
    for left in root.glob(f"{PARTIAL}*"):
        shutil.rmtree(left)  # of a backup that was killed
    part = root / f"{PARTIAL}{name}"
    part.mkdir(mode=0o700)
    try:
        with full_disk_refused(root):
            yield part
            _sync(part)
            part.rename(root / name)
            sync_folder(root)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def full_disk_refused(folder: Path) -> Iterator[None]:
    """Raises StorageFull when the disk of a folder is full."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull(messages.DISK_FULL(folder=folder)) from error
        raise


def complete(root: Path) -> list[Path]:
    """The complete backups of a folder, the oldest first."""
    return sorted(
        path for path in root.glob("*Z") if NAME.fullmatch(path.name) and (path / MANIFEST).is_file()
    )


def chosen(folder: Path) -> Path:
    """The folder itself if it is a backup, else the newest backup in it. Raises PolicyDenied without one."""
    if (folder / MANIFEST).is_file():
        return folder
    backups = complete(folder)
    if not backups:
        raise PolicyDenied(messages.NO_BACKUP(folder=folder))
    return backups[-1]


def remove_older(root: Path, keep: int) -> list[str]:
    """Delete all but the newest ``keep`` backups. Returns their names."""
    old = complete(root)[:-keep]
    for path in old:
        (path / MANIFEST).unlink()  # what is left of an interrupted deletion is no backup
        shutil.rmtree(path)
    return [path.name for path in old]


def copy(source: IO[bytes], target: Path) -> tuple[int, str]:
    """Copy an open file durably; its size and SHA-256. The target appears whole."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    digest, size = hashlib.sha256(), 0
    try:
        with open(os.open(part, _NEW, 0o600), "wb") as file:
            while data := source.read(CHUNK):
                digest.update(data)
                size += file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return size, digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(root: Path) -> None:
    """Make a tree durable; the files of the dump were written by another program."""
    for folder, _folders, files in os.walk(root):
        for name in files:
            with (Path(folder) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(folder))


_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
