"""The respondent's answer to a value that a reviewer proposed.

Reviewers never write into a sheet: a confirmed value is saved as the respondent's own change, and the comment
of the proposal is answered with it.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.submissions.comments import services as comments
from survey.submissions.comments.models import CorrectionSlip, ReviewQuery
from survey.submissions.lifecycle.explaining.services import reply
from survey.submissions.lifecycle.saving.services import autosave
from survey.submissions.models import Submission


@transaction.atomic
def answer_correction(
    submission: Submission, *, by: User, slip_id: int, confirm: bool, text: str = "", channel: str = "page"
) -> CorrectionSlip:
    """Confirm or refuse a proposed value; a confirmed one is written into the sheet under the respondent's name.

    Raises PermissionDenied, PolicyDenied (answered before, closed, or the sheet takes no answers now).
    """
    if not may(by, Permission.RESPOND, submission):
        raise PermissionDenied
    slip = comments.lock_slip(submission, slip_id)
    if confirm:
        saved = autosave(
            submission,
            by=by,
            changes={slip.query.item: slip.proposed},
            base_revision=submission.revision,
            channel=channel,
            canonical=True,
        )
        if not saved.is_clean:
            raise PolicyDenied(
                _("The proposed value does not fit this item any more. Answer the comment instead.")
            )
    elif not text.strip():
        raise PolicyDenied(_("Say why the proposed value is not right."))
    code = ReviewQuery.ReplyCode.CONFIRMED if confirm else ""
    reply(submission, by=by, query_id=slip.query_id, text=text, corrected=confirm, code=code)
    return comments.answer_slip(slip, by=by, confirmed=confirm)
