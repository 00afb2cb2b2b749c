"""Explanations of soft findings across sheets, with rule and verdict."""

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
    """Explanations on the filed sheets in scope, newest filing first."""
    rows = (
        Explanation.objects.visible_to(user, Permission.VIEW_SHEETS)
        .filter(submission__round=round_, submission__state__in=[state.value for state in FILED])
        .select_related("submission__unit__region", "by", "verdict_by")
        .defer("submission__answers", "submission__item_revisions", "submission__signatories")
    )
    if category:
        rows = rows.filter(submission__unit__category=category)
    if verdict == "waiting":  # explanations of decided sheets need no verdict
        rows = rows.filter(verdict="", submission__state__in=[State.SUBMITTED, State.NATIONAL_REVIEW])
    elif verdict != "all":
        rows = rows.filter(verdict=verdict)
    return rows.order_by("-submission__filed_at", "submission", "edit")
