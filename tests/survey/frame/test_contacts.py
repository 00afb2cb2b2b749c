"""Contact persons of a unit: permissions, storage, audit."""

import pytest
from django.core.exceptions import PermissionDenied

from survey.audit import AuditEvent
from survey.frame.contacts.services import contacts_of, set_contacts
from survey.frame.models import UnitContact
from tests.factories import make_unit, make_user

FILLED = {
    "filler_name": "演练甲",
    "filler_phone": "010-12345678",
    "filler_email": "a@example.org",
    "it_name": "演练丁",
}


def address(unit):
    return f"/units/{unit.pk}/contacts/"


def test_respondent_names_and_removes_persons(world, client):
    client.force_login(world.users["respondent"])
    assert client.post(address(world.unit), FILLED).status_code == 302
    assert [(contact.role, contact.name, contact.phone) for contact in contacts_of(world.unit)] == [
        ("filler", "演练甲", "010-12345678"),
        ("it", "演练丁", ""),
    ]
    assert "演练丁" in client.get(address(world.unit)).content.decode()
    client.post(address(world.unit), FILLED | {"it_name": ""})
    world.unit.refresh_from_db()
    assert [contact.role for contact in contacts_of(world.unit)] == ["filler"]


def test_audit_row_has_roles_and_no_persons(world):
    contacts = {"it": {"name": "演练丁", "phone": "", "email": ""}}
    by = world.users["respondent"]
    assert set_contacts(world.unit, by=by, contacts=contacts) == ["it"]
    assert set_contacts(world.unit, by=by, contacts=contacts) == []
    (event,) = AuditEvent.objects.filter(action="unit_contacts")
    assert event.details["roles"] == ["it"] and "演练丁" not in str(event.details)


def test_invalid_contacts_show_field_errors_and_are_not_stored(world, client):
    client.force_login(world.users["respondent"])
    answer = client.post(address(world.unit), {"it_phone": "call me", "filler_email": "a@example.org"})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert 'href="#id_it_phone"' in html and 'href="#id_filler_name"' in html
    assert not UnitContact.objects.exists()


def test_desk_sees_and_changes_contacts(world, client):
    client.force_login(world.users["provincial_administrator"])
    client.post(address(world.unit), FILLED)
    page = client.get(f"/units/{world.sheet.assignment_id}/").content.decode()
    assert "a@example.org" in page and address(world.unit) in page


def test_others_may_not_read_or_change_contacts(world, client):
    other = make_user("respondent", unit=make_unit("CAT12", "320000"))
    client.force_login(other)
    assert client.get(address(world.unit)).status_code == 404
    with pytest.raises(PermissionDenied):
        set_contacts(world.unit, by=other, contacts={})
    with pytest.raises(PermissionDenied):
        set_contacts(world.unit, by=world.users["designer"], contacts={})
