"""The sign-off in turn: who filled, the head of statistics, the head of the unit, each over one content.

A signature is an event with name, time and the hash of what was signed. It stands while the content has that hash
and the signatures before it stand: whoever changes an answer or a reason afterwards undoes them all.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from survey import audit
from survey.access.models import User
from survey.exceptions import PolicyDenied, StaleRevision
from survey.submissions.models import SectionInvitation, Submission, SubmissionEvent
from survey.submissions.selectors import Sheet, sheet

STEPS: dict[str, str | Promise] = {
    "filler": _("Filled in by"),
    "stat_head": _("Head of statistics"),
    "unit_head": _("Head of the unit"),
}
BY_LINK = ("stat_head", "unit_head")  # they need no account
ACTION = "sign_step"


@dataclass(frozen=True, slots=True)
class Step:
    """One step as the page shows it."""

    role: str
    label: str | Promise
    signature: SubmissionEvent | None  # the one that stands
    undone: bool  # there was one, for another content
    is_next: bool
    asked: SectionInvitation | None = None  # the link that works for this step


def chain_wanted() -> bool:
    """Whether the office wants three signatures in turn."""
    return bool(settings.SIGN_OFF_CHAIN)


def version_hash(of: Sheet) -> str:
    """SHA-256 of what would be filed: answers that apply, computed cells, reasons that hold."""
    reasons = [
        (one.edit, one.fingerprint, one.text) for one in map(of.explanation_of, of.soft) if one is not None
    ]
    text = json.dumps(
        [of.effective, sorted(reasons)], ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def standing(of: Sheet) -> dict[str, SubmissionEvent]:
    """Signatures that hold for the present content, in order; one that is missing ends the row."""
    latest = {str((event.new or {}).get("role")): event for event in _events(of.submission)}
    now, found = version_hash(of), {}
    for role in STEPS:
        event = latest.get(role)
        if event is None or (event.new or {}).get("hash") != now:
            break
        found[role] = event
    return found


def _events(submission: Submission) -> Any:
    return submission.events.filter(kind=SubmissionEvent.Kind.SIGNATURE, action=ACTION).order_by("id")


def next_step(of: Sheet) -> str | None:
    """The step that is to sign next; None when all have signed."""
    done = standing(of)
    return next((role for role in STEPS if role not in done), None)


def steps(of: Sheet) -> list[Step]:
    """All steps for the page."""
    done, following = standing(of), next_step(of)
    ever = {str((event.new or {}).get("role")) for event in _events(of.submission)}
    links = of.submission.invitations.filter(withdrawn_at=None, expires_at__gt=timezone.now()).exclude(
        role=""
    )
    asked = {one.role: one for one in links.order_by("pk")}
    return [
        Step(
            role,
            label,
            done.get(role),
            role in ever and role not in done,
            role == following,
            asked.get(role) if role not in done else None,
        )
        for role, label in STEPS.items()
    ]


def names(of: Sheet) -> dict[str, str]:
    """Names of those whose signatures stand, by step."""
    return {role: str((event.new or {}).get("name", "")) for role, event in standing(of).items()}


@transaction.atomic
def sign(
    submission: Submission, *, role: str, name: str, seen_hash: str, by: User | None = None
) -> SubmissionEvent:
    """Sign the content that was shown. The caller has checked who may: the respondent, or the holder of a link.

    Raises StaleRevision when the content has changed since, PolicyDenied when it is not this step's turn or
    findings still stand.
    """
    row = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
    current = sheet(row)
    if version_hash(current) != seen_hash:
        raise StaleRevision(
            _("The answers were changed after this page was shown. Read them again, then sign.")
        )
    if current.hard or current.unexplained:
        raise PolicyDenied(_("Findings must be settled before anybody signs."))
    if next_step(current) != role:
        raise PolicyDenied(_("Another person has to sign first."))
    name = " ".join(name.split())[:60]
    if not name:
        raise PolicyDenied(_("Enter your name."))
    event = SubmissionEvent.objects.create(
        submission=row,
        actor=by,
        kind=SubmissionEvent.Kind.SIGNATURE,
        action=ACTION,
        revision=row.revision,
        new={"role": role, "name": name, "hash": seen_hash},
        channel="page" if by else "guest",
    )
    audit.record(
        by=by,
        action="signed",
        subject=row,
        region_path=row.unit.review_region.path,
        role=role,
        name=name,
        hash=seen_hash,
    )
    return event
