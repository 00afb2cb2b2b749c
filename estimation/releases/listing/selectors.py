"""Reads of the pages of releases: they cover the whole country, for users who may see estimates."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from estimation.releases.content.content import Content, FrozenCell
from estimation.releases.models import Release
from estimation.releases.selectors import FAULTS
from estimation.releases.states import Action
from estimation.runs.models import EstimationRun
from estimation.runs.selectors import finished_runs
from survey.audit import AuditEvent
from survey.audit_trail.labels import label_of

ACTION_LABELS = {
    Action.REBUILD: _("Fill the draft again"),
    Action.VALIDATE: _("Validate"),
    Action.RETURN: _("Back to draft"),
    Action.SCHEDULE: _("Schedule"),
    Action.UNSCHEDULE: _("Take off the schedule"),
    Action.PUBLISH: _("Publish now"),
    Action.CORRECT: _("Replaced by a correction"),
    Action.WITHDRAW: _("Withdraw"),
}
NEEDS_REASON = (Action.RETURN, Action.UNSCHEDULE, Action.WITHDRAW)
STATUS_LABELS = {
    "shown": _("Number"),
    "nil": _("Zero"),
    "withheld": _("Withheld"),
    "absent": _("No number"),
}
DIFFERENCE_LABELS = {
    "new": _("new"),
    "gone": _("gone"),
    "withheld": _("withheld now"),
    "shown": _("shown now"),
    "changed": _("changed"),
    "quality": _("error or respondents changed"),
}
COMPARISON_LABELS = {
    "same": _("Agrees to the printed digit."),
    "inside": _("The published number lies inside our interval."),
    "qualified": _("The published wording is true of our number."),
    "sampling": _("The published wording is not true of our number."),
    "method": _("Another method: a damped trend against an extrapolated growth."),
    "sample_size": _("The rehearsal has its own sample; counts differ by its scale."),
    "synthetic": _("The data are synthetic; the published number lies outside our interval."),
    "beyond": _("The published number lies outside our interval."),
    "order": _("Another order of regions."),
    "withheld": _("Withheld in this release."),
    "not_made": _("This release makes no such number."),
    "not_collected": _("The survey does not give this number; the cell says why."),
    "not_printed": _("No comparable number is printed."),
    "imprecise": _("The error is too large to publish this number."),
    "no_estimate": _("There is no estimate in this run."),
    "no_external": _("The external series has no value for this year."),
    "no_previous": _("There is no comparable level of the year before."),
}
WITHHELD_LABELS = {
    "few": _("fewer contributors than the minimum"),
    "one_dominates": _("one contributor dominates"),
    "two_dominate": _("two contributors dominate"),
    "secondary": _("protects another cell"),
    "follows": _("growth or ratio of a withheld level"),
}
METHOD_LABELS = {
    "integer_program": _("integer program, the cheapest pattern"),
    "in_turn": _("linear programs in turn, then taking back what is spare"),
    "everything": _("nothing cheaper protects: the whole table"),
}
FAULT_LABELS: Mapping[str, Any] = FAULTS


def all_releases() -> QuerySet[Release]:
    """Every release, newest round and number first."""
    return Release.objects.select_related(
        "round", "run", "run__requested_by", "prepared_by", "validated_by", "published_by", "replaces"
    ).order_by("-round__year", "-number")


def public_releases() -> QuerySet[Release]:
    """Releases that the public may see: published and corrected."""
    return Release.objects.filter(state__in=(Release.State.PUBLISHED, Release.State.CORRECTED)).order_by(
        "-round__year", "-number"
    )


def releasable_runs() -> list[EstimationRun]:
    """Finished runs, newest first."""
    return list(finished_runs()[:20])


def content_of(release: Release) -> Content:
    """The frozen content."""
    return Content.from_document(release.content)


def counts(content: Content) -> list[tuple[str, Any, int]]:
    """Number of cells in each status."""
    counts = Counter(str(cell.status) for cell in content.cells.values())
    return [(code, label, counts.get(code, 0)) for code, label in STATUS_LABELS.items()]


def identities(content: Content, language: str) -> list[dict[str, Any]]:
    """The identities with their labels; failing ones first."""
    name = "en" if language.startswith("en") else "zh"
    rows = [
        {
            **identity,
            "text": identity["words"][name],
            "remark": identity["registered"][name] if identity.get("registered") else "",
        }
        for identity in content.identities
    ]
    order = {False: 0, None: 1, True: 2}
    return sorted(rows, key=lambda row: order[row["holds"]])


def cells(content: Content, begins: str, status: str) -> list[FrozenCell]:
    """Cells with a status whose key begins with a text."""
    return [
        cell
        for cell in content.cells.values()
        if cell.key.startswith(begins) and (not status or cell.status == status)
    ]


def withheld(release: Release) -> list[tuple[str, Any]]:
    """Withheld estimates with the label of the reason."""
    withheld = release.checks.disclosure.withheld
    return [(line, WITHHELD_LABELS.get(reason, reason)) for line, reason in sorted(withheld.items())]


def release_before(release: Release) -> Release | None:
    """The release of the same round that this one is compared with: what it corrects, else the number before."""
    if release.replaces is not None:
        return release.replaces
    return all_releases().filter(round=release.round_id, number__lt=release.number).first()


def trail(release: Release) -> list[tuple[AuditEvent, str]]:
    """Audit events of a release, oldest first, with their labels."""
    rows = AuditEvent.objects.filter(subject_type="release", subject_id=str(release.pk)).order_by("pk")
    return [(row, label_of(row.action)) for row in rows]
