"""Every URL, requested by every actor, inside and outside the actor's region, reading and writing.

The expected outcome follows from the access rule of the view (``@requires``, ``@signed_in``, ``@public``, or
the ``permission`` of an endpoint) and from ``TABLE``, which says how a URL is filled. A URL without a row fails. A
refused request gives 404 (403 for API clients), leaves one row in the audit trail and changes nothing else;
PostgreSQL counts the written rows, so that a write that is rolled back or changes no value is seen, too.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from survey.access.roles import Role
from tests.architecture.matrix import (
    built_data,
    csrf_violations,
    named_views,
    row_violations,
    table_violations,
    url_name,
)
from tests.architecture.matrix_data import MatrixData
from tests.architecture.matrix_rows import Row, post
from tests.architecture.matrix_table import TABLE

pytestmark = pytest.mark.django_db
VIEWS = named_views()
PLANTED_URLS = "tests.architecture.planted_urls"


@pytest.fixture(scope="module")
def data(django_db_setup: None, django_db_blocker: Any) -> Iterator[MatrixData]:
    """The rows that URLs name, built once inside a transaction that is rolled back at the end."""
    with django_db_blocker.unblock(), built_data() as built:
        yield built


def test_every_url_has_a_name_an_access_rule_and_a_row() -> None:
    assert len(VIEWS) > 70
    assert table_violations(VIEWS, TABLE) == []


def test_every_role_is_an_actor(data: MatrixData) -> None:
    assert {role.value for role in Role} <= {actor.name for actor in data.actors}


@pytest.mark.parametrize("key", TABLE)
def test_responses_follow_the_access_rules(data: MatrixData, key: str) -> None:
    assert row_violations(data, key, TABLE[key], VIEWS[url_name(key)]) == []


def test_no_write_is_accepted_without_a_csrf_token(data: MatrixData) -> None:
    violations = [
        violation
        for key, row in TABLE.items()
        for violation in csrf_violations(data, key, row, VIEWS[url_name(key)])
    ]
    assert violations == []


def test_planted_urls_and_rows_are_reported() -> None:
    views = named_views(PLANTED_URLS)
    planted = {name: Row() for name in views.keys() - VIEWS.keys() if name != "unlisted"}
    assert table_violations(views, {**TABLE, **planted, "removed": Row(), "home:variant": Row()}) == [
        "unnamed planted/unnamed/: the URL has no name",
        "without_access_rule: the view has no access rule",
        "unlisted: no row in TABLE of matrix_table.py",
        "removed: a row without a URL",
    ]


PLANTED = {
    # URL name -> the actors whose responses are wrong, and a part of the violation that is reported.
    "correct": (set(), ""),
    "refuses_a_permitted_role": ({"reviewer"}, "not open: 404"),
    "admits_another_role": ({"respondent", "respondent of a neighbour"}, "audit actions are []"),
    "api_admits_without_session": (
        {"reviewer with a closed account", "anonymous"},
        "an API client without a session got 200",
    ),
    "writes_before_refusing": ({"designer"}, "refused, but wrote"),
    "lists_units_of_every_region": (
        {"provincial_administrator", "administrator of another category"},
        "shows",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
@override_settings(ROOT_URLCONF=PLANTED_URLS)
def test_a_planted_response_is_reported(data: MatrixData, name: str) -> None:
    actors, text = PLANTED[name]
    violations = row_violations(data, name, Row(), named_views()[name])
    responses = [re.match(r"(.+?) (?:GET |POST )?/planted/", violation) for violation in violations]
    assert {response[1] for response in responses if response} == actors
    assert any(text in violation for violation in violations) == bool(actors)


@override_settings(ROOT_URLCONF=PLANTED_URLS)
def test_a_planted_row_that_tests_nothing_is_reported(data: MatrixData) -> None:
    view = named_views()["correct"]
    *_others, violation = row_violations(data, "correct", Row(owner="no actor"), view)
    assert violation == "correct: open to no actor, so that the row tests no permitted request"
    changed = row_violations(data, "exempt_from_csrf", Row(body=post()), named_views()["exempt_from_csrf"])
    assert changed and all("changed nothing: 200" in violation for violation in changed)


@override_settings(ROOT_URLCONF=PLANTED_URLS)
def test_a_planted_view_without_csrf_protection_is_reported(data: MatrixData) -> None:
    name = "exempt_from_csrf"
    (violation,) = csrf_violations(data, name, Row(body=post(), writes=False), named_views()[name])
    assert violation == f"{name}: POST without a CSRF token gave 200, wrote {{}}"
