"""Separation of duties of the three administrators: accounts, roles, audit."""

import datetime as dt
from itertools import combinations
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.access import services
from survey.access.models import Region, RoleAssignment, User
from survey.access.roles import ADMINISTRATORS, Role, conflict
from survey.audit import AuditEvent, record
from survey.exceptions import PolicyDenied
from survey.ledgers.storage import protection_lifted
from tests.factories import World, make_user

NATION = "000000"


@pytest.fixture
def signed_in(client: Client, world: World) -> Any:
    def as_role(role: str) -> Client:
        client.force_login(world.users[role])
        return client

    return as_role


def give(user: User, role: str, world: World, region: str = NATION, category: str = "") -> RoleAssignment:
    return services.grant_role(
        user=user,
        role=role,
        region=Region.objects.get(pk=region),
        category=category,
        by=world.users["security_administrator"],
    )


@pytest.mark.parametrize(("first", "second"), list(combinations(Role, 2)))
def test_roles_that_exclude_each_other(first: Role, second: Role) -> None:
    pair = {first, second}
    expected = (
        bool(pair & ADMINISTRATORS) or Role.RESPONDENT in pair or pair == {Role.METHODOLOGIST, Role.PUBLISHER}
    )
    assert conflict({role.value for role in pair}) is expected


def test_grants_that_conflict_are_refused(world: World) -> None:
    user = make_user(Role.METHODOLOGIST)
    for role in (Role.PUBLISHER, Role.AUDIT_ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR):
        with pytest.raises(PolicyDenied):
            give(user, role, world)
    give(user, Role.REVIEWER, world)
    assert User.objects.get(pk=user.pk).roles() == {"methodologist", "reviewer"}


@pytest.mark.parametrize(
    ("role", "region", "category"),
    [
        ("respondent", "320000", ""),
        ("reviewer", "320000", ""),
        ("provincial_administrator", NATION, ""),
        ("designer", NATION, "CAT12"),
        ("emperor", NATION, ""),
    ],
)
def test_invalid_grants_are_refused(world: World, role: str, region: str, category: str) -> None:
    user = User.objects.create_user("plain", None)
    with pytest.raises(PolicyDenied):
        give(user, role, world, region, category)
    assert not user.assignments.exists()


def test_the_same_grant_twice_is_refused(world: World) -> None:
    user = User.objects.create_user("plain", None)
    give(user, Role.REVIEWER, world)
    with pytest.raises(PolicyDenied):
        give(user, Role.REVIEWER, world)
    assert user.assignments.count() == 1


def test_roles_are_granted_by_the_security_administrator_and_never_to_oneself(world: World) -> None:
    officer = world.users["security_administrator"]
    with pytest.raises(PolicyDenied):
        give(officer, Role.REVIEWER, world)
    plain = User.objects.create_user("plain", None)
    for role in set(Role) - {Role.SECURITY_ADMINISTRATOR}:
        with pytest.raises(PermissionDenied):
            services.grant_role(
                user=plain, role="reviewer", region=Region.objects.get(pk=NATION), by=world.users[role]
            )


def test_only_the_system_administrator_manages_accounts(world: World) -> None:
    plain = User.objects.create_user("plain", "Rehearsal-2026-ok")
    for role in set(Role) - {Role.SYSTEM_ADMINISTRATOR}:
        by = world.users[role]
        with pytest.raises(PermissionDenied):
            services.create_account(username="abc", name="A", by=by)
        with pytest.raises(PermissionDenied):
            services.reset_password(user=plain, by=by)
        with pytest.raises(PermissionDenied):
            services.close_account(user=plain, by=by)


def test_creating_an_account_shows_its_password_once(signed_in: Any) -> None:
    client = signed_in("system_administrator")
    answer = client.post(reverse("account_new"), {"username": "staff-new", "name": "新人"})
    password = answer.context["password"]
    assert password.encode() in answer.content and "no-store" in answer.headers["Cache-Control"]
    user = User.objects.get(username="staff-new")
    assert user.check_password(password) and user.must_change_password and not user.grants()
    assert password not in str(list(AuditEvent.objects.values()))
    assert password.encode() not in client.get(reverse("account", args=[user.pk])).content


def test_closing_an_account_ends_its_session_and_reopening_restores_no_roles(
    signed_in: Any, world: World
) -> None:
    user = make_user(Role.REVIEWER)
    other = Client()
    other.force_login(user)
    assert other.get(reverse("password_change")).status_code == 200
    client = signed_in("system_administrator")
    act = reverse("account_act", args=[user.pk])
    assert client.post(act, {"action": "close"}).status_code == 302
    assert other.get(reverse("password_change")).status_code == 302
    assert client.post(act, {"action": "close"}).status_code == 302  # a message, not an exception
    assert client.post(act, {"action": "reopen"}).status_code == 200
    assert User.objects.get(pk=user.pk).roles() == set()
    actions = list(AuditEvent.objects.filter(subject_id=str(user.pk)).values_list("action", flat=True))
    assert actions == ["account_closed", "account_reopened"]


def test_closing_the_own_account_is_refused_with_a_message(signed_in: Any, world: World) -> None:
    own_account = world.users["system_administrator"]
    client = signed_in("system_administrator")
    url = reverse("account_act", args=[own_account.pk])
    page = client.post(
        url, {"action": "close"}, headers={"Referer": f"http://testserver{reverse('accounts')}"}
    )
    assert page.status_code == 302 and page.url.endswith(reverse("accounts"))
    shown = client.get(reverse("accounts"))
    assert b'role="alert"' in shown.content
    own_account.refresh_from_db()
    assert own_account.is_active


def test_roles_page_grants_and_ends(signed_in: Any, world: World) -> None:
    user = User.objects.create_user("plain", None)
    client = signed_in("security_administrator")
    url = reverse("roles_of", args=[user.pk])
    form = {"action": "grant", "role": "provincial_administrator", "region": "330000", "category": "CAT12"}
    assert client.post(url, form).status_code == 302
    grant = user.assignments.get()
    assert (grant.region_id, grant.category, grant.granted_by_id) == (
        "330000",
        "CAT12",
        world.users["security_administrator"].pk,
    )
    refused = client.post(url, {**form, "role": "audit_administrator", "region": NATION, "category": ""})
    assert refused.status_code == 422 and b"error-summary" in refused.content
    assert client.post(url, {"action": "revoke", "grant": grant.pk}).status_code == 302
    grant.refresh_from_db()
    assert grant.ended_at is not None
    actions = AuditEvent.objects.filter(subject_id=str(user.pk)).values_list("action", flat=True)
    assert list(actions.order_by("id")) == ["role_granted", "role_revoked"]


def test_roles_page_ends_only_grants_of_that_account(signed_in: Any, world: World) -> None:
    other = world.users["reviewer"].assignments.get()
    url = reverse("roles_of", args=[world.users["publisher"].pk])
    form = {"action": "revoke", "grant": other.pk}
    assert signed_in("security_administrator").post(url, form).status_code == 404
    other.refresh_from_db()
    assert other.ended_at is None


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_pages_are_open_to_the_roles_that_need_them(signed_in: Any, world: World, role: str) -> None:
    client = signed_in(role)
    other = world.users["publisher"].pk
    system, security = role == "system_administrator", role == "security_administrator"
    expected = {
        reverse("accounts"): system or security,
        reverse("account", args=[other]): system or security,
        reverse("account_new"): system,
        reverse("roles_of", args=[other]): security,
        reverse("audit"): role == "audit_administrator",
    }
    assert {url: client.get(url).status_code == 200 for url in expected} == expected
    acted = client.post(reverse("account_act", args=[other]), {"action": "close"})
    assert acted.status_code == (302 if system else 404)


def test_accounts_are_filtered(signed_in: Any, world: World) -> None:
    client = signed_in("system_administrator")
    answer = client.get(reverse("accounts"), {"role": "provincial_administrator", "region": "330000"})
    assert [user.pk for user in answer.context["page"]] == [world.users["outside_administrator"].pk]
    part = client.get(reverse("accounts"), {"search": "no such"}, headers={"HX-Request": "true"})
    assert b"<html" not in part.content and list(part.context["page"]) == []


def test_audit_search_filters_and_is_recorded(signed_in: Any, world: World) -> None:
    people = world.users
    record(by=people["reviewer"], action="sheet_return", subject=world.sheet, old="submitted", new="returned")
    old = record(by=people["reviewer"], action="sheet_accept", subject=world.sheet)
    with protection_lifted():
        AuditEvent.objects.filter(pk=old.pk).update(at=timezone.now() - dt.timedelta(days=10))
    client = signed_in("audit_administrator")

    def search(**filters: str) -> list[str]:
        events = client.get(reverse("audit"), filters).context["events"]
        return [row.event.action for row in events if row.event.action.startswith("sheet_")]

    today = timezone.localdate().isoformat()
    reviewer = people["reviewer"].username
    assert search(subject=f"submission {world.sheet.pk}") == ["sheet_return", "sheet_accept"]
    assert search(subject=str(world.sheet.pk), since=today) == ["sheet_return"]
    assert search(until=(timezone.localdate() - dt.timedelta(days=1)).isoformat()) == ["sheet_accept"]
    assert search(actor=reviewer, action="sheet_accept") == ["sheet_accept"]
    assert search(actor="nobody at all") == []
    assert search(outcome="no") == []
    searches = AuditEvent.objects.filter(action="audit_searched", actor_id=people["audit_administrator"].pk)
    assert searches.count() == 6
    assert searches.filter(details__filters__actor=reviewer).count() == 1


def test_audit_search_refuses_an_end_before_the_start(signed_in: Any) -> None:
    dates = {"since": "2026-02-02", "until": "2026-02-01"}
    answer = signed_in("audit_administrator").get(reverse("audit"), dates)
    assert answer.status_code == 422 and b"error-summary" in answer.content
