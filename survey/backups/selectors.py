"""What a backup holds besides the database, how its content is verified, and the last backups in the audit trail.

Upper packages register their files and their hashes.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from survey.audit import AuditEvent
from survey.backups import messages
from survey.files import Store
from survey.frame.models import FrameImport
from survey.jobs.models import Job
from survey.microdata import selectors as microdata
from survey.microdata.models import Observation
from survey.questionnaires.document import document_hash
from survey.questionnaires.models import QuestionnaireVersion
from survey.sentences import Sentence
from survey.submissions.lifecycle.filing.selectors import is_intact
from survey.submissions.models import Attachment, Filing, Submission

MADE, VERIFIED = "backup_made", "backup_verified"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that a row names, by its name in its store, with the hash and the size in the row if it has them."""

    path: str
    subject: Sentence
    sha256: str = ""
    size: int | None = None


type Read = Callable[[str], bytes]
"""Reads a file of a store, where it is in use or in a backup. Raises FileMissing."""
type Files = Callable[[Read], Iterator[StoredFile]]
"""Lists the files of a store that the rows of the database name."""
type Check = Callable[[], Iterator[tuple[Sentence, bool]]]
_FILES: dict[Store, Files] = {}
_CHECKS: dict[str, Check] = {}


def register(files: dict[Store, Files], checks: dict[str, Check]) -> None:
    """Add stores and checks of hashes of an upper package, by name."""
    _FILES.update(files)
    _CHECKS.update(checks)


def stores() -> dict[Store, Files]:
    """All stores whose files a backup holds."""
    return {**FILES, **_FILES}


def checks() -> dict[str, Check]:
    """Name of a kind of rows -> each of its rows, and whether it has the hash that it was stored with."""
    return {**CHECKS, **_CHECKS}


def open_jobs() -> int:
    """Jobs that wait or run: a restored database does them again."""
    return Job.objects.filter(state__in=(Job.State.WAITING, Job.State.RUNNING)).count()


def last(action: str) -> AuditEvent | None:
    """The last successful one of these actions."""
    return AuditEvent.objects.filter(action=action, succeeded=True).order_by("-at").first()


def _attachments(read: Read) -> Iterator[StoredFile]:
    rows = Attachment.objects.exclude(path="").order_by("pk").values_list("pk", "path", "sha256", "size")
    for key, path, sha256, size in rows.iterator():
        yield StoredFile(path, messages.ATTACHMENT(number=key), sha256, size)


def _job_files(read: Read) -> Iterator[StoredFile]:
    rows = Job.objects.filter(state=Job.State.DONE).exclude(file="").order_by("pk")
    for key, path in rows.values_list("pk", "file").iterator():
        yield StoredFile(path, messages.JOB(number=key))


def _filings() -> Iterator[tuple[Sentence, bool]]:
    rows = Filing.objects.select_related("version", "submission__round", "submission__unit").order_by("pk")
    unread = [
        f"submission__{field.name}" for field in Submission._meta.concrete_fields if field.name == "answers"
    ]
    for filing in rows.defer("version__document", *unread).iterator(chunk_size=500):
        yield messages.FILING(number=filing.pk), is_intact(filing)


def _observations() -> Iterator[tuple[Sentence, bool]]:
    for row in Observation.objects.order_by("pk").iterator(chunk_size=500):
        yield messages.OBSERVATION(number=row.pk), microdata.is_intact(row)


def _questionnaires() -> Iterator[tuple[Sentence, bool]]:
    for row in QuestionnaireVersion.objects.order_by("pk").iterator(chunk_size=20):
        subject = messages.QUESTIONNAIRE(number=f"{row.category} {row.year}.{row.number}")
        yield subject, document_hash(row.document) == row.content_hash


def _frame_imports() -> Iterator[tuple[Sentence, bool]]:
    for row in FrameImport.objects.only("content", "sha256").order_by("pk").iterator(chunk_size=1):
        yield (
            messages.FRAME_IMPORT(number=row.pk),
            hashlib.sha256(bytes(row.content)).hexdigest() == row.sha256,
        )


FILES: dict[Store, Files] = {Store.ATTACHMENTS: _attachments, Store.JOBS: _job_files}
CHECKS: dict[str, Check] = {
    "filings": _filings,
    "observations": _observations,
    "questionnaires": _questionnaires,
    "frame imports": _frame_imports,
}
