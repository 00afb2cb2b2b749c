"""Who still owes a sheet, ranked by what they would most probably contribute."""

from typing import Any

from django.db.models import F, QuerySet

from survey.access.models import NATION
from survey.access.roles import Permission, permissions_of
from survey.collection.models import CollectionRound, Disposition
from survey.submissions.models import Submission
from survey.submissions.states import EDITABLE

PAGE_SIZE = 50


def is_national(user: Any) -> bool:
    """Does some grant of this person reach over the whole nation?"""
    return any(
        grant.region.level == 0
        and not grant.unit_id
        and Permission.MANAGE_UNITS in permissions_of(grant.role)
        for grant in user.grants()
    )


def missing(
    user: Any, round_: CollectionRound, *, region: str = "", category: str = "", state: str = ""
) -> "QuerySet[Submission]":
    """Sheets that are due and not filed, largest expected share first: of the nation, or of one's region."""
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
    if state in {one.value for one in EDITABLE}:
        rows = rows.filter(state=state)
    share = "expected_share__national" if is_national(user) and not region else "expected_share__regional"
    return rows.order_by(F(share).desc(nulls_last=True), "pk")
