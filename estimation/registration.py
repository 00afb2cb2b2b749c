"""Entries of the estimation in the pages of the survey: navigation, and labels and objects of the audit trail.

The survey does not import the estimation; the entries are registered once, when Django has loaded the app.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from estimation.design.selectors import design_item
from estimation.external.selectors import hashed_files
from estimation.releases.selectors import hashed_releases
from estimation.report.selectors import stored_files
from survey.access import navigation
from survey.access.navigation import Page
from survey.access.roles import Permission as P  # noqa: N817 as in the table of roles
from survey.audit_trail import labels, selectors
from survey.audit_trail.selectors import Kind
from survey.backups import selectors as backups
from survey.files import Store
from survey.operations.checklist import selectors as checklist

PAGES = (
    Page("designs", _("Sample design"), (P.DESIGN_SAMPLE,), 90, ("design_", "frame")),
    Page("runs", _("Estimation runs"), (P.RUN_ESTIMATION,), 130, ("run_",), home=3),
    Page("results", _("Results"), (P.VIEW_ESTIMATES,), 140, ("results_",), home=5),
    Page("release_list", _("Releases"), (P.VIEW_ESTIMATES,), 150, ("release_", "block_")),
    Page("external_list", _("External series"), (P.VIEW_ESTIMATES,), 160, ("external_",)),
    Page("truth", _("Estimate and truth"), (P.VIEW_ESTIMATES,), 170),
)
# Links of lower packages to pages above them.
LINKS = {
    "frame.sample_design": "designs",
    "submissions.peer_comparison": "peer_list",
    "review.changes": "run_changes",
    "runs.results": "results",
    "runs.index": "index_page",
    "releases.files": "release_files",
}
ACTIONS: dict[str, Promise] = {
    "design_built": _("Strata of a sample design built"),
    "design_drawn": _("Sample drawn"),
    "design_checked": _("Draw made again and compared"),
    "design_approved": _("Sample design approved"),
    "design_withdrawn": _("Sample design withdrawn"),
    "design_hand_over_requested": _("Hand-over of a sample requested"),
    "design_handed_over": _("Sample handed over to the round"),
    "sample_downloaded": _("Sample file downloaded"),
    "request_run": _("Estimation run requested"),
    "cancel_run": _("Estimation run cancelled"),
    "request_bootstrap": _("Bootstrap of a run requested"),
    "cancel_bootstrap": _("Bootstrap of a run cancelled"),
    "finish_bootstrap": _("Bootstrap of a run finished"),
    "request_index": _("Composite index requested"),
    "finish_index": _("Composite index finished"),
    "view_contributors": _("Units behind a number looked at"),
    "finish_run": _("Estimation run finished"),
    "build_rehearsal": _("Rehearsal country built"),
    "peers_frozen": _("Comparison of respondents frozen"),
    "prepare_release": _("Release prepared"),
    "release_rebuild": _("Draft of a release filled again"),
    "release_validate": _("Release validated"),
    "release_return": _("Release returned to draft"),
    "release_schedule": _("Release scheduled"),
    "release_unschedule": _("Release taken off the schedule"),
    "release_publish": _("Release published"),
    "release_correct": _("Release replaced by a correction"),
    "release_withdraw": _("Release withdrawn"),
    "edit_block": _("Text of the report edited"),
    "enter_external": _("External value entered"),
    "approve_external": _("External value approved"),
    "report_taken_early": _("Report taken before its publication"),
}
_OF_ROUND = ("round__year", "number")
KINDS: dict[str, Kind] = {
    "sampledesign": Kind(_("Sample design"), _OF_ROUND, "{} · {}", "design_detail"),
    "estimationrun": Kind(_("Estimation run"), ("round__year", "pk"), "{} · {}", "run_detail"),
    "release": Kind(_("Release"), _OF_ROUND, "{} · {}", "release_detail"),
    "blockversion": Kind(
        _("Text of the report"), ("code", "round__year"), "{} · {}", search=("code__iexact",)
    ),
    "externalseries": Kind(_("External value"), ("code", "year"), "{} · {}", search=("code__iexact",)),
    "rehearsal": Kind(_("Rehearsal"), ("pk",)),
    "peertable": Kind(_("Comparison of respondents"), ("pk",)),
    "indexresult": Kind(_("Composite index"), ("pk",)),
}
# What verifications of backups count, as the audit trail stores it.
COUNTED = {"releases": _("Releases"), "external files": _("Files of external series")}


def register() -> None:
    """Register the entries; the app's configuration calls it once."""
    navigation.register(*PAGES)
    navigation.register_links(LINKS)
    labels.register(ACTIONS)
    selectors.register(KINDS)
    checklist.register(design_item)
    labels.register_counted(COUNTED)
    backups.register(
        {Store.REPORTS: stored_files},
        {"releases": hashed_releases, "external files": hashed_files},
    )
