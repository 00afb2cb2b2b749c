"""Activation letters of a province in one PDF, a page a unit: the only module that knows how it is typeset."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import typst
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
from survey.review.filters import QueueFilter

MOST = 5_000
STEP = 25
TEMPLATE = Path(__file__).with_name("letters.typ")
type Report = Callable[[int, int], None]


def units_without_account(
    user: User, round_: CollectionRound, setting: QueueFilter
) -> "QuerySet[Assignment]":
    """Units of one's area that are asked in a round and that nobody fills for yet."""
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


def make(job: DeskJob, path: Path, report: Report) -> tuple[str, int]:
    """Issue a fresh code for every unit without an account and typeset the letters. Raises PolicyDenied."""
    found = list(units_without_account(job.by, job.round, QueueFilter.read(job.filter))[: MOST + 1])
    if not found:
        raise PolicyDenied(NOBODY())
    if len(found) > MOST:
        raise PolicyDenied(TOO_MANY(count=MOST))
    report(0, len(found))
    pages = []
    for number, assignment in enumerate(found, start=1):
        code = issue_activation_code(unit=assignment.unit, by=job.by)
        pages.append(page_of(assignment, code))
        if number % STEP == 0:
            report(number, len(found))
    path.write_bytes(typeset(pages))
    label = "synthetic-" if settings.SYNTHETIC_BANNER else ""
    return f"{label}letters-{job.round.year}-{timezone.localtime():%Y%m%d-%H%M}.pdf", len(found)


def page_of(assignment: Assignment, code: str) -> dict[str, str]:
    """What one letter says."""
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
    """The letters as PDF. Values reach the typesetter as data, so that no name can be taken for markup."""
    made: Any = typst.compile(
        TEMPLATE.read_bytes(), format="pdf", sys_inputs={"letters": json.dumps(pages, ensure_ascii=False)}
    )
    return bytes(made)
