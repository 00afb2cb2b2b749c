"""The files that web processes and workers exchange: written whole or not at all, fetched, deleted, listed.

They lie in folders or in a bucket (``config.files``); nothing else of the program opens them. Names never come from
users. Every function raises FilesUnavailable when the server of the files does not answer.
"""

import logging
from collections.abc import Iterator
from enum import StrEnum
from typing import IO, Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.utils.translation import gettext_lazy as _

from config.files.entries import Entry
from config.files.faults import FULL, FilesUnavailable
from survey.exceptions import FileMissing, StorageFull

logger = logging.getLogger(__name__)


class Store(StrEnum):
    """Kinds of files: the names of their storages."""

    ATTACHMENTS = "attachments"
    JOBS = "jobs"
    REPORTS = "reports"
    AUDIT = "audit"


def _storage(store: Store) -> Any:
    return storages[store]


def write(store: Store, name: str, content: bytes | IO[bytes]) -> None:
    """Write a file; one of the same name is replaced. Raises StorageFull; then nothing is left of it."""
    file: File[Any] = ContentFile(content) if isinstance(content, bytes) else File(content)
    try:
        _storage(store).save(name, file)
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull(
                _("There is no storage space left for files at the moment. Nothing was stored.")
            ) from error
        raise


def opened(store: Store, name: str) -> "File[Any]":
    """An open file, to be closed by the caller. Raises FileMissing."""
    try:
        file: File[Any] = _storage(store).open(name)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise FileMissing(_("The stored file is missing. Tell the survey office.")) from error
    return file


def read(store: Store, name: str) -> bytes:
    """The content of a file. Raises FileMissing."""
    with opened(store, name) as file:
        return bytes(file.read())


def delete(store: Store, name: str) -> None:
    """Delete a file if there is one."""
    _storage(store).delete(name)


def discard(store: Store, name: str) -> None:
    """Delete a file that no row names; while the server does not answer it stays for ``check_files``."""
    try:
        delete(store, name)
    except FilesUnavailable:
        logger.warning("a file of %s was not deleted: its server does not answer", store, exc_info=True)


def entries(store: Store) -> Iterator[Entry]:
    """All files of a kind, in no order."""
    yield from _storage(store).entries()
