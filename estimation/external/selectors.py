"""Reads of the stored files of external values."""

import hashlib
from collections.abc import Iterator

from estimation.external.messages import EXTERNAL_FILE
from estimation.external.models import ExternalFile
from survey.sentences import Sentence


def hashed_files() -> Iterator[tuple[Sentence, bool]]:
    """Each file, and whether its content has its hash."""
    for row in ExternalFile.objects.only("content", "sha256").order_by("pk").iterator(chunk_size=1):
        intact = hashlib.sha256(bytes(row.content)).hexdigest() == row.sha256
        yield EXTERNAL_FILE(number=row.pk), intact
