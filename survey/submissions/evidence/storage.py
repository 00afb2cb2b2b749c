"""Content of attachments, each file written whole or not at all."""

import secrets

from survey import files
from survey.files import Store
from survey.submissions.models import Attachment


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
