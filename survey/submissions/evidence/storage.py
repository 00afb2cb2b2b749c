"""Content of attachments, each file written whole or not at all, and the comparison of files with rows."""

import secrets
import time
from dataclasses import dataclass

from survey import files
from survey.files import Store
from survey.submissions.models import Attachment

GRACE_SECONDS = 3600  # a younger file may belong to a transaction that is not committed yet


@dataclass(frozen=True, slots=True)
class Differences:
    """Attachments whose file is missing or has another size, and names of files that no row has."""

    missing: list[Attachment]
    orphans: list[str]


def write(folder: str, data: bytes) -> str:
    """Store a new file; returns its name. Raises StorageFull; then nothing is left of it."""
    name = f"{folder}/{secrets.token_hex(16)}"
    try:
        files.write(Store.ATTACHMENTS, name, data)
    except BaseException:
        discard(name)  # a server that did not answer may have stored it
        raise
    return name


def content(attachment: Attachment) -> bytes:
    """The content of an attachment. Raises FileMissing."""
    return files.read(Store.ATTACHMENTS, attachment.path)


def delete(name: str) -> None:
    """Delete the file of a removed attachment."""
    files.delete(Store.ATTACHMENTS, name)


def discard(name: str) -> None:
    """Delete a file that has no row, as far as its server answers."""
    files.discard(Store.ATTACHMENTS, name)


def differences() -> Differences:
    """Compare all rows with all files. Files of the last hour that no row names are not listed."""
    rows = {
        row.path: row for row in Attachment.objects.exclude(path="").only("path", "size", "submission_id")
    }
    young = time.time() - GRACE_SECONDS
    sizes: dict[str, int] = {}
    orphans = []
    for entry in files.entries(Store.ATTACHMENTS):
        sizes[entry.name] = entry.size
        if entry.name not in rows and entry.modified < young:
            orphans.append(entry.name)
    missing = [row for name, row in rows.items() if sizes.get(name) != row.size]
    return Differences(sorted(missing, key=lambda row: row.pk), sorted(orphans))
