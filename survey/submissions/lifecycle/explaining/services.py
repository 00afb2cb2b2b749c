"""Explanations of soft findings, and answers to reviewers' comments."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from survey import clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied, StaleRevision
from survey.questionnaires.edits import explanation_problem
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.comments.services import answer_query
from survey.submissions.lifecycle.policies import Request, reason_codes
from survey.submissions.lifecycle.saving.services import recount
from survey.submissions.lifecycle.states import Action, Owner
from survey.submissions.lifecycle.transitions import authorise, locked, move, reaches
from survey.submissions.models import Explanation, Submission, SubmissionEvent
from survey.submissions.selectors import sheet

LONGEST = 2000


@transaction.atomic
def explain(
    submission: Submission,
    *,
    by: User,
    edit: str,
    fingerprint: str,
    reason_code: str,
    text: str,
    channel: str = "page",
) -> Explanation:
    """Explain a soft finding. The explanation is valid for the values of ``fingerprint`` only.

    Raises PermissionDenied, PolicyDenied (text too short or uninformative), StaleRevision (the numbers
    have changed meanwhile).
    """
    row = locked(submission)
    request = Request(by, Action.SAVE)
    authorise(row, request)
    text = " ".join(text.split())
    check_text(reason_code, text)
    current = sheet(row)
    match = [f for f in current.soft if f.edit == edit]
    if not match or match[0].fingerprint != fingerprint:
        raise StaleRevision(_("The numbers have changed since this finding was shown. Read it again."))
    explanation, _created = Explanation.objects.update_or_create(
        submission=row,
        edit=edit,
        defaults={
            "fingerprint": fingerprint,
            "reason_code": reason_code,
            "text": text,
            "by": by,
            "at": clock.present(),
            "verdict": "",
            "verdict_by": None,
            "verdict_at": None,
        },
    )
    move(row, request, channel=channel, commit=False)
    row.revision += 1
    current.explanations[edit] = explanation
    recount(row, current)
    row.save(
        update_fields=["state", "revision", "hard_count", "soft_count", "unexplained_count", "updated_at"]
    )
    SubmissionEvent.objects.create(
        submission=row,
        actor=by,
        kind=SubmissionEvent.Kind.EXPLANATION,
        action="explain",
        item=edit,
        new={"reason_code": reason_code, "text": text, "fingerprint": fingerprint},
        revision=row.revision,
        channel=channel,
    )
    return explanation


def check_text(reason_code: str, text: str) -> None:
    """Raises PolicyDenied when the reason code or text is not acceptable."""
    if reason_code not in reason_codes("soft_edit_reasons"):
        raise PolicyDenied(_("Choose a kind of reason."))
    problem = explanation_problem(text, reason_code)
    if problem:
        raise PolicyDenied(problem.get(get_language() or "zh-hans"))
    if len(text) > LONGEST:
        raise PolicyDenied(_("Write at most %(count)s characters.") % {"count": LONGEST})


@transaction.atomic
def reply(
    submission: Submission, *, by: User, query_id: int, text: str, corrected: bool, code: str = ""
) -> ReviewQuery:
    """Answer a reviewer's comment: a text (or ``code`` in its place), and whether the value was corrected.

    Raises PermissionDenied, PolicyDenied.
    """
    row = locked(submission)
    if not reaches(row, Permission.RESPOND, Owner.RESPONDENT, by):
        raise PermissionDenied
    authorise(row, Request(by, Action.SAVE))
    return answer_query(row, by=by, query_id=query_id, text=text, corrected=corrected, code=code)
