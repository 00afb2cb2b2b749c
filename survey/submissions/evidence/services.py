"""Files attached to a sheet: checked, scanned, stored outside the web root.

A unit uploads evidence for its answers; an office the document that justifies an exemption. Limits,
scanner and storage are the same; who may add and who may read differ by ``Attachment.purpose``.
"""

import base64
import hashlib
import re
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from survey import audit, clock, locks
from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import Assignment, Disposition
from survey.exceptions import PolicyDenied
from survey.notation.characters import unstorable
from survey.submissions.evidence import storage
from survey.submissions.evidence.file_kinds import KINDS, kind_of, text_of
from survey.submissions.evidence.parsing import jpeg_of
from survey.submissions.evidence.selectors import (
    DESK,
    SHEET,
    attachments_of,
    bytes_on_disk,
    evidence_targets,
    sheets_of_unit,
)
from survey.submissions.lifecycle.states import EDITABLE, Owner, State
from survey.submissions.lifecycle.transitions import locked, reaches
from survey.submissions.models import Attachment, Submission
from survey.untrusted.protocol import MEBIBYTE, Limits
from survey.untrusted.reading import read_value

MOST = 20  # files of one sheet and purpose
_RESERVED = re.compile(r'[<>:"/\\|?*]+')  # what file systems of offices do not take
PICTURE_LIMITS = Limits(processor_seconds=10, seconds=30, memory=768 * MEBIBYTE, output=16 * MEBIBYTE)


def attach(
    submission: Submission,
    *,
    by: User,
    name: str,
    data: bytes,
    note: str = "",
    item: str = "",
    purpose: str = SHEET,
) -> Attachment:
    """Store one file. ``item`` is the item or section that it proves, empty for the sheet as a whole.

    Raises PermissionDenied, PolicyDenied with the reason why the file is refused.
    """
    kind = kind_of(data)
    if kind is None:
        raise PolicyDenied(
            _("This kind of file is not taken: PDF, OFD, pictures, .xlsx, .docx without macros, or text.")
        )
    threat = _scan(data)
    if threat:
        audit.record(by=by, action="attachment_infected", subject=submission, succeeded=False, found=threat)
        raise PolicyDenied(_("The scanner has found something harmful in this file. It was not stored."))
    facts = {
        "name": _clean(name, kind),
        "kind": kind,
        "note": note[:200],
        "item": item,
        "purpose": purpose,
    }
    path = storage.write(str(submission.pk), data)
    try:
        return _store(submission, by, path, data, facts)
    except BaseException:
        storage.discard(path)  # no row, no file
        raise


def _scan(data: bytes) -> str:
    """The result of the configured scanner, which reads a temporary file: empty for a clean one."""
    if not settings.ATTACHMENT_SCANNER:
        return ""
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return str(import_string(settings.ATTACHMENT_SCANNER)(Path(file.name)) or "")


def _clean(name: str, kind: str) -> str:
    """The name without folders and without what no file system takes; its letters stay, of whatever script.

    It ends with the extension of the detected kind.
    """
    stem = Path(name.replace("\\", "/")).stem
    letters = "".join(character for character in stem if not unstorable(character))
    return f"{_RESERVED.sub('_', letters).strip(' .')[:80] or 'file'}{KINDS[kind][1]}"


@transaction.atomic
def _store(submission: Submission, by: User, path: str, data: bytes, facts: dict[str, str]) -> Attachment:
    row = locked(submission)
    _may_change(row, by, facts["purpose"])
    if facts["item"] and facts["item"] not in dict(evidence_targets(row)):
        raise PolicyDenied(_("This questionnaire has no such item."))
    _check_quota(row, facts["purpose"], len(data))
    attachment = Attachment.objects.create(
        submission=row,
        size=len(data),
        uploaded_by=by,
        sha256=hashlib.sha256(data).hexdigest(),
        path=path,
        **facts,
        scanned_at=clock.present() if settings.ATTACHMENT_SCANNER else None,
    )
    audit.record(
        by=by,
        action="attachment_added",
        subject=row,
        region_path=row.unit.review_region.path,
        attachment=attachment.pk,
        name=attachment.name,
        size=len(data),
        sha256=attachment.sha256,
        purpose=attachment.purpose,
        item=attachment.item,
        unit=row.unit.uscc,
    )
    return attachment


def _check_quota(row: Submission, purpose: str, size: int) -> None:
    """Raises PolicyDenied when a file is too large, or exceeds the quota of its purpose.

    Files of a sheet are counted under its lock, those of a unit under one of the unit, to the end of the transaction.
    An office's files have a quota of their own: a unit cannot use it up.
    """
    if attachments_of(row, purpose).count() >= MOST:
        raise PolicyDenied(_("There are too many files on this sheet. Remove one first."))
    if size > settings.ATTACHMENT_LARGEST or bytes_on_disk(purpose, row) + size > settings.ATTACHMENT_QUOTA:
        raise PolicyDenied(_("The file is too large, or the files of this sheet are too large together."))
    locks.hold(f"evidence of unit {row.unit_id}")
    if bytes_on_disk(purpose, *sheets_of_unit(row)) + size > settings.ATTACHMENT_UNIT_QUOTA:
        raise PolicyDenied(
            _("The files of this unit are too large together: those of all its sheets that are open count.")
        )


def _may_change(row: Submission, by: User, purpose: str) -> None:
    if purpose == DESK:
        if not reaches(row, Permission.MANAGE_UNITS, Owner.PROVINCE, by):
            raise PermissionDenied
        return
    if not reaches(row, Permission.RESPOND, Owner.RESPONDENT, by):
        raise PermissionDenied
    if row.state not in EDITABLE:
        raise PolicyDenied(_("The sheet takes no changes now."))


@transaction.atomic
def remove(submission: Submission, *, by: User, attachment_id: int, purpose: str = SHEET) -> None:
    """Remove a file. Its row is retained for audit; its content only when a filing may rest on it."""
    row = locked(submission)
    _may_change(row, by, purpose)
    if purpose == DESK and _is_proof(row):
        raise PolicyDenied(_("What was decided about this unit rests on its files. Change that first."))
    attachment = attachments_of(row, purpose).filter(pk=attachment_id).first()
    if attachment is None:
        raise PolicyDenied(_("This file has been removed already."))
    attachment.removed_at = clock.present()
    if purpose == SHEET and not row.filings.filter(filed_at__gte=attachment.uploaded_at).exists():
        transaction.on_commit(partial(storage.delete, attachment.path))
        attachment.path = ""
    attachment.save(update_fields=["removed_at", "path"])
    audit.record(
        by=by,
        action="attachment_removed",
        subject=row,
        region_path=row.unit.review_region.path,
        attachment=attachment_id,
        sha256=attachment.sha256,
    )


def _is_proof(row: Submission) -> bool:
    """Whether a decision in force relies on the files: an exemption, or a disposition other than eligible."""
    return row.state == State.EXEMPTED or row.assignment.disposition != Disposition.ELIGIBLE


def read(attachment: Attachment, *, by: User) -> bytes:
    """The content of a file; the download is recorded in the audit log. Raises PolicyDenied when it is damaged,
    FileMissing."""
    data = storage.content(attachment)
    if hashlib.sha256(data).hexdigest() != attachment.sha256:
        raise PolicyDenied(_("The stored file is damaged. Tell the survey office."))
    unit = attachment.submission.unit
    audit.record(
        by=by,
        action="attachment_downloaded",
        subject=attachment,
        region_path=unit.review_region.path,
        unit=unit.uscc,
        name=attachment.name,
    )
    return data


def picture_of(attachment: Attachment, *, by: User) -> bytes:
    """A photograph of a telephone (HEIC) as JPEG, which every program shows; recorded as ``read`` is.

    Raises PolicyDenied, FileMissing, FileRefused when it cannot be converted, Overloaded.
    """
    content = read(attachment, by=by)
    return base64.b64decode(read_value(jpeg_of, content, PICTURE_LIMITS))


def readable(attachment: Attachment, *, by: User) -> bytes:
    """The content of a file, a text in another encoding as UTF-8; recorded as ``read`` is, and raises as it does."""
    content = read(attachment, by=by)
    if attachment.kind != "text":
        return content
    try:
        content.decode()
    except UnicodeDecodeError:
        return text_of(content).encode("utf-8-sig")  # the mark tells spreadsheet programs the encoding
    return content


def has_evidence(assignment: Assignment) -> bool:
    """Whether an office has attached a document to the sheet of an assignment."""
    return Attachment.objects.filter(
        submission__assignment=assignment, purpose=DESK, removed_at=None
    ).exists()
