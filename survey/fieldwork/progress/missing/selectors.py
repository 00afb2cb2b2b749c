"""Sheets that are due and not filed, ranked by their expected contribution."""

from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import Level, grants_with
from survey.classification import NATION
from survey.collection.models import CollectionRound, ContactNote, Disposition
from survey.collection.selectors import contacted, follow_up_due
from survey.submissions.lifecycle.states import EDITABLE
from survey.submissions.models import Submission

PAGE_SIZE = 50
CONTACTS = {"due": _("To be asked again by today"), "never": _("Nobody has spoken with them")}


def is_national(user: User) -> bool:
    """Whether the user manages the units of the whole nation."""
    return bool(grants_with(user, Permission.MANAGE_UNITS, Level.NATION))


def missing(
    user: User,
    round_: CollectionRound,
    *,
    region: str = "",
    category: str = "",
    state: str = "",
    contact: str = "",
) -> "QuerySet[Submission]":
    """Sheets that are due and not filed, largest expected share of the nation or of the user's region first.

    ``contact`` is a code of CONTACTS: units with a follow-up that is due, or units without a contact.
    """
    rows = (
        Submission.objects.visible_to(user, Permission.MANAGE_UNITS)
        .filter(round=round_, state__in=EDITABLE, assignment__disposition=Disposition.ELIGIBLE)
        .select_related("unit__region", "expected_share", "assignment", "round")
        .defer("answers", "item_revisions", "signatories")
    )
    if region:
        rows = rows.filter(unit__region__path__startswith=f"{NATION}/{region}/")
    if category:
        rows = rows.filter(unit__category=category)
    if state in {editable.value for editable in EDITABLE}:
        rows = rows.filter(state=state)
    if contact == "due":
        rows = rows.filter(follow_up_due("assignment"))
    elif contact == "never":
        rows = rows.exclude(contacted("assignment"))
    share = "expected_share__national" if is_national(user) and not region else "expected_share__regional"
    return rows.order_by(F(share).desc(nulls_last=True), "pk")


def with_contacts(rows: "QuerySet[Submission]") -> "QuerySet[Submission]":
    """Annotate time, outcome and follow-up of the contact that was recorded last."""
    last = ContactNote.objects.filter(assignment=OuterRef("assignment")).order_by("-recorded_at", "-pk")
    annotated: Any = rows.annotate(
        asked_at=Subquery(last.values("at")[:1]),
        asked_outcome=Subquery(last.values("outcome")[:1]),
        ask_again_on=Subquery(last.values("follow_up_on")[:1]),
    )
    result: QuerySet[Submission] = annotated
    return result
