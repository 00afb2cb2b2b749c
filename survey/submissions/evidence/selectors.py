"""Reads attachments: those of a sheet, and all that a user may read."""

from typing import Any

from django.db.models import Q, QuerySet, Sum

from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import CollectionRound
from survey.questionnaires.selectors import definition_for
from survey.submissions.models import Attachment, Submission

SHEET, DESK = Attachment.Purpose.SHEET, Attachment.Purpose.DESK


def evidence_targets(submission: Submission) -> list[tuple[str, Any]]:
    """Sections and items that evidence may refer to: (code, label), in form order."""
    definition = definition_for(submission.assignment.version)
    targets: list[tuple[str, Any]] = []
    for section in definition.sections:
        targets.append((section.code, section.title))
        targets += [(code, definition.items[code].label) for code in section.items]
    return targets


def attachments_of(submission: Submission, purpose: str = SHEET) -> QuerySet[Attachment]:
    """The files of a sheet with a purpose, without removed ones."""
    return submission.attachments.filter(removed_at=None, purpose=purpose).order_by("pk")


def sheets_of_unit(submission: Submission) -> QuerySet[Submission]:
    """The sheet, and those of the same unit whose round is not closed."""
    other = Q(unit=submission.unit_id) & ~Q(round__state=CollectionRound.State.CLOSED)
    return Submission.objects.filter(Q(pk=submission.pk) | other)


def bytes_on_disk(purpose: str, *sheets: Submission) -> int:
    """Size of all stored files of a purpose, also of removed ones whose content is kept."""
    files = Attachment.objects.filter(submission__in=sheets, purpose=purpose).exclude(path="")
    return files.aggregate(total=Sum("size"))["total"] or 0


def files_of(user: User) -> QuerySet[Attachment]:
    """Files that the user may download: evidence of units in scope, and evidence of offices for offices only."""
    desks = Attachment.objects.visible_to(user, Permission.MANAGE_UNITS).filter(purpose=DESK)
    return Attachment.objects.visible_to(user).filter(
        Q(purpose=SHEET) | Q(pk__in=desks.values("pk")), removed_at=None
    )
