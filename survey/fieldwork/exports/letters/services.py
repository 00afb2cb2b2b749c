"""Activation letters of a region in one PDF, one page per unit, typeset by Typst."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from survey.access.activation.services import VALID_DAYS, issue_activation_code
from survey.access.models import RoleAssignment, User
from survey.access.roles import Permission
from survey.classification import NATION
from survey.collection.models import Assignment, CollectionRound, Disposition
from survey.exceptions import PolicyDenied
from survey.fieldwork.exports.messages import NOBODY, TOO_MANY
from survey.fieldwork.models import DeskJob
from survey.fonts import SANS
from survey.printing import typeset_source
from survey.review.filters import QueueFilter

MAX_LETTERS = 5_000
REPORT_INTERVAL = 25
TEMPLATE = Path(__file__).with_name("letters.typ")
type Report = Callable[[int, int], None]


def units_without_account(
    user: User, round_: CollectionRound, setting: QueueFilter
) -> "QuerySet[Assignment]":
    """Eligible units of a round in the user's scope without an account."""
    rows = (
        Assignment.objects.visible_to(user, Permission.MANAGE_UNITS)
        .filter(round=round_, disposition=Disposition.ELIGIBLE)
        .filter(~Exists(RoleAssignment.objects.filter(unit=OuterRef("unit"), ended_at=None)))
        .select_related("unit__review_region", "round")
    )
    if setting.category:
        rows = rows.filter(unit__category=setting.category)
    if setting.region:
        rows = rows.filter(unit__region__path__startswith=f"{NATION}/{setting.region}/")
    return rows.order_by("unit__division_code", "unit__uscc")


def make(job: DeskJob, file: IO[bytes], report: Report) -> tuple[str, int]:
    """Issue a new code for every unit without an account and write the letters.

    Returns the file name of the download and the number of letters. Raises PolicyDenied (no unit, or too many).
    """
    assignments = list(
        units_without_account(job.by, job.round, QueueFilter.read(job.filter))[: MAX_LETTERS + 1]
    )
    if not assignments:
        raise PolicyDenied(NOBODY())
    if len(assignments) > MAX_LETTERS:
        raise PolicyDenied(TOO_MANY(count=MAX_LETTERS))
    report(0, len(assignments))
    pages = []
    for number, assignment in enumerate(assignments, start=1):
        code = issue_activation_code(unit=assignment.unit, by=job.by)
        pages.append(letter_content(assignment, code))
        if number % REPORT_INTERVAL == 0:
            report(number, len(assignments))
    file.write(typeset(pages))
    label = "synthetic-" if settings.SYNTHETIC_BANNER else ""
    return f"{label}letters-{job.round.year}-{timezone.localtime():%Y%m%d-%H%M}.pdf", len(assignments)


def letter_content(assignment: Assignment, code: str) -> dict[str, str]:
    """The values of a letter, by name in the template."""
    unit, round_ = assignment.unit, assignment.round
    return {
        "name": unit.name,
        "uscc": unit.uscc,
        "code": code,
        "year": str(round_.year),
        "due": timezone.localtime(assignment.deadline()).strftime("%Y-%m-%d"),
        "until": (timezone.localdate() + timedelta(days=VALID_DAYS)).isoformat(),
        "office": str(unit.review_region),
        "address": settings.SITE_ADDRESS,
        "authority": settings.SURVEY_AUTHORITY,
        "synthetic": "演练数据，全部为模拟生成" if settings.SYNTHETIC_BANNER else "",
    }


def typeset(pages: list[dict[str, str]]) -> bytes:
    """The letters as PDF. Values are passed as data, so that names are not parsed as markup."""
    return typeset_source(TEMPLATE.read_bytes(), {"letters": pages, "font": SANS})
