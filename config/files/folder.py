"""Storage in a folder of this machine, or of a disk that all machines share."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from config.files.entries import Entry

PARTIAL = ".part"


class FolderStorage(FileSystemStorage):
    """Files below the folder that a setting names, readable only by this system user."""

    def __init__(self, setting: str) -> None:
        super().__init__(allow_overwrite=True)
        self.setting = setting

    @property
    def base_location(self) -> str:
        """The folder that the setting names now."""
        return str(getattr(settings, self.setting))

    @property
    def location(self) -> str:
        """The same as an absolute path."""
        return os.path.abspath(self.base_location)

    def _save(self, name: str, content: "File[Any]") -> str:
        """Write beside the target, make it durable and rename it: the file is there as a whole or not at all."""
        path = Path(self.path(name))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PARTIAL}")
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            _sync(path.parent)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return name

    def entries(self) -> Iterator[Entry]:
        """All files, also those that were left half-written by a killed process."""
        root = Path(self.location)
        for path in root.rglob("*"):
            try:
                facts = path.stat()
            except FileNotFoundError:  # removed meanwhile
                continue
            if path.is_file():
                yield Entry(path.relative_to(root).as_posix(), facts.st_size, facts.st_mtime)

    def url(self, name: str | None) -> str:
        """Files have no addresses for browsers."""
        raise NotImplementedError("downloads go through the site")

    def check(self) -> None:
        """Raise OSError unless files can be written."""
        Path(self.location).mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(self.location, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(f"{self.location} cannot be written")


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
