"""The first system, security and audit administrator: created by a command, since nobody could create them on a page."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from survey import audit
from survey.access.first_administrators.selectors import holders
from survey.access.models import Region, RoleAssignment, User
from survey.access.passwords.services import initial_password
from survey.access.regions import load_regions
from survey.access.roles import Role
from survey.classification import NATION
from survey.exceptions import PolicyDenied


@dataclass(frozen=True, slots=True)
class Person:
    """Who gets one of the roles."""

    username: str
    name: str = ""
    email: str = ""


@transaction.atomic
def create(people: Mapping[Role, Person]) -> dict[Role, str]:
    """Create the accounts of roles that nobody holds. Returns their one-time passwords by role.

    Loads the regions first, where they are missing. Raises PolicyDenied when two roles would go to one person, when
    an account name is taken or not valid, or for a wrong e-mail address.
    """
    if not Region.objects.filter(code=NATION).exists():
        load_regions()
    # Two commands at the same time: the second one finds what the first has created.
    nation = Region.objects.select_for_update().get(code=NATION)
    held = holders()
    return {role: _create(role, person, nation) for role, person in people.items() if held[role] is None}


def _create(role: Role, person: Person, nation: Region) -> str:
    if User.objects.filter(username__iexact=person.username).exists():
        raise PolicyDenied(
            _("The account %(name)s exists already. Three different persons hold the three roles.")
            % {"name": person.username}
        )
    password = initial_password()
    user = User(username=person.username, name=person.name, email=person.email, must_change_password=True)
    user.set_password(password)
    try:
        if person.email:
            validate_email(person.email)
        user.clean_fields(exclude=["password", "notice_read_at"])
    except ValidationError as error:
        raise PolicyDenied(" ".join(error.messages)) from error
    user.save()
    RoleAssignment.objects.create(user=user, role=role, region=nation)
    audit.record(by=None, action="account_created", subject=user, username=user.username, by_set_up=True)
    audit.record(
        by=None,
        action="role_granted",
        subject=user,
        region_path=nation.path,
        role=role.value,
        region=nation.code,
        category="",
        by_set_up=True,
    )
    return password
