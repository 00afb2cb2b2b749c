"""Answers to comments and to proposed values. The caller holds the sheet's lock and has checked permissions."""

from django.utils.translation import gettext as _

from survey import clock
from survey.access.models import User
from survey.exceptions import PolicyDenied
from survey.submissions.comments.models import CorrectionSlip, ReviewQuery
from survey.submissions.models import Submission, SubmissionEvent

LONGEST = 2000


def answer_query(
    row: Submission, *, by: User, query_id: int, text: str, corrected: bool, code: str = ""
) -> ReviewQuery:
    """Store the respondent's answer: a text, the tick that the number was corrected, or both.

    ``code`` is the reply stored in place of an empty text (a ``ReviewQuery.ReplyCode``).
    Raises PolicyDenied (the comment is closed, the answer is empty).
    """
    query = row.queries.select_for_update().filter(pk=query_id).first()
    if query is None or query.state == ReviewQuery.State.CLOSED:
        raise PolicyDenied(_("This comment is closed."))
    text = " ".join(text.split())[:LONGEST]
    if not text and not corrected:
        raise PolicyDenied(_("Write an answer or tick that you corrected the value."))
    query.reply, query.reply_code = text, "" if text else code or ReviewQuery.ReplyCode.CORRECTED
    query.corrected = corrected
    query.replied_by, query.replied_at = by, clock.present()
    query.state = ReviewQuery.State.ANSWERED
    query.save(update_fields=["reply", "reply_code", "corrected", "replied_by", "replied_at", "state"])
    SubmissionEvent.objects.create(
        submission=row,
        actor=by,
        kind=SubmissionEvent.Kind.EXPLANATION,
        action="reply",
        item=query.item,
        new={
            "query": query.pk,
            "reply": query.reply,
            "code": query.reply_code,
            "corrected": corrected,
        },
        revision=row.revision,
    )
    return query


def lock_slip(submission: Submission, slip_id: int) -> CorrectionSlip:
    """The locked row of a proposed value that nobody has answered. Raises PolicyDenied."""
    slip = (
        CorrectionSlip.objects.select_for_update(of=("self",))
        .filter(pk=slip_id, query__submission=submission)
        .select_related("query")
        .first()
    )
    if slip is None or slip.outcome:
        raise PolicyDenied(_("This proposal has been answered already."))
    return slip


def answer_slip(slip: CorrectionSlip, *, by: User, confirmed: bool) -> CorrectionSlip:
    """Store whether the respondent confirmed or refused a proposed value."""
    slip.outcome = CorrectionSlip.Outcome.CONFIRMED if confirmed else CorrectionSlip.Outcome.REFUSED
    slip.answered_by, slip.answered_at = by, clock.present()
    slip.save(update_fields=["outcome", "answered_by", "answered_at"])
    return slip
