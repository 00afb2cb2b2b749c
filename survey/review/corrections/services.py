"""Correction slips: a reviewer proposes a number, the respondent confirms or refuses it.

Nobody at a desk writes into a sheet. A confirmed value is saved by the respondent through the same door as
everything else that they type, and the comment that carries the slip is answered with it.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.questionnaires.answering.answers import AnswerError, parse_cell
from survey.questionnaires.definition import Item
from survey.questionnaires.selectors import definition_for
from survey.review.services import raise_query
from survey.review.sheet.reading import NUMBERS
from survey.submissions import cells
from survey.submissions.comments.models import CorrectionSlip, ReviewQuery
from survey.submissions.lifecycle.services import autosave, reply
from survey.submissions.lifecycle.states import EDITABLE
from survey.submissions.models import Submission
from survey.submissions.selectors import latest_filing


def can_be_proposed(item: Item) -> bool:
    """Numbers that the respondent types; computed ones follow from them."""
    return item.type in NUMBERS and not item.computed


@transaction.atomic
def propose_correction(
    submission: Submission,
    *,
    by: Any,
    item: str,
    value: str,
    unit: str = "",
    text: str,
    channel: str = "page",
) -> CorrectionSlip:
    """Raise a comment that carries a proposed value. Raises PermissionDenied, PolicyDenied."""
    query = raise_query(submission, by=by, item=item, text=text, channel=channel)
    definition = definition_for(query.submission.assignment.version)
    known, place = definition.items.get(cells.item_of(item)), cells.field_of(definition, item)
    if known is None or place is None or (known.type != "table" and not can_be_proposed(known)):
        raise PolicyDenied(_("Only a number that the respondent typed can be corrected."))
    try:
        proposed = parse_cell(place, {"value": value, "unit": unit})
    except AnswerError as error:
        raise PolicyDenied(_("The proposed value could not be read as a number of this item.")) from error
    if proposed is None:
        raise PolicyDenied(_("Write the value that you propose."))
    filing = latest_filing(query.submission)
    filed = cells.get(filing.answers, item) if filing else None
    if filed is not None and filed.get("value") == proposed.get("value"):
        raise PolicyDenied(_("The proposed value is the one that was filed."))
    return CorrectionSlip.objects.create(query=query, proposed=proposed, filed=filed)


def slips_of(submission: Submission) -> "QuerySet[CorrectionSlip]":
    """The slips of a sheet, those that wait for an answer first."""
    return (
        CorrectionSlip.objects.filter(query__submission=submission)
        .select_related("query__raised_by", "answered_by")
        .order_by("outcome", "pk")
    )


def told_slips(submission: Submission) -> "list[CorrectionSlip]":
    """The slips that have reached the respondent: an open one does so when the sheet is returned."""
    returned = submission.state in EDITABLE
    return [slip for slip in slips_of(submission) if returned or slip.query.state != ReviewQuery.State.OPEN]


@transaction.atomic
def answer_correction(
    submission: Submission, *, by: Any, slip_id: int, confirm: bool, text: str = "", channel: str = "page"
) -> CorrectionSlip:
    """The respondent's word on a slip: a confirmed value is written into the sheet under their name.

    Raises PermissionDenied, PolicyDenied (answered before, closed, or the sheet takes no answers now).
    """
    if not may(by, Permission.RESPOND, submission):
        raise PermissionDenied
    slip = (
        CorrectionSlip.objects.select_for_update(of=("self",))
        .filter(pk=slip_id, query__submission=submission)
        .select_related("query")
        .first()
    )
    if slip is None or slip.outcome:
        raise PolicyDenied(_("This proposal has been answered already."))
    item = slip.query.item
    if confirm:
        saved = autosave(
            submission,
            by=by,
            changes={item: slip.proposed},
            base_revision=submission.revision,
            channel=channel,
            canonical=True,
        )
        if not saved.is_clean:
            raise PolicyDenied(
                _("The proposed value does not fit this item any more. Answer the comment instead.")
            )
        said = text.strip() or _("Proposed value confirmed.")
    else:
        said = text.strip()
        if not said:
            raise PolicyDenied(_("Say why the proposed value is not right."))
    reply(submission, by=by, query_id=slip.query_id, text=said, corrected=confirm)
    slip.outcome = CorrectionSlip.Outcome.CONFIRMED if confirm else CorrectionSlip.Outcome.REFUSED
    slip.answered_by, slip.answered_at = by, timezone.now()
    slip.save(update_fields=["outcome", "answered_by", "answered_at"])
    return slip
