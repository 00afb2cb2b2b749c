"""Content of attachments: files below ATTACHMENT_ROOT, each written whole or not at all, and their comparison with the rows."""

import errno
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from survey.exceptions import FileMissing, StorageFull
from survey.submissions.models import Attachment

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PARTIAL = ".part"
GRACE_SECONDS = 3600  # a younger file may belong to a transaction that is not committed yet


@dataclass(frozen=True, slots=True)
class Differences:
    """Attachments whose file is missing or has another size, and files that no row names."""

    missing: list[Attachment]
    orphans: list[Path]


def root() -> Path:
    """The folder of all attachments."""
    return Path(settings.ATTACHMENT_ROOT)


def write(folder: str, data: bytes) -> Path:
    """Store a new file on disk. Raises StorageFull; then nothing is left of it."""
    path = root() / folder / secrets.token_hex(16)
    partial = path.with_suffix(PARTIAL)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        _sync(path.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        if error.errno in FULL:
            raise StorageFull(
                _("The site has no room for files at the moment. Nothing was stored.")
            ) from error
        raise
    return path


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def content(attachment: Attachment) -> bytes:
    """The content of an attachment. Raises FileMissing."""
    try:
        return (root() / attachment.path).read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise FileMissing(_("The stored file is missing. Tell the survey office.")) from error


def delete(path: str) -> None:
    """Delete the file of a removed attachment."""
    (root() / path).unlink(missing_ok=True)


def differences() -> Differences:
    """Compare all rows with all files. Files of the last hour that no row names are not listed."""
    rows = {
        row.path: row for row in Attachment.objects.exclude(path="").only("path", "size", "submission_id")
    }
    young = time.time() - GRACE_SECONDS
    sizes: dict[str, int] = {}
    orphans = []
    for path in root().rglob("*"):
        if not path.is_file():
            continue
        name, facts = path.relative_to(root()).as_posix(), path.stat()
        sizes[name] = facts.st_size
        if name not in rows and facts.st_mtime < young:
            orphans.append(path)
    missing = [row for name, row in rows.items() if sizes.get(name) != row.size]
    return Differences(sorted(missing, key=lambda row: row.pk), sorted(orphans))
