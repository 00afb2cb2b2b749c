"""The sequential sign-off: form filler, head of statistics, head of the unit, each for the same content.

A signature is an event with name, time and the hash of the signed content. It is valid while the content has that
hash and the earlier signatures are valid: a later change of an answer or explanation invalidates all of them.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from survey import audit, clock
from survey.access.models import User
from survey.exceptions import PolicyDenied, StaleRevision
from survey.submissions.lifecycle.signing.signatories import STEPS
from survey.submissions.models import SectionInvitation, Submission, SubmissionEvent
from survey.submissions.selectors import Sheet, sheet

BY_LINK = ("stat_head", "unit_head")  # they need no account
ACTION = "sign_step"


@dataclass(frozen=True, slots=True)
class Step:
    """One step as the page shows it."""

    role: str
    label: str | Promise
    signature: SubmissionEvent | None  # the valid one
    undone: bool  # signed earlier, for other content
    is_next: bool
    invitation: SectionInvitation | None = None  # with a valid link for this step


def chain_required() -> bool:
    """Whether the sequential sign-off is enabled."""
    return bool(settings.SIGN_OFF_CHAIN)


def version_hash(current: Sheet) -> str:
    """SHA-256 of the content of a filing: relevant answers, computed cells, valid explanations."""
    reasons = [
        (explanation.edit, explanation.fingerprint, explanation.text)
        for explanation in map(current.explanation_of, current.soft)
        if explanation is not None
    ]
    text = json.dumps(
        [current.effective, sorted(reasons)], ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def valid_signatures(current: Sheet) -> dict[str, SubmissionEvent]:
    """Valid signatures of the current content by role, up to the first missing one."""
    latest = {str((event.new or {}).get("role")): event for event in _events(current.submission)}
    now, signatures = version_hash(current), {}
    for role in STEPS:
        event = latest.get(role)
        if event is None or (event.new or {}).get("hash") != now:
            break
        signatures[role] = event
    return signatures


def _events(submission: Submission) -> Any:
    return submission.events.filter(kind=SubmissionEvent.Kind.SIGNATURE, action=ACTION).order_by("id")


def next_step(current: Sheet) -> str | None:
    """The next role to sign; None when all have signed."""
    done = valid_signatures(current)
    return next((role for role in STEPS if role not in done), None)


def steps(current: Sheet) -> list[Step]:
    """All steps for the page."""
    done, following = valid_signatures(current), next_step(current)
    ever = {str((event.new or {}).get("role")) for event in _events(current.submission)}
    links = current.submission.invitations.filter(withdrawn_at=None, expires_at__gt=clock.present()).exclude(
        role=""
    )
    invitations = {invitation.role: invitation for invitation in links.order_by("pk")}
    return [
        Step(
            role,
            label,
            done.get(role),
            role in ever and role not in done,
            role == following,
            invitations.get(role) if role not in done else None,
        )
        for role, label in STEPS.items()
    ]


def names(current: Sheet) -> dict[str, str]:
    """Names of the valid signatures by role."""
    return {role: str((event.new or {}).get("name", "")) for role, event in valid_signatures(current).items()}


@transaction.atomic
def sign(
    submission: Submission, *, role: str, name: str, seen_hash: str, by: User | None = None
) -> SubmissionEvent:
    """Sign the content that was shown. The caller has checked permissions: the respondent, or the holder of a link.

    Raises StaleRevision when the content has changed, PolicyDenied when another step is next or findings are
    unresolved.
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
