"""Registers implementations of upper packages with lower packages of the survey.

No package imports a package above it. Pages of the navigation, hooks and policies of upper packages are registered
once, when Django has loaded the app.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from survey.access import navigation
from survey.access.navigation import Page
from survey.access.roles import Permission as P  # noqa: N817 as in the table of roles
from survey.audit_trail import labels, presentation
from survey.backups.stored_files.messages import STORES
from survey.collection import hooks
from survey.retention.periods import KINDS
from survey.review.bulk.policies import accepted_with_others
from survey.submissions.evidence.services import has_evidence
from survey.submissions.lifecycle import policies
from survey.submissions.selectors import round_counts

PAGES = (
    Page("tasks", _("My tasks"), (P.RESPOND,), 10, ("sheet_",), home=1),
    Page("notices", _("Notices"), (P.RESPOND,), 20),
    Page("review_queue", _("Review"), (P.REVIEW,), 30, ("review_",), home=2),
    Page("progress_board", _("Progress"), (P.VIEW_PROGRESS,), 40, home=8),
    Page("unit_list", _("Units"), (P.MANAGE_UNITS,), 50, ("unit_",)),
    Page("reminders", _("Reminders"), (P.MANAGE_UNITS,), 60, ("reminder_",)),
    Page("jobs", _("Files"), (P.VIEW_SHEETS, P.MANAGE_UNITS), 70, ("job_",)),
    Page("rounds", _("Rounds"), (P.DESIGN,), 80, ("round_",), home=4),
    Page("questionnaires", _("Questionnaires"), (P.DESIGN,), 100, ("questionnaire_",)),
    Page("rules", _("Rule statistics"), (P.DESIGN,), 110),
    Page("item_response", _("Item response"), (P.DESIGN,), 120),
    Page("accounts", _("Accounts"), (P.MANAGE_USERS, P.GRANT_ROLES), 180, ("account", "roles_"), home=6),
    Page("system_state", _("State of the system"), (P.OPERATE,), 185, ("system_",)),
    Page("audit", _("Audit"), (P.VIEW_AUDIT,), 190, ("audit_",), home=7),
)
# Links of lower packages to pages above them.
LINKS = {
    "frame.units": "unit_list",
    "frame.own_sheets": "tasks",
    "review.progress": "progress_board",
    "review.exports": "jobs",
}

# What verifications and comparisons count, as the audit trail stores it.
COUNTED: dict[str, Promise] = {
    "filings": _("Filings"),
    "observations": _("Accepted values"),
    "questionnaires": _("Questionnaires"),
    "frame imports": _("Frame files"),
    "rows of the ledgers": _("Rows of the ledgers"),
    "files": _("Files"),
    "tables": _("Tables"),
    **STORES,
}


def register() -> None:
    """Register everything; called once by the app configuration."""
    navigation.register(*PAGES)
    navigation.register_links(LINKS)
    hooks.round_counts.register(round_counts)
    hooks.has_evidence.register(has_evidence)
    policies.register(accepted_with_others)
    presentation.register_periods({kind.code: kind.label for kind in KINDS})
    labels.register_counted(COUNTED)
