"""A reviewer proposes a value; the respondent confirms or refuses it (``submissions.corrections``)."""

from django.db import transaction
from django.utils.translation import gettext as _

from survey.access.models import User
from survey.exceptions import PolicyDenied
from survey.questionnaires.answering.answers import AnswerError, parse_cell
from survey.questionnaires.definition import NUMERIC_TYPES, Item
from survey.questionnaires.selectors import definition_for
from survey.review.services import raise_query
from survey.submissions import cells
from survey.submissions.comments.models import CorrectionSlip
from survey.submissions.models import Submission
from survey.submissions.selectors import latest_filing


def can_be_proposed(item: Item) -> bool:
    """Numbers that the respondent types; computed ones follow from them."""
    return item.type in NUMERIC_TYPES and not item.computed


@transaction.atomic
def propose_correction(
    submission: Submission,
    *,
    by: User,
    item: str,
    value: str,
    unit: str = "",
    text: str,
    channel: str = "page",
) -> CorrectionSlip:
    """Raise a comment that carries a proposed value. Raises PermissionDenied, PolicyDenied."""
    query = raise_query(submission, by=by, item=item, text=text, channel=channel)
    definition = definition_for(query.submission.assignment.version)
    definition_item, target = definition.items.get(cells.item_of(item)), cells.field_of(definition, item)
    if (
        definition_item is None
        or target is None
        or (definition_item.type != "table" and not can_be_proposed(definition_item))
    ):
        raise PolicyDenied(_("Only a number that the respondent typed can be corrected."))
    try:
        proposed = parse_cell(target, {"value": value, "unit": unit})
    except AnswerError as error:
        raise PolicyDenied(_("The proposed value could not be read as a number of this item.")) from error
    if proposed is None:
        raise PolicyDenied(_("Write the value that you propose."))
    filing = latest_filing(query.submission)
    filed = cells.get(filing.answers, item) if filing else None
    if filed is not None and filed.get("value") == proposed.get("value"):
        raise PolicyDenied(_("The proposed value is the one that was filed."))
    return CorrectionSlip.objects.create(query=query, proposed=proposed, filed=filed)
