"""Truth table of the scope: a grant covers rows that match its role, region, category and unit together."""

from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from survey.access.models import RoleAssignment, User
from survey.access.roles import Permission, Role, permissions_of
from survey.access.scope import may
from survey.frame.models import ReportingUnit
from survey.submissions.models import Submission
from tests.factories import World, make_unit, make_user

REGIONS = ("000000", "320000", "330000")
CATEGORIES = ("CAT11", "CAT12")


@pytest.fixture
def grid(world: World) -> dict[tuple[str, str], ReportingUnit]:
    """One unit for each region x category, reviewed by its own region."""
    return {
        (region, category): make_unit(category, region, review_region_id=region)
        for region, category in product(REGIONS, CATEGORIES)
    }


def fresh(user: User) -> User:
    """The user as the next request sees it."""
    return User.objects.get(pk=user.pk)


def seen(user: User, grid: dict[Any, ReportingUnit], permission: Permission | None = None) -> set[Any]:
    """Keys of the grid that the user sees; ``may`` must give the same result for each row."""
    user = fresh(user)
    visible = set(ReportingUnit.objects.visible_to(user, permission).values_list("pk", flat=True))
    keys = {key for key, unit in grid.items() if unit.pk in visible}
    if permission is not None:
        assert keys == {key for key, unit in grid.items() if may(user, permission, unit)}
    return keys


def below(grant_region: str, region: str) -> bool:
    return grant_region in ("000000", region)


@pytest.mark.parametrize("category", ["", "CAT12"])
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("role", [role for role in Role if role != Role.RESPONDENT])
def test_a_grant_covers_its_region_and_category(grid: Any, role: Role, region: str, category: str) -> None:
    user = make_user(role, region)
    RoleAssignment.objects.filter(user=user).update(category=category)
    inside = {key for key in grid if below(region, key[0]) and category in ("", key[1])}
    for permission in Permission:
        expected = inside if permission in permissions_of(role) else set()
        assert seen(user, grid, permission) == expected
    sees = bool(permissions_of(role) & {Permission.VIEW_SHEETS, Permission.RESPOND})
    assert seen(user, grid) == (inside if sees else set())


def test_respondent_sees_one_unit(grid: Any) -> None:
    own = ("320000", "CAT12")
    user = make_user(Role.RESPONDENT, unit=grid[own])
    assert seen(user, grid) == seen(user, grid, Permission.RESPOND) == {own}
    assert seen(user, grid, Permission.REVIEW) == set()


def test_respondent_of_a_unit_reviewed_by_the_nation_sees_only_it(grid: Any) -> None:
    own = ("000000", "CAT12")
    assert seen(make_user(Role.RESPONDENT, unit=grid[own]), grid) == {own}


def test_parts_of_two_grants_do_not_combine(grid: Any) -> None:
    """Jiangsu for CAT11 and Zhejiang for CAT12 is neither Jiangsu for CAT12 nor Zhejiang for CAT11."""
    user = make_user(Role.PROVINCIAL_ADMINISTRATOR, "320000")
    RoleAssignment.objects.filter(user=user).update(category="CAT11")
    RoleAssignment.objects.create(
        user=user, role=Role.PROVINCIAL_ADMINISTRATOR, region_id="330000", category="CAT12"
    )
    assert seen(user, grid, Permission.REVIEW) == {("320000", "CAT11"), ("330000", "CAT12")}


def test_the_role_of_one_grant_does_not_apply_to_the_region_of_another(grid: Any) -> None:
    """Methodologist of the nation and administrator of Jiangsu: reads everywhere, reviews in Jiangsu."""
    user = make_user(Role.METHODOLOGIST)
    RoleAssignment.objects.create(user=user, role=Role.PROVINCIAL_ADMINISTRATOR, region_id="320000")
    assert seen(user, grid, Permission.VIEW_SHEETS) == set(grid)
    assert seen(user, grid, Permission.REVIEW) == {("320000", c) for c in CATEGORIES}


def test_a_grant_for_a_unit_does_not_cover_its_region(grid: Any) -> None:
    """A grant with a unit covers the unit; its region column has no effect."""
    user = make_user(Role.RESPONDENT, unit=grid["320000", "CAT12"])
    RoleAssignment.objects.filter(user=user).update(region_id="000000")
    assert seen(user, grid, Permission.RESPOND) == {("320000", "CAT12")}


def test_an_ended_grant_covers_nothing(grid: Any) -> None:
    user = make_user(Role.REVIEWER)
    grant = user.assignments.get()
    grant.ended_at = grant.granted_at
    grant.save()
    assert seen(user, grid) == seen(user, grid, Permission.REVIEW) == set()


def test_anonymous_users_and_closed_accounts_see_nothing(grid: Any) -> None:
    unit = next(iter(grid.values()))
    assert not ReportingUnit.objects.visible_to(AnonymousUser()).exists()
    assert not may(AnonymousUser(), Permission.REVIEW, unit)
    user = make_user(Role.REVIEWER)
    user.is_active = False
    user.save()
    assert seen(user, grid) == set()
    assert not may(user, Permission.REVIEW, unit)


def test_a_region_code_with_the_same_prefix_is_not_covered(world: World, grid: Any) -> None:
    from survey.access.models import Region

    Region.objects.create(code="32000", name_zh="甲", name_en="A", level=1, path="000000/32000/")
    user = make_user(Role.PROVINCIAL_ADMINISTRATOR, "32000")
    assert seen(user, grid, Permission.REVIEW) == set()


def test_sheets_are_visible_with_their_unit(world: World) -> None:
    def pks(role: str) -> set[int]:
        return set(Submission.objects.visible_to(world.users[role]).values_list("pk", flat=True))

    assert pks("respondent") == {world.sheet.pk}
    assert world.outside_sheet.pk not in pks("provincial_administrator")
    assert world.national_sheet.pk not in pks("provincial_administrator")
    assert {world.sheet.pk, world.outside_sheet.pk, world.national_sheet.pk} <= pks("reviewer")
    assert pks("designer") == pks("system_administrator") == set()


def test_two_grants_for_a_row_do_not_duplicate_it(world: World) -> None:
    user = world.users["reviewer"]
    RoleAssignment.objects.create(user=user, role=Role.METHODOLOGIST, region_id="000000")
    rows = Submission.objects.visible_to(fresh(user))
    assert rows.count() == len({row.pk for row in rows})
