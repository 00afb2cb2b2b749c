"""Policies of the transition table about bulk acceptances."""

from django.utils.translation import gettext_lazy as _

from survey import clock
from survey.review.bulk.models import BulkMember
from survey.submissions.lifecycle.policies import Refusal, Request
from survey.submissions.models import Submission


def accepted_with_others(submission: Submission, request: Request) -> Refusal:
    """The sheet was accepted in bulk and has not changed since."""
    refused = _("Only a recent acceptance of many sheets can be taken back.")
    if submission.decided_at is None:
        return refused
    memberships = BulkMember.objects.filter(
        submission=submission,
        undone_at=None,
        act__undo_until__gt=clock.present(),
        decided_at=submission.decided_at,
    )
    return None if memberships.exists() else refused
