"""Actions of a reviewer on a sheet. None of them changes an answer.

Every change of state goes through ``survey.submissions.lifecycle.services.transition``; comments and verdicts are
stored separately, each with an event and an audit row.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.classification import NATIONAL_CATEGORIES
from survey.exceptions import PolicyDenied, Shown, StaleRevision
from survey.microdata.services import project
from survey.questionnaires.selectors import definition_for
from survey.review.scores.services import receive_background, receive_expected, receive_scores
from survey.review.selectors import desk_of
from survey.review.sheet.services import unjudged
from survey.submissions.cells import field_of
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.lifecycle.saving.services import recount
from survey.submissions.lifecycle.services import refusals, transition
from survey.submissions.lifecycle.states import TRANSITIONS, Action, Owner, State
from survey.submissions.lifecycle.transitions import locked, reaches
from survey.submissions.models import Explanation, Filing, Submission, SubmissionEvent
from survey.submissions.selectors import sheet

__all__ = [
    "accept_submission",
    "acceptance",
    "begin_review",
    "close_query",
    "end_of_day",
    "invalidate",
    "judge_explanation",
    "obstacles",
    "raise_query",
    "receive_background",
    "receive_expected",
    "receive_scores",
    "reinstate",
    "reopen",
    "reopen_query",
    "return_submission",
    "send_back",
]
LONGEST = 2000
NATIONAL_ONLY = _("Sheets of this category are reviewed nationally, not by a province.")
REFUSED_REASONS = _("You refused an explanation of this sheet. Return the sheet, or accept the explanation.")


# Beginning of the review ---------------------------------------------------------------------------------
def begin_review(submission: Submission, *, by: User) -> bool:
    """Record that a reviewer has opened a sheet that they decide on; it can no longer be recalled.

    Returns True when this was the first opening. Opening other sheets changes nothing.
    """
    if submission.review_started_at or State(submission.state) not in desk_of(by):
        return False
    if refusals(submission, Action.RETURN, by):
        return False
    now = clock.present()
    first = Submission.objects.filter(
        pk=submission.pk, state=submission.state, review_started_at=None
    ).update(review_started_at=now)
    if first:
        submission.review_started_at = now
        audit.record(
            by=by,
            action="review_started",
            subject=submission,
            unit=submission.unit.uscc,
            region_path=submission.unit.review_region.path,
        )
    return bool(first)


def _locked_for_review(submission: Submission, by: User) -> Submission:
    """The locked row of a sheet that the user may decide on. Raises PermissionDenied, PolicyDenied."""
    row = locked(submission)
    move = TRANSITIONS.get((State(row.state), Action.RETURN))
    if not reaches(row, Permission.REVIEW, move.level if move else Owner.PROVINCE, by):
        raise PermissionDenied
    for sentence in refusals(row, Action.RETURN, by):
        raise PolicyDenied(sentence)
    if row.review_started_at is None:
        row.review_started_at = clock.present()
        row.save(update_fields=["review_started_at"])
    return row


def _note(row: Submission, by: User, action: str, item: str, new: dict[str, Any], channel: str) -> None:
    SubmissionEvent.objects.create(
        submission=row,
        actor=by,
        kind=SubmissionEvent.Kind.EXPLANATION,
        action=action,
        item=item,
        new=new,
        revision=row.revision,
        channel=channel,
    )
    audit.record(
        by=by,
        action=f"review_{action}",
        subject=row,
        region_path=row.unit.review_region.path,
        unit=row.unit.uscc,
        year=row.round.year,
        item=item,
        channel=channel,
    )


# Comments ---------------------------------------------------------------------------------
@transaction.atomic
def raise_query(
    submission: Submission, *, by: User, text: str, item: str = "", channel: str = "page"
) -> ReviewQuery:
    """Ask the respondent about one item (``item`` may name a table cell) or, without item, the whole sheet.

    Raises PermissionDenied, PolicyDenied.
    """
    row = _locked_for_review(submission, by)
    text = _text(text)
    if item and field_of(definition_for(row.assignment.version), item) is None:
        raise PolicyDenied(_("This questionnaire has no such item."))
    query = ReviewQuery.objects.create(submission=row, item=item, text=text, raised_by=by)
    _note(row, by, "query", item, {"query": query.pk, "text": text}, channel)
    return query


@transaction.atomic
def close_query(query: ReviewQuery, *, by: User, channel: str = "page") -> ReviewQuery:
    """Close a comment, answered or not. Raises PermissionDenied, PolicyDenied."""
    row = _locked_for_review(query.submission, by)
    query = ReviewQuery.objects.select_for_update(of=("self",)).get(pk=query.pk)
    if query.state == ReviewQuery.State.CLOSED:
        raise PolicyDenied(_("This comment is closed."))
    query.state = ReviewQuery.State.CLOSED
    query.closed_by, query.closed_at = by, clock.present()
    query.save(update_fields=["state", "closed_by", "closed_at"])
    _note(row, by, "query_close", query.item, {"query": query.pk}, channel)
    return query


@transaction.atomic
def reopen_query(query: ReviewQuery, *, by: User, text: str, channel: str = "page") -> ReviewQuery:
    """Reopen a comment with a further question. Earlier texts stay in the events of the sheet.

    Raises PermissionDenied, PolicyDenied.
    """
    row = _locked_for_review(query.submission, by)
    query = ReviewQuery.objects.select_for_update(of=("self",)).get(pk=query.pk)
    if query.state == ReviewQuery.State.OPEN:
        raise PolicyDenied(_("This comment is open already."))
    text = _text(text)
    query.text = f"{query.text}\n{text}"
    query.state, query.corrected = ReviewQuery.State.OPEN, False
    query.closed_by, query.closed_at = None, None
    query.save(update_fields=["text", "state", "corrected", "closed_by", "closed_at"])
    _note(row, by, "query_reopen", query.item, {"query": query.pk, "text": text}, channel)
    return query


def _text(text: str) -> str:
    text = "\n".join(" ".join(line.split()) for line in text.replace("\x00", "").splitlines()).strip()
    if not text:
        raise PolicyDenied(_("Write what the respondent should check."))
    if len(text) > LONGEST:
        raise PolicyDenied(_("Write at most %(count)s characters.") % {"count": LONGEST})
    return text


# Verdicts ---------------------------------------------------------------------------------
@transaction.atomic
def judge_explanation(
    submission: Submission, *, by: User, edit: str, verdict: str, channel: str = "page"
) -> Explanation:
    """Accept or refuse the reason given for one unusual value; an empty verdict withdraws the judgement.

    A refused reason counts as missing: the sheet cannot be accepted, and once returned it cannot be filed
    again without a new one. Raises PermissionDenied, PolicyDenied, StaleRevision.
    """
    row = _locked_for_review(submission, by)
    if verdict not in Explanation.Verdict.values:
        raise PolicyDenied(_("Choose whether the explanation is accepted or refused."))
    current = sheet(row)
    finding = next((candidate for candidate in current.soft if candidate.edit == edit), None)
    explanation = current.explanations.get(edit)
    if finding is None or explanation is None or explanation.fingerprint != finding.fingerprint:
        raise StaleRevision(_("The numbers have changed since this finding was shown. Read it again."))
    before = explanation.verdict
    _give(explanation, verdict, by)
    recount(row, current)
    row.save(update_fields=["hard_count", "soft_count", "unexplained_count"])
    _note(row, by, "verdict", edit, {"verdict": verdict, "before": before}, channel)
    return explanation


def _give(explanation: Explanation, verdict: str, by: User) -> None:
    explanation.verdict = verdict
    explanation.verdict_by, explanation.verdict_at = (by, clock.present()) if verdict else (None, None)
    explanation.save(update_fields=["verdict", "verdict_by", "verdict_at"])


def _accept_reasons(row: Submission, by: User, channel: str) -> int:
    """Accept the explanations without a verdict when their sheet is accepted."""
    if not row.explanations.filter(verdict="").exists():  # avoids evaluating the rules of most sheets
        return 0
    waiting = unjudged(sheet(row))
    for explanation in waiting:
        _give(explanation, Explanation.Verdict.ACCEPTED, by)
        _note(row, by, "verdict", explanation.edit, {"verdict": "accepted", "before": ""}, channel)
    return len(waiting)


# Decisions ---------------------------------------------------------------------------------
def acceptance(submission: Submission) -> Action:
    """The acceptance that applies in the current state."""
    return Action.ACCEPT_FINALLY if submission.state == State.NATIONAL_REVIEW else Action.ACCEPT


def obstacles(submission: Submission, action: Action, by: User) -> list[Shown]:
    """Why the action would be refused now; empty when it is possible."""
    sentences = refusals(submission, action, by)
    if action in {Action.ACCEPT, Action.ACCEPT_FINALLY}:
        if submission.unexplained_count:
            sentences.append(REFUSED_REASONS)
        if action is Action.ACCEPT and submission.unit.category in NATIONAL_CATEGORIES:
            sentences.append(NATIONAL_ONLY)
    return sentences


@transaction.atomic
def accept_submission(
    submission: Submission,
    *,
    by: User,
    shown_filing: int | None = None,
    shown_reasons: int | None = None,
    channel: str = "page",
) -> Submission:
    """Province: pass to the national review. Nation: accept into the valid sample, with its observation.

    Reasons without a verdict are accepted with the sheet. ``shown_filing`` is the number of the filed version
    that was shown, ``shown_reasons`` the number of such reasons. Raises PermissionDenied,
    PolicyDenied, StaleRevision; then no verdict is stored either.
    """
    locked_row = locked(submission)
    reasons = _accept_reasons(locked_row, by, channel)
    row = transition(submission, acceptance(locked_row), by=by, channel=channel)
    if shown_reasons is not None and shown_reasons != reasons:
        raise StaleRevision(_("The reasons have been judged meanwhile. Read the sheet again."))
    if row.state == State.NATIONAL_REVIEW and row.unit.category in NATIONAL_CATEGORIES:
        raise PolicyDenied(NATIONAL_ONLY)
    if row.unexplained_count:
        raise PolicyDenied(REFUSED_REASONS)
    filing = _latest(row)
    _check_shown(filing, shown_filing)
    if row.state == State.ACCEPTED and filing is not None:
        project(filing)
    return row


@transaction.atomic
def return_submission(
    submission: Submission,
    *,
    by: User,
    reason: str,
    due_at: dt.datetime | None,
    queries: Iterable[tuple[str, str]] = (),
    shown_filing: int | None = None,
    channel: str = "page",
) -> Submission:
    """Return a sheet with a reason and a due date; ``queries`` are further (item, text) comments.

    Raises PermissionDenied, PolicyDenied, StaleRevision; then no comment is stored either.
    """
    for item, text in queries:
        raise_query(submission, by=by, item=item, text=text, channel=channel)
    row = transition(
        submission, Action.RETURN, by=by, reason=reason.strip()[:LONGEST], due_at=due_at, channel=channel
    )
    _check_shown(_latest(row), shown_filing)
    return row


def send_back(submission: Submission, *, by: User, reason: str, channel: str = "page") -> Submission:
    """Nation: back to the provincial review. Raises PermissionDenied, PolicyDenied."""
    return transition(submission, Action.SEND_BACK, by=by, reason=reason.strip()[:LONGEST], channel=channel)


def reopen(
    submission: Submission, *, by: User, reason: str, due_at: dt.datetime | None, channel: str = "page"
) -> Submission:
    """Open an accepted sheet again for correction. Raises PermissionDenied, PolicyDenied."""
    return transition(
        submission, Action.REOPEN, by=by, reason=reason.strip()[:LONGEST], due_at=due_at, channel=channel
    )


def invalidate(submission: Submission, *, by: User, reason_code: str, channel: str = "page") -> Submission:
    """Rule a filed sheet out of the valid sample; the code is one of ``invalid_reasons``."""
    return transition(submission, Action.INVALIDATE, by=by, reason_code=reason_code, channel=channel)


def reinstate(submission: Submission, *, by: User, reason: str, channel: str = "page") -> Submission:
    """Reverse an invalidation: the sheet is in national review again. Raises PermissionDenied, PolicyDenied."""
    return transition(submission, Action.REINSTATE, by=by, reason=reason.strip()[:LONGEST], channel=channel)


def _latest(row: Submission) -> Filing | None:
    return (
        Filing.objects.filter(submission=row)
        .select_related("version", "submission__unit__region", "submission__round")
        .defer("version__document")
        .order_by("-number")
        .first()
    )


def _check_shown(filing: Filing | None, shown: int | None) -> None:
    if shown is not None and (filing is None or filing.number != shown):
        raise StaleRevision(
            _("The respondent filed another version after this page was shown. Read it first.")
        )


def end_of_day(day: dt.date) -> dt.datetime:
    """The last minute of a day in Beijing: a due date includes its day."""
    return dt.datetime.combine(day, dt.time(23, 59, 59), tzinfo=timezone.get_default_timezone())
