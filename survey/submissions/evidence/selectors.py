"""Reads of attachments: of a sheet, and of everything that somebody may see."""

from typing import Any

from django.db.models import Q, QuerySet

from survey.access.models import User
from survey.access.roles import Permission
from survey.questionnaires.selectors import definition_for
from survey.submissions.models import Attachment, Submission

SHEET, DESK = Attachment.Purpose.SHEET, Attachment.Purpose.DESK


def places_of(submission: Submission) -> list[tuple[str, Any]]:
    """Sections and items that a file may prove: (code, label), in the order of the form."""
    definition = definition_for(submission.assignment.version)
    found: list[tuple[str, Any]] = []
    for section in definition.sections:
        found.append((section.code, section.title))
        found += [(code, definition.items[code].label) for code in section.items]
    return found


def attachments_of(submission: Submission, purpose: str = SHEET) -> QuerySet[Attachment]:
    """Files of a sheet that are shown, of one purpose."""
    return submission.attachments.filter(removed_at=None, purpose=purpose).order_by("pk")


def files_of(user: User) -> QuerySet[Attachment]:
    """Files that this person may fetch: those of the units within reach, and a desk's own for desks only."""
    desks = Attachment.objects.visible_to(user, Permission.MANAGE_UNITS).filter(purpose=DESK)
    return Attachment.objects.visible_to(user).filter(
        Q(purpose=SHEET) | Q(pk__in=desks.values("pk")), removed_at=None
    )
