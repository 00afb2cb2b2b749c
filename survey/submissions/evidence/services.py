"""Files beside a sheet: checked, scanned, kept outside the web root, removed by mark only.

The unit puts evidence for its answers there; a desk the document by which a unit leaves the survey. Limits,
scanner and storage are the same; who may add and who may read differ by ``Attachment.purpose``.
"""

import hashlib
import re
import secrets
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from survey import audit
from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import Assignment, Disposition
from survey.exceptions import PolicyDenied
from survey.submissions.evidence.file_kinds import KINDS, kind_of
from survey.submissions.evidence.selectors import DESK, SHEET, attachments_of, places_of
from survey.submissions.lifecycle.states import EDITABLE, Owner, State
from survey.submissions.lifecycle.transitions import locked, reaches
from survey.submissions.models import Attachment, Submission

MOST = 20  # files of one sheet and purpose
_NAME = re.compile(r"[^\w.()\-（）【】《》、 ]+")


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

    Raises PermissionDenied, PolicyDenied with the reason why it is not taken.
    """
    kind = kind_of(data)
    if kind is None:
        raise PolicyDenied(
            _("This kind of file is not taken: PDF, pictures, .xlsx, .docx without macros, or text.")
        )
    place = _place(submission)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.write_bytes(data)
    place.chmod(0o600)
    try:
        found = _scan(place)
        if found:
            audit.record(
                by=by, action="attachment_infected", subject=submission, succeeded=False, found=found
            )
            raise PolicyDenied(_("The scanner has found something harmful in this file. It was not stored."))
        facts = {
            "name": _clean(name, kind),
            "kind": kind,
            "note": note[:200],
            "item": item,
            "purpose": purpose,
        }
        return _store(submission, by, place, data, facts)
    except BaseException:
        place.unlink(missing_ok=True)  # no row, no file
        raise


def _place(submission: Submission) -> Path:
    return Path(settings.ATTACHMENT_ROOT) / str(submission.pk) / secrets.token_hex(16)


def _scan(place: Path) -> str:
    """What the office's scanner says: empty for a clean file."""
    if not settings.ATTACHMENT_SCANNER:
        return ""
    return str(import_string(settings.ATTACHMENT_SCANNER)(place) or "")


def _clean(name: str, kind: str) -> str:
    """A name without folders and control characters, with the ending of what the file is."""
    stem = Path(name.replace("\\", "/")).stem
    return f"{_NAME.sub('_', stem).strip()[:80] or 'file'}{KINDS[kind][1]}"


@transaction.atomic
def _store(submission: Submission, by: User, place: Path, data: bytes, facts: dict[str, str]) -> Attachment:
    row = locked(submission)
    _may_change(row, by, facts["purpose"])
    if facts["item"] and facts["item"] not in dict(places_of(row)):
        raise PolicyDenied(_("This questionnaire has no such item."))
    present = attachments_of(row, facts["purpose"])
    if present.count() >= MOST:
        raise PolicyDenied(_("There are too many files on this sheet. Remove one first."))
    used = present.aggregate(total=Sum("size"))["total"] or 0
    if len(data) > settings.ATTACHMENT_LARGEST or used + len(data) > settings.ATTACHMENT_QUOTA:
        raise PolicyDenied(_("The file is too large, or the files of this sheet are too large together."))
    attachment = Attachment.objects.create(
        submission=row,
        size=len(data),
        uploaded_by=by,
        sha256=hashlib.sha256(data).hexdigest(),
        path=f"{place.parent.name}/{place.name}",
        **facts,
        scanned_at=timezone.now() if settings.ATTACHMENT_SCANNER else None,
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
    """Take a file away. The row and the file stay for the audit; nobody is shown them any more."""
    row = locked(submission)
    _may_change(row, by, purpose)
    if purpose == DESK and _is_proof(row):
        raise PolicyDenied(_("What was decided about this unit rests on its files. Change that first."))
    gone = attachments_of(row, purpose).filter(pk=attachment_id).update(removed_at=timezone.now())
    if not gone:
        raise PolicyDenied(_("This file has been removed already."))
    audit.record(
        by=by,
        action="attachment_removed",
        subject=row,
        region_path=row.unit.review_region.path,
        attachment=attachment_id,
    )


def _is_proof(row: Submission) -> bool:
    """Does a decision stand that needed a file: an exemption by such a code, or a unit out of the survey?"""
    return row.state == State.EXEMPTED or row.assignment.disposition != Disposition.ELIGIBLE


def read(attachment: Attachment, *, by: User) -> bytes:
    """The content of a file that ``by`` may see; who fetched it is recorded. Raises PolicyDenied when it is damaged."""
    data = (Path(settings.ATTACHMENT_ROOT) / attachment.path).read_bytes()
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


def has_evidence(assignment: Assignment) -> bool:
    """Whether the office has put a document beside the sheet of an assignment."""
    return Attachment.objects.filter(
        submission__assignment=assignment, purpose=DESK, removed_at=None
    ).exists()
