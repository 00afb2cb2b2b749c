"""The permissions of each role. ``scope`` limits them to regions, categories and units."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Permission(StrEnum):
    """A permission. Names are verbs of the survey, not of the database."""

    RESPOND = "respond"  # fill and submit the sheet of one's own unit
    VIEW_SHEETS = "view_sheets"  # read answers of units in scope
    REVIEW = "review"  # comment, return, accept at one's own level
    REOPEN = "reopen"  # open an accepted sheet again
    INVALIDATE = "invalidate"  # exclude a filed sheet from the valid sample, with a coded reason
    MANAGE_UNITS = "manage_units"  # dispositions, extensions, activation codes of units in scope
    VIEW_PROGRESS = "view_progress"
    DESIGN = "design"  # questionnaires and rounds
    DESIGN_SAMPLE = "design_sample"  # frame, strata, allocation, draw, approval of another person's draw
    VIEW_ESTIMATES = "view_estimates"
    RUN_ESTIMATION = "run_estimation"
    PUBLISH = "publish"
    MANAGE_USERS = "manage_users"  # create and close accounts
    GRANT_ROLES = "grant_roles"
    VIEW_AUDIT = "view_audit"
    OPERATE = "operate"  # state of servers and background work


class Role(TextChoices):
    """The role of a user in the survey."""

    RESPONDENT = "respondent", _("Respondent")
    PROVINCIAL_ADMINISTRATOR = "provincial_administrator", _("Provincial administrator")
    DESIGNER = "designer", _("Questionnaire designer")
    METHODOLOGIST = "methodologist", _("Methodologist")
    REVIEWER = "reviewer", _("National reviewer")
    PUBLISHER = "publisher", _("Publisher")
    SYSTEM_ADMINISTRATOR = "system_administrator", _("System administrator")
    SECURITY_ADMINISTRATOR = "security_administrator", _("Security administrator")
    AUDIT_ADMINISTRATOR = "audit_administrator", _("Audit administrator")


P = Permission
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    # Fills the sheets of one unit; reads no other unit.
    Role.RESPONDENT: frozenset({P.RESPOND}),
    # The desk of a province: reads and reviews the sheets whose reviewing region is in its subtree.
    Role.PROVINCIAL_ADMINISTRATOR: frozenset(
        {P.VIEW_SHEETS, P.REVIEW, P.REOPEN, P.MANAGE_UNITS, P.VIEW_PROGRESS}
    ),
    # Prepares rounds, questionnaires and samples: reads the register entries of units, never their answers.
    Role.DESIGNER: frozenset({P.DESIGN, P.DESIGN_SAMPLE, P.VIEW_PROGRESS}),
    # Runs the estimation and reads its inputs by unit. Of designer and methodologist, one draws a sample and the
    # other approves it.
    Role.METHODOLOGIST: frozenset(
        {P.VIEW_SHEETS, P.VIEW_PROGRESS, P.VIEW_ESTIMATES, P.RUN_ESTIMATION, P.DESIGN_SAMPLE}
    ),
    # The national desk: second level for provinces, first level for units that report to the nation.
    Role.REVIEWER: frozenset(
        {P.VIEW_SHEETS, P.REVIEW, P.REOPEN, P.INVALIDATE, P.MANAGE_UNITS, P.VIEW_PROGRESS, P.VIEW_ESTIMATES}
    ),
    # Releases results; may not run the estimation that it releases (two-person rule).
    Role.PUBLISHER: frozenset({P.VIEW_PROGRESS, P.VIEW_ESTIMATES, P.PUBLISH}),
    # The three administrators of the protection scheme: accounts, authorisation, audit, always different persons.
    Role.SYSTEM_ADMINISTRATOR: frozenset({P.MANAGE_USERS, P.OPERATE}),
    Role.SECURITY_ADMINISTRATOR: frozenset({P.GRANT_ROLES}),
    Role.AUDIT_ADMINISTRATOR: frozenset({P.VIEW_AUDIT}),
}

NATIONAL_ROLES = frozenset(Role) - {Role.RESPONDENT, Role.PROVINCIAL_ADMINISTRATOR}
ADMINISTRATORS = frozenset({Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR})


def permissions_of(role: str) -> frozenset[Permission]:
    """The permissions of a role."""
    return PERMISSIONS[Role(role)]


def roles_with(permission: Permission) -> list[str]:
    """The roles that have a permission, as values of a query."""
    return [role.value for role, allowed in PERMISSIONS.items() if permission in allowed]


def conflict(roles: set[str]) -> bool:
    """True when one person may not hold these roles together (compliance: separation of duties)."""
    administrators = {role for role in roles if Role(role) in ADMINISTRATORS}
    if len(administrators) > 1 or (administrators and len(roles) > 1):
        return True
    if Role.METHODOLOGIST in roles and Role.PUBLISHER in roles:
        return True
    return Role.RESPONDENT in roles and len(roles) > 1
