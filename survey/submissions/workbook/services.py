"""Upload of a workbook: a dry run of the save for the preview, then the save itself.

The dry run is the same save, rolled back: same parsing, conflicts and rules.
"""

import re
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
from survey.submissions.workbook.reading import CellFault, Rounded, WorkbookContent, read_workbook

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,40}")
PREVIEW_SECONDS = 1800  # lifetime of a preview
CHANNEL = "excel"


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell that the workbook would change."""

    key: str
    old: Any
    new: Any


@dataclass(slots=True)
class Preview:
    """The changes that the workbook would make to the sheet.

    ``deletions`` are answers that the workbook leaves blank; ``result`` is the save without them.
    """

    token: str
    result: SaveResult
    before: Sheet
    content: WorkbookContent
    differences: list[Difference]
    deletions: list[Difference]
    conflicts: list[Conflict]
    appeared: list[Finding]  # new findings
    settled: int  # number of resolved findings
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether the workbook would change nothing."""
        return not (self.differences or self.deletions or self.conflicts or self.result.errors or self.faults)

    @property
    def faults(self) -> list[CellFault]:
        """Cells that are not read; those whose text is no answer are in ``result.errors``."""
        return self.content.faults

    @property
    def rounded(self) -> list[Rounded]:
        """Cells that would change and show fewer digits than they store."""
        rounded = self.content.rounded
        return [rounded[entry.key] for entry in self.differences if entry.key in rounded]


def preview_workbook(submission: Submission, *, by: User, data: bytes) -> Preview:
    """Read a file and save it in a dry run; nothing is stored.

    Raises FileRefused (foreign file, other unit, other version), PermissionDenied, PolicyDenied.
    """
    before = sheet(submission)
    content = read_workbook(data, before.definition)
    _check_origin(content, submission)
    result = _dry_run(submission, by, content, content.changes)
    differences = [
        Difference(key, cells.get(before.answers, key), cells.get(result.sheet.answers, key))
        for key in result.changed
    ]
    deletions = [entry for entry in differences if entry.new is None]
    deleted = {entry.key for entry in deletions}
    if deleted:
        kept = {key: change for key, change in content.changes.items() if key not in deleted}
        result = _dry_run(submission, by, content, kept)
    token = secrets.token_urlsafe(16)
    stored = {"changes": content.changes, "base": content.revision, "deletions": sorted(deleted)}
    cache.set(_name(submission, by, token), stored, PREVIEW_SECONDS)
    earlier = {(finding.edit, finding.fingerprint) for finding in before.findings}
    now = {(finding.edit, finding.fingerprint) for finding in result.findings}
    return Preview(
        token=token,
        result=result,
        before=before,
        content=content,
        differences=[entry for entry in differences if entry.key not in deleted],
        deletions=deletions,
        conflicts=list(result.conflicts.values()),
        appeared=[
            finding for finding in result.findings if (finding.edit, finding.fingerprint) not in earlier
        ],
        settled=len(earlier - now),
        unchanged=len(content.changes) - len(differences) - len(result.conflicts) - len(result.errors),
    )


@transaction.atomic
def apply_workbook(
    submission: Submission,
    *,
    by: User,
    token: str,
    revision: int,
    take: Collection[str] = (),
    delete: bool = False,
) -> SaveResult:
    """Save the previewed changes; answers that the file leaves blank are deleted only if ``delete`` says so.

    ``take`` are conflicting cells in which the file overrides ``revision``, the revision of the preview. Raises
    PolicyDenied when the preview is too old.
    """
    known = TOKEN.fullmatch(token) is not None  # a name of the cache holds no blank or control character
    stored: Mapping[str, Any] | None = cache.get(_name(submission, by, token)) if known else None
    if stored is None:
        raise PolicyDenied(_("The check of this workbook is too old. Upload it once more."))
    # A check that the program of the version before has stored names no deletions.
    kept_back = frozenset(() if delete else stored.get("deletions", ()))
    changes = {key: change for key, change in stored["changes"].items() if key not in kept_back}
    result = autosave(
        submission,
        by=by,
        changes=changes,
        base_revision=stored["base"],
        bases={key: revision for key in take if key in changes},
        channel=CHANNEL,
    )
    transaction.on_commit(lambda: cache.delete(_name(submission, by, token)))
    return result


def _dry_run(
    submission: Submission, by: User, content: WorkbookContent, changes: Mapping[str, dict[str, Any]]
) -> SaveResult:
    with transaction.atomic():
        result = autosave(submission, by=by, changes=changes, base_revision=content.revision, channel=CHANNEL)
        result.findings  # noqa: B018 evaluated before the rollback
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
