"""Characters that cannot be stored, character sets other than UTF-8, and JSON bodies that cannot be written again."""

from typing import Any

import pytest
from django.urls import reverse

from config.characters import CharsetGuard, names_another_charset
from tests.factories import make_sheet

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["utf-8", '"UTF-8"', "utf8"])
def test_utf_8_passes(name: str) -> None:
    assert not names_another_charset(f"application/json; charset={name}")
    assert not names_another_charset("multipart/form-data; boundary=x")


@pytest.mark.parametrize(
    "kind", ["a/b; charset=base64", "a/b;CHARSET=utf-16", "a/b; charset*=x''y", "a/b; charset=\x00"]
)
def test_another_charset_is_refused_before_django_reads_it(kind: str) -> None:
    answers: list[Any] = []
    guard = CharsetGuard(lambda environ, start_response: pytest.fail("reached Django"))
    (body,) = guard({"CONTENT_TYPE": kind}, lambda *answer: answers.append(answer))
    assert answers[0][0].startswith("415 ") and b'"status": 415' in body


def test_nul_in_a_form_is_refused(client: Any, world: Any) -> None:
    client.force_login(world.users["reviewer"])
    for name, value in (("text", "a\x00b"), ("a\x00b", "text")):
        assert client.post(reverse("notices"), {name: value}).status_code == 400
    assert client.get("/api/v1/releases/?a=%00").headers["Content-Type"] == "application/problem+json"


BODIES = {
    '{"answers": {"P01": {"value": "a\\u0000b"}}}': "answers.P01.value",
    '{"answers": {"P01": ["\\ud800"]}}': "answers.P01.0",
    '{"answers": {"\\ud800": 1}}': "answers",
    '{"answers": {"\\ud800": {"x": "\\ud800"}}}': "answers",  # the place is written without the surrogate
    '{"answers": {"P01": {"value": 1e400}}}': "answers.P01.value",
    f'{{"answers": {{"P01": {10**80}}}}}': "answers.P01",
    '{"answers": {"P01": ' + "[" * 60 + "]" * 60 + "}}": "answers.P01",
    "[" * 100_000: "",
    "NaN": "",
    "1" * 5_000: "",
}


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_json_that_cannot_be_stored_is_refused_with_its_place(client: Any, world: Any, body: str) -> None:
    row = make_sheet(world.unit)
    client.force_login(world.users["respondent"])
    answer = client.generic(
        "PATCH",
        reverse("api_sheet_answers", args=[row.pk]),
        body,
        content_type="application/json",
        headers={"If-Match": f'"{row.revision}"'},
    )
    assert answer.status_code == 400, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    places = list((answer.json().get("errors") or {}).keys())
    assert not BODIES[body] or any(place.startswith(BODIES[body]) for place in places), places
