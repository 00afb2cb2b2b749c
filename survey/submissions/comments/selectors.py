"""Reads the comments of a sheet and the values proposed under them."""

from django.db.models import QuerySet

from survey.submissions.comments.models import CorrectionSlip, ReviewQuery
from survey.submissions.models import Submission


def queries_of(submission: Submission) -> "QuerySet[ReviewQuery]":
    """Every comment at a sheet, oldest first, with its author and the value proposed under it."""
    return submission.queries.select_related("raised_by", "slip")


def open_queries(submission: Submission) -> "QuerySet[ReviewQuery]":
    """The comments that nobody has answered yet."""
    return submission.queries.filter(state=ReviewQuery.State.OPEN)


def is_delivered(query: ReviewQuery, submission: Submission) -> bool:
    """Whether the respondent may read the comment: an open one is delivered when the sheet is returned."""
    return submission.is_editable or query.state != ReviewQuery.State.OPEN


def slips_of(submission: Submission) -> "QuerySet[CorrectionSlip]":
    """The proposed values of a sheet, unanswered ones first."""
    return (
        CorrectionSlip.objects.filter(query__submission=submission)
        .select_related("query__raised_by", "answered_by")
        .order_by("outcome", "pk")
    )


def delivered_slips(submission: Submission) -> "list[CorrectionSlip]":
    """The proposed values that the respondent may read."""
    return [slip for slip in slips_of(submission) if is_delivered(slip.query, submission)]
