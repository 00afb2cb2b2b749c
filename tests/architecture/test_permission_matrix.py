"""Every URL x every role x inside and outside one's scope.

The expectation for the role comes from the mark on the view (``@requires`` and its sisters); the
expectation for the row from the table ROWS below. A URL that stands in neither fails the test.
"""

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from survey.access.decorators import access_of, opens
from survey.access.roles import Role
from survey.submissions.states import State
from tests.factories import World, make_sheet, make_unit

ROLES = [role.value for role in Role]
# How to fill a URL's arguments: from the world, inside and outside of Jiangsu.
ARGUMENTS: dict[str, tuple[str, str]] = {
    "sheet": ("sheet.pk", "outside_sheet.pk"),
    "filed": ("filed.pk", "outside_filed.pk"),
    "assignment": ("sheet.assignment.pk", "outside_sheet.assignment.pk"),
}
# URL name -> what its ``pk`` is. Names that are missing here have no row of a unit behind them.
ROWS = {
    "sheet_hub": "sheet", "sheet_section": "sheet", "sheet_findings": "sheet", "sheet_summary": "sheet",
    "sheet_print": "sheet", "review_sheet": "filed", "unit_detail": "assignment",
}  # fmt: skip
SAMPLE = {"code": "P", "section": "P", "item": "P01", "year": "2025", "number": "1", "category": "CAT12"}


@pytest.fixture
def world(world: World) -> World:
    """The small world with a filed sheet inside and outside, for the pages that only show those."""
    for name, region in (("filed", "320000"), ("outside_filed", "330000")):
        sheet = make_sheet(make_unit("CAT13", region), State.NATIONAL_REVIEW)
        setattr(world, name, sheet)
    return world


def named_patterns() -> list[tuple[str, Any]]:
    """(name, callback) of every URL of the site."""
    found: list[tuple[str, Any]] = []

    def walk(patterns: list[URLPattern | URLResolver]) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns)
            else:
                found.append((pattern.name or "", pattern.callback))

    walk(get_resolver().url_patterns)
    return found


def test_every_url_has_a_name_and_an_access_mark() -> None:
    patterns = named_patterns()
    assert len(patterns) > 20
    assert [name or str(view) for name, view in patterns if not name or access_of(view) is None] == []


def follow(world: World, path: str) -> Any:
    """``sheet.pk`` of the world."""
    value: Any = world
    for part in path.split("."):
        value = getattr(value, part)
    return value


def address(name: str, world: World, *, inside: bool) -> str | None:
    """The URL of a name for a row inside or outside, or None when this test cannot fill it."""
    kind = ROWS.get(name)
    if kind is None:
        return None
    pk = follow(world, ARGUMENTS[kind][0 if inside else 1])
    possibilities = get_resolver().reverse_dict.getlist(name)
    wanted = possibilities[0][0][0][1]
    values = [pk if key in {"pk", "sheet_id", "unit_id"} else SAMPLE.get(key, "1") for key in wanted]
    return reverse(name, kwargs=dict(zip(wanted, values, strict=True)))


@pytest.mark.parametrize("name", sorted(ROWS))
@pytest.mark.parametrize("role", ROLES)
def test_outside_is_not_found_for_everybody_but_the_nation(world: World, role: str, name: str) -> None:
    user = world.users[role]
    client = Client()
    client.force_login(user)
    view = dict(named_patterns())[name]
    allowed = opens(view, user)
    inside, outside = (client.get(address(name, world, inside=here) or "") for here in (True, False))
    national = role not in {Role.RESPONDENT, Role.PROVINCIAL_ADMINISTRATOR}
    if not allowed:
        assert {inside.status_code, outside.status_code} == {404}
    else:
        assert inside.status_code in {200, 302}
        assert outside.status_code == (inside.status_code if national else 404)


def test_strangers_are_sent_to_the_front_door(world: World) -> None:
    for name, view in named_patterns():
        url = address(name, world, inside=True)
        if url is None or access_of(view) == "public":
            continue
        answer = Client().get(url)
        assert answer.status_code == 302, name
        assert "sign-in" in answer.url or "sign_in" in answer.url, name
