"""Accounts and roles: actions of the system administrator, of the security administrator and of the users.

Every function checks its permission, writes its audit row in the same transaction, and refuses with a message.
Administrators cannot act on their own accounts: separation of duties requires a second person.
"""

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from survey import audit, clock, locks
from survey.access.guessing import services as guessing
from survey.access.models import Region, RoleAssignment, User
from survey.access.own_sessions.services import end_sessions_of
from survey.access.passwords.services import initial_password
from survey.access.roles import NATIONAL_ROLES, Permission, Role, conflict, permissions_of
from survey.access.scope import may
from survey.access.second_factor import services as second_factor
from survey.classification import NATION
from survey.exceptions import PolicyDenied


@transaction.atomic
def create_account(
    *, username: str, name: str, by: User, email: str = "", phone: str = ""
) -> tuple[User, str]:
    """Create an account without any role. Returns it with its one-time password."""
    _require(by, Permission.MANAGE_USERS)
    locks.hold(f"account {username.lower()}")
    if User.objects.filter(username__iexact=username).exists():
        raise PolicyDenied(_("This account name is taken."))
    password = initial_password()
    user = User.objects.create_user(
        username, password, name=name, email=email, phone=phone, must_change_password=True
    )
    audit.record(by=by, action="account_created", subject=user, username=username)
    return user, password


@transaction.atomic
def close_account(*, user: User, by: User) -> None:
    """Close an account and end its sessions."""
    _require(by, Permission.MANAGE_USERS)
    _refuse_own_account(user, by)
    _set_active(user, False)
    end_sessions_of(user)
    audit.record(by=by, action="account_closed", subject=user)


@transaction.atomic
def reopen_account(*, user: User, by: User) -> str:
    """Reopen an account without its former roles. Returns a new one-time password."""
    _require(by, Permission.MANAGE_USERS)
    _refuse_own_account(user, by)
    _set_active(user, True)
    ended = RoleAssignment.objects.filter(user=user, ended_at=None).update(ended_at=clock.present())
    audit.record(by=by, action="account_reopened", subject=user, roles_ended=ended)
    return _give_new_password(user)


@transaction.atomic
def reset_password(*, user: User, by: User) -> str:
    """Replace the password by a one-time password, which is returned; every session of the account ends."""
    _require(by, Permission.MANAGE_USERS)
    _refuse_own_account(user, by)
    if not user.is_active:
        raise PolicyDenied(_("This account is closed."))
    audit.record(by=by, action="password_reset", subject=user)
    return _give_new_password(user)


@transaction.atomic
def change_password(*, password: str, by: User) -> None:
    """Set the user's own password, which the form has validated. Other sessions of the account end."""
    by.set_password(password)
    by.must_change_password = False
    by.save(update_fields=["password", "must_change_password"])
    audit.record(by=by, action="password_changed", subject=by)


@transaction.atomic
def read_notice(*, by: User) -> None:
    """Record that the user has confirmed the statutory notice, with the time."""
    if by.notice_read_at is None:
        by.notice_read_at = clock.present()
        by.save(update_fields=["notice_read_at"])
        audit.record(by=by, action="notice_read", subject=by)


@transaction.atomic
def grant_role(*, user: User, role: str, region: Region, by: User, category: str = "") -> RoleAssignment:
    """Grant a role for a region. Respondents get their role by activation only."""
    _require(by, Permission.GRANT_ROLES)
    _refuse_own_account(user, by)
    user = User.objects.select_for_update().get(pk=user.pk)
    _check_grant(user, role, region, category)
    if conflict(user.roles() | {role}):
        raise PolicyDenied(_("This person may not hold these roles together (separation of duties)."))
    try:
        with transaction.atomic():
            grant = RoleAssignment.objects.create(
                user=user, role=role, region=region, category=category, granted_by=by
            )
    except IntegrityError as error:
        raise PolicyDenied(_("This person already holds this role in this place.")) from error
    audit.record(
        by=by,
        action="role_granted",
        subject=user,
        region_path=region.path,
        role=role,
        region=region.code,
        category=category,
    )
    return grant


@transaction.atomic
def revoke_role(*, grant: RoleAssignment, by: User) -> None:
    """End a role, from the user's next request on."""
    _require(by, Permission.GRANT_ROLES)
    _refuse_own_account(grant.user, by)
    ended = RoleAssignment.objects.filter(pk=grant.pk, ended_at=None).update(ended_at=clock.present())
    if not ended:
        raise PolicyDenied(_("This role has already been ended."))
    audit.record(
        by=by,
        action="role_revoked",
        subject=grant.user,
        region_path=grant.region.path,
        role=grant.role,
        region=grant.region_id,
        category=grant.category,
    )


@transaction.atomic
def reset_second_factor(*, user: User, by: User) -> None:
    """Let a user who lost the authenticator set up a new one."""
    _require(by, Permission.GRANT_ROLES)
    _refuse_own_account(user, by)
    second_factor.reset(user=user, by=by)


@transaction.atomic
def unlock(*, user: User, by: User) -> None:
    """Remove the lock of an account after failed sign-ins."""
    _require(by, Permission.GRANT_ROLES)
    _refuse_own_account(user, by)
    deleted = guessing.reset_account(user.username)
    audit.record(by=by, action="account_unlocked", subject=user, attempts_forgotten=deleted)


@transaction.atomic
def end_sessions(*, user: User, by: User) -> int:
    """End all sessions of an account, which stays open; how many."""
    _require(by, Permission.GRANT_ROLES)
    _refuse_own_account(user, by)
    ended = end_sessions_of(user)
    audit.record(by=by, action="sessions_ended", subject=user, sessions=ended)
    return ended


def _check_grant(user: User, role: str, region: Region, category: str) -> None:
    """Check that the role can be granted to this user for this region and category. Raises PolicyDenied."""
    if role not in Role.values:
        raise PolicyDenied(_("There is no such role."))
    if not user.is_active:
        raise PolicyDenied(_("This account is closed."))
    if role == Role.RESPONDENT:
        raise PolicyDenied(_("Respondents receive their role with the activation code of their unit."))
    if role in NATIONAL_ROLES and region.code != NATION:
        raise PolicyDenied(_("This role is held for the whole nation."))
    if role == Role.PROVINCIAL_ADMINISTRATOR and region.code == NATION:
        raise PolicyDenied(_("A provincial administrator needs a province."))
    if category and Permission.VIEW_SHEETS not in permissions_of(role):
        raise PolicyDenied(_("Only roles that read sheets can be limited to one category."))


def _require(by: User, permission: Permission) -> None:
    if not may(by, permission):
        raise PermissionDenied


def _refuse_own_account(user: User, by: User) -> None:
    if user.pk == by.pk:
        raise PolicyDenied(_("Nobody can do this to his or her own account."))


def _set_active(user: User, active: bool) -> None:
    if not User.objects.filter(pk=user.pk, is_active=not active).update(is_active=active):
        raise PolicyDenied(_("This account is already open.") if active else _("This account is closed."))
    user.is_active = active


def _give_new_password(user: User) -> str:
    password = initial_password()
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    end_sessions_of(user)
    return password
