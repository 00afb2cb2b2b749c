"""Contact persons of a unit, by role."""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet

from survey import audit
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.frame.models import ReportingUnit, UnitContact

type Contact = dict[str, str]  # name, phone, email
FIELDS = ("name", "phone", "email")


def reachable_units(user: User) -> "QuerySet[ReportingUnit]":
    """Units whose contacts this user may read and change: the user's own unit, or those of the desk."""
    units = ReportingUnit.objects.select_related("review_region")
    return units.filter(
        pk__in=ReportingUnit.objects.visible_to(user, Permission.RESPOND).values("pk")
    ) | units.filter(pk__in=ReportingUnit.objects.visible_to(user, Permission.MANAGE_UNITS).values("pk"))


def contacts_of(unit: ReportingUnit) -> list[UnitContact]:
    """The contact persons in the order of the roles."""
    order = UnitContact.Role.values
    return sorted(unit.contacts.all(), key=lambda row: order.index(row.role))


@transaction.atomic
def set_contacts(unit: ReportingUnit, *, by: User, contacts: Mapping[str, Contact]) -> list[str]:
    """Set the persons by role; a role without a name is removed. Returns the roles that changed.

    The audit row has the roles, never the persons. Raises PermissionDenied.
    """
    if not any(may(by, permission, unit) for permission in (Permission.RESPOND, Permission.MANAGE_UNITS)):
        raise PermissionDenied
    locked = ReportingUnit.objects.select_for_update(of=("self",)).select_related("review_region")
    row = locked.get(pk=unit.pk)
    previous = {
        person.role: {name: getattr(person, name) for name in FIELDS} for person in row.contacts.all()
    }
    changed = []
    for role in UnitContact.Role.values:
        contact = contacts.get(role, {})
        new = {name: contact.get(name, "") for name in FIELDS} if contact.get("name") else None
        if new == previous.get(role):
            continue
        changed.append(role)
        if new is None:
            row.contacts.filter(role=role).delete()
        else:
            UnitContact.objects.update_or_create(unit=row, role=role, defaults=new)
    if changed:
        audit.record(
            by=by,
            action="unit_contacts",
            subject=row,
            region_path=row.review_region.path,
            unit=row.uscc,
            roles=changed,
        )
    return changed
