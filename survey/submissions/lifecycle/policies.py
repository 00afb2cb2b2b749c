"""The policies that the transition table names. Each returns a message when it forbids, else None.

A policy judges the sheet and the request. Policies about request data that is not available before the action
(a reason, a date, the shown revision) are in ``BY_REQUEST`` and are skipped by ``can``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from survey import clock
from survey.access.models import User
from survey.access.roles import Role
from survey.classification import NATIONAL_CATEGORIES
from survey.collection.models import CollectionRound, Disposition
from survey.questionnaires.loader import load_codelist
from survey.submissions.comments.selectors import open_queries
from survey.submissions.lifecycle.signing import services as signing
from survey.submissions.lifecycle.states import Action, State
from survey.submissions.models import Attachment, Submission
from survey.submissions.selectors import sheet_of

SIGNATORIES = ("unit_head", "stat_head", "filler", "phone")
type Refusal = str | Promise | None


@dataclass(frozen=True, slots=True)
class Request:
    """An action with its parameters."""

    by: User | None
    action: Action
    reason: str = ""
    reason_code: str = ""
    due_at: datetime | None = None
    shown_revision: int | None = None


def accepts_answers(submission: Submission, request: Request) -> Refusal:
    """The unit may still change its answers."""
    assignment, round_ = submission.assignment, submission.round
    if round_.state != CollectionRound.State.OPEN:
        return _("The %(year)s round is closed. Answers can no longer be changed.") % {"year": round_.year}
    if assignment.disposition != Disposition.ELIGIBLE:
        return _("This unit is not asked in this round.")
    now = clock.present()
    if now < round_.opens_at:
        return _("The %(year)s round has not opened yet.") % {"year": round_.year}
    until = max(filter(None, (round_.closes_at, assignment.extended_until, _returned_until(submission))))
    if now >= until:
        return _("The period for answering has ended. Ask your provincial office for an extension.")
    return None


def _returned_until(submission: Submission) -> datetime | None:
    # A sheet may be returned after the closing date with a due date of its own.
    return submission.return_due_at if submission.state == State.RETURNED else None


def round_open(submission: Submission, request: Request) -> Refusal:
    """The round itself is open."""
    if submission.round.state != CollectionRound.State.OPEN:
        return _("The %(year)s round is closed.") % {"year": submission.round.year}
    return None


def revision_shown(submission: Submission, request: Request) -> Refusal:
    """The filed revision is the one that was shown."""
    if request.shown_revision != submission.revision:
        return _("The answers were changed after this page was shown. Read the summary again, then submit.")
    return None


def hard_edits_pass(submission: Submission, request: Request) -> Refusal:
    """No hard finding."""
    count = len(sheet_of(submission).hard)
    if not count:
        return None
    return ngettext_lazy(
        "%(count)s finding must be corrected before you can submit.",
        "%(count)s findings must be corrected before you can submit.",
        count,
    ) % {"count": count}


def soft_edits_explained(submission: Submission, request: Request) -> Refusal:
    """Every soft finding has a valid explanation."""
    count = len(sheet_of(submission).unexplained)
    if not count:
        return None
    return ngettext_lazy(
        "%(count)s unusual value needs a reason before you can submit.",
        "%(count)s unusual values need a reason before you can submit.",
        count,
    ) % {"count": count}


def signed(submission: Submission, request: Request) -> Refusal:
    """All signatories are named; with the sequential sign-off, each has signed the current content."""
    if signing.chain_required():
        step = signing.next_step(sheet_of(submission))
        return None if step is None else _("The form has not been signed by everybody yet.")
    if all(str(submission.signatories.get(name, "")).strip() for name in SIGNATORIES):
        return None
    return _("Name the head of the unit, the head of statistics, who filled the form, and a phone number.")


def reviewed_by_province(submission: Submission, request: Request) -> Refusal:
    """The unit belongs to a category that its province reviews."""
    if submission.unit.category in NATIONAL_CATEGORIES:
        return _("Sheets of this category are reviewed nationally, not by a province.")
    return None


def reviewed_by_nation(submission: Submission, request: Request) -> Refusal:
    """The unit belongs to a category that is reviewed nationally only."""
    if submission.unit.category not in NATIONAL_CATEGORIES:
        return _("Sheets of this category are reviewed by the province first.")
    return None


def review_not_begun(submission: Submission, request: Request) -> Refusal:
    """No reviewer has opened the sheet yet."""
    if submission.review_started_at:
        return _("The review of this sheet has begun. Ask your reviewer to return it.")
    return None


def queries_answered(submission: Submission, request: Request) -> Refusal:
    """Every comment of the reviewer has an answer."""
    count = open_queries(submission).count()
    if not count:
        return None
    return ngettext_lazy(
        "%(count)s comment of the reviewer is not answered yet.",
        "%(count)s comments of the reviewer are not answered yet.",
        count,
    ) % {"count": count}


def no_open_query(submission: Submission, request: Request) -> Refusal:
    """No comment is open."""
    if open_queries(submission).exists():
        return _("There are open comments on this sheet. Close them or return the sheet.")
    return None


def not_own_sheet(submission: Submission, request: Request) -> Refusal:
    """Nobody decides on a sheet that they fill, nor a provincial office on its own sheet."""
    if request.by is None:
        return None
    own = any(g.role == Role.RESPONDENT and g.unit_id == submission.unit_id for g in request.by.grants())
    return _("You fill this sheet yourself, so somebody else must decide on it.") if own else None


def reason_given(submission: Submission, request: Request) -> Refusal:
    """The request has a reason."""
    return None if request.reason.strip() else _("Give a reason.")


def due_date_given(submission: Submission, request: Request) -> Refusal:
    """The request has a due date in the future."""
    if request.due_at is None:
        return _("Give a date until which the sheet is to be corrected.")
    return None if request.due_at > clock.present() else _("The date must lie in the future.")


@lru_cache(maxsize=8)
def reason_codes(name: str) -> tuple[str, ...]:
    """Codes of one list of reasons."""
    return tuple(entry.code for entry in load_codelist(name).entries)


@lru_cache(maxsize=8)
def codes_with_evidence(name: str) -> frozenset[str]:
    """Codes of a list that require a document."""
    return frozenset(entry.code for entry in load_codelist(name).entries if entry.evidence)


def reason_coded(submission: Submission, request: Request) -> Refusal:
    """The reason code is in the code list of the action."""
    name = "exempt_reasons" if request.action is Action.EXEMPT else "invalid_reasons"
    return None if request.reason_code in reason_codes(name) else _("Choose a reason from the list.")


def evidence_given(submission: Submission, request: Request) -> Refusal:
    """A reason code that requires evidence has a document of the reviewing office."""
    if request.reason_code not in codes_with_evidence("exempt_reasons"):
        return None
    if submission.attachments.filter(purpose=Attachment.Purpose.DESK, removed_at=None).exists():
        return None
    return _("This reason needs evidence: attach the document that proves it.")


POLICIES: dict[str, Callable[[Submission, Request], Refusal]] = {
    policy.__name__: policy
    for policy in (
        accepts_answers,
        round_open,
        revision_shown,
        hard_edits_pass,
        soft_edits_explained,
        signed,
        reviewed_by_province,
        reviewed_by_nation,
        review_not_begun,
        queries_answered,
        no_open_query,
        not_own_sheet,
        reason_given,
        due_date_given,
        reason_coded,
        evidence_given,
    )
}


def register(policy: Callable[[Submission, Request], Refusal]) -> None:
    """Add a policy of a higher-level package; the transition table refers to it by name."""
    POLICIES[policy.__name__] = policy


BY_REQUEST = frozenset(
    {"revision_shown", "reason_given", "due_date_given", "reason_coded", "evidence_given", "signed"}
)
