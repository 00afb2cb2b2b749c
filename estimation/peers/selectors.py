"""Reads of the comparison: a respondent's accepted sheets and the frozen quartiles of their groups."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from estimation.peers import boxes, compute
from estimation.peers.models import PeerTable
from estimation.releases.models import Release
from estimation.report.selectors import BUILT_STATES, public_releases
from estimation.runs.compute.spec import digest
from estimation.runs.selectors import VariableName, name_of, variables_of
from survey.access.models import User
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.microdata.selectors import observed
from survey.submissions.models import Submission


@dataclass(frozen=True, slots=True)
class Position:
    """One item: the unit's own number, and its group when a group may be shown.

    kind, code : the group, "" when none is safe; units : number of units that report the item; quarter : 0 to 4
    printed : lower quartile, median, upper quartile as they are shown, a rate in percent
    """

    name: VariableName
    is_rate: bool
    own: float
    own_printed: str
    kind: str = ""
    code: str = ""
    units: int = 0
    printed: tuple[str, ...] = ()
    quarter: int = 0
    box: boxes.Box | None = None


def releases_without_peers() -> list[int]:
    """Keys of validated and published releases without a table."""
    return list(
        Release.objects.filter(state__in=BUILT_STATES, peers__isnull=True).values_list("pk", flat=True)
    )


def accepted_sheets(user: User) -> list[Submission]:
    """The accepted sheets that a respondent is responsible for, of rounds that are published with a comparison."""
    shown = public_releases().filter(state=Release.State.PUBLISHED, peers__isnull=False)
    rows = Submission.objects.visible_to(user, Permission.RESPOND).filter(
        state="accepted", round__in=shown.order_by().values("round"), filings__observation__isnull=False
    )
    rows = rows.select_related("unit", "round", "assignment__version").order_by("-round__year", "pk")
    return list(rows.distinct())


def table_of(sheet: Submission) -> PeerTable | None:
    """The comparison of the sheet's round in its current release. Raises PolicyDenied when its hash differs."""
    release = public_releases().filter(round=sheet.round_id, state=Release.State.PUBLISHED).first()
    table = PeerTable.objects.filter(release=release).first() if release else None
    if table is None:
        return None
    if digest({"groups": table.groups, "rules": table.rules}) != table.content_hash:
        raise PolicyDenied(_("The comparison does not match its hash and is not shown."))
    table.release = release  # type: ignore[assignment]  # loaded above, with its round
    return table


def positions(sheet: Submission, table: PeerTable) -> list[Position]:
    """Every chief item that the accepted sheet answers, in the order of the page."""
    own = observed(sheet.pk, compute.variables())
    if own is None:
        return []
    chain = compute.chain(category=own.category, section=own.section, size=own.size_class)
    names = variables_of(table.release.run)
    positions = []
    for item in compute.CHIEF:
        value = compute.value_of(own.values, item)
        if value is not None:
            name = name_of(names, compute.NAMED_AS.get(item, item))
            positions.append(_position(name, "/" in item, value, table.groups.get(item, {}), chain))
    return positions


def _position(
    name: VariableName, is_rate: bool, own: float, groups: dict[str, list[Any]], chain: tuple[str, ...]
) -> Position:
    times = 100 if is_rate else 1
    own_printed = compute.plain(compute.readable(own * times))
    group = next((code for code in chain if code in groups), None)
    if group is None:
        return Position(name, is_rate, own, own_printed)
    units, *printed = groups[group]
    lower, middle, upper = (float(number) for number in printed)
    quartiles = (lower, middle, upper)
    kind, _colon, code = group.partition(":")
    shown = tuple(compute.plain(Decimal(number) * times) for number in printed)
    return Position(
        name,
        is_rate,
        own,
        own_printed,
        kind,
        code,
        int(units),
        shown,
        boxes.quarter(own, quartiles),
        boxes.box(own, quartiles),
    )
