"""Reasons for unusual values over many sheets: what was said, under which rule, and how it was judged."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import CollectionRound
from survey.submissions.lifecycle.states import FILED, State
from survey.submissions.models import Explanation

VERDICTS = {
    "waiting": _("Waiting for a verdict"),
    "accepted": _("Explanation accepted"),
    "refused": _("Explanation refused"),
    "all": _("All"),
}


def reasons_of(
    user: User, round_: CollectionRound, *, category: str = "", verdict: str = "waiting"
) -> "QuerySet[Explanation]":
    """Reasons on the filed sheets that this person may read, newest filing first."""
    rows = (
        Explanation.objects.visible_to(user, Permission.VIEW_SHEETS)
        .filter(submission__round=round_, submission__state__in=[state.value for state in FILED])
        .select_related("submission__unit__region", "by", "verdict_by")
        .defer("submission__answers", "submission__item_revisions", "submission__signatories")
    )
    if category:
        rows = rows.filter(submission__unit__category=category)
    if verdict == "waiting":  # nobody judges a reason of a sheet that is decided
        rows = rows.filter(verdict="", submission__state__in=[State.SUBMITTED, State.NATIONAL_REVIEW])
    elif verdict != "all":
        rows = rows.filter(verdict=verdict)
    return rows.order_by("-submission__filed_at", "submission", "edit")
