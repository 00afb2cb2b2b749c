"""Who holds the three roles of administrators."""

from survey.access.models import RoleAssignment, User
from survey.access.roles import Role

ROLES = (Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR)


def holders() -> dict[Role, User | None]:
    """The oldest open account that holds each of the three roles."""
    grants = RoleAssignment.objects.filter(role__in=ROLES, ended_at=None, user__is_active=True)
    by_role = {grant.role: grant.user for grant in grants.select_related("user").order_by("-pk")}
    return {role: by_role.get(role) for role in ROLES}
