"""A workbook comes back: a rehearsal of the save that shows what it would do, then the save itself.

The rehearsal is the very save, rolled back: same parsing, same conflicts, same rules.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from survey.access.models import User
from survey.exceptions import FileRefused, PolicyDenied
from survey.questionnaires.edits import Finding
from survey.submissions import cells
from survey.submissions.lifecycle.saving.conflicts import Conflict
from survey.submissions.lifecycle.saving.services import SaveResult, autosave
from survey.submissions.models import Submission
from survey.submissions.selectors import Sheet, sheet
from survey.submissions.workbook.reading import WorkbookContent, read_workbook

KEPT_SECONDS = 1800  # between looking and writing
CHANNEL = "excel"


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell that the workbook would change."""

    key: str
    old: Any
    new: Any


@dataclass(slots=True)
class Preview:
    """What the workbook would do to the sheet."""

    token: str
    result: SaveResult
    before: Sheet
    differences: list[Difference]
    conflicts: list[Conflict]
    appeared: list[Finding]  # findings that are not there now
    settled: int  # findings that would be gone
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """True when the workbook says what the sheet says already."""
        return not self.differences and not self.conflicts and not self.result.errors


def preview_workbook(submission: Submission, *, by: User, data: bytes) -> Preview:
    """Read a file and rehearse it; nothing is written.

    Raises FileRefused (not our file, other unit, other version), PermissionDenied, PolicyDenied.
    """
    before = sheet(submission)
    content = read_workbook(data, before.definition)
    _check_origin(content, submission)
    result = _rehearse(submission, by, content)
    token = secrets.token_urlsafe(16)
    cache.set(
        _name(submission, by, token), {"changes": content.changes, "base": content.revision}, KEPT_SECONDS
    )
    known = {(one.edit, one.fingerprint) for one in before.findings}
    now = {(one.edit, one.fingerprint) for one in result.findings}
    return Preview(
        token=token,
        result=result,
        before=before,
        differences=[
            Difference(key, cells.get(before.answers, key), cells.get(result.sheet.answers, key))
            for key in result.changed
        ],
        conflicts=list(result.conflicts.values()),
        appeared=[one for one in result.findings if (one.edit, one.fingerprint) not in known],
        settled=len(known - now),
        unchanged=len(content.changes) - len(result.changed) - len(result.conflicts) - len(result.errors),
    )


@transaction.atomic
def apply_workbook(
    submission: Submission, *, by: User, token: str, revision: int, take: Collection[str] = ()
) -> SaveResult:
    """Write what the preview showed. ``take`` are conflicting cells in which the file shall win over
    ``revision``, the one that the preview saw. Raises PolicyDenied when the preview is too old.
    """
    kept: Mapping[str, Any] | None = cache.get(_name(submission, by, token))
    if kept is None:
        raise PolicyDenied(_("The check of this workbook is too old. Upload it once more."))
    result = autosave(
        submission,
        by=by,
        changes=kept["changes"],
        base_revision=kept["base"],
        bases={key: revision for key in take if key in kept["changes"]},
        channel=CHANNEL,
    )
    transaction.on_commit(lambda: cache.delete(_name(submission, by, token)))
    return result


def _rehearse(submission: Submission, by: User, content: WorkbookContent) -> SaveResult:
    with transaction.atomic():
        result = autosave(
            submission, by=by, changes=content.changes, base_revision=content.revision, channel=CHANNEL
        )
        result.findings  # noqa: B018 worked out while the rows can still be read
        transaction.set_rollback(True)
    return result


def _check_origin(content: WorkbookContent, submission: Submission) -> None:
    if content.uscc != submission.unit.uscc:
        raise FileRefused(_("This workbook belongs to another unit."))
    if content.sheet != str(submission.pk) or content.year != str(submission.round.year):
        raise FileRefused(_("This workbook belongs to another year."))
    if content.revision > submission.revision:
        raise FileRefused(_("This workbook was made by another version of this site. Download it again."))


def _name(submission: Submission, by: User, token: str) -> str:
    return f"workbook:{submission.pk}:{by.pk}:{token}"
