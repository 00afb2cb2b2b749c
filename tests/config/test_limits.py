"""Bodies are refused by their length before they are read; every form that takes files has a route of its own."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, reverse

from config.web.limits import MB, WITHOUT_SESSION, refusal, route_of, routes
from config.web.pools import pools

HUGE = str(300 * MB)


class Unread:
    """A body that must not be read."""

    def read(self, *args: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def send(path: str, **environment: Any) -> Any:
    """POST with a body that must not be read."""
    return Client().request(
        REQUEST_METHOD="POST",
        PATH_INFO=path,
        **({"wsgi.input": Unread(), "CONTENT_TYPE": "text/plain"} | environment),
    )


@pytest.mark.parametrize(("language", "heading"), [("zh-hans", "内容过大"), ("en", "This is too large")])
@pytest.mark.parametrize(
    "path", ["/sign-in/", "/frame/", "/sheets/1/evidence/", "/zh/", "/health/", "/nothing/"]
)
def test_a_huge_body_is_refused_unread_in_the_readers_language(
    path: str, language: str, heading: str
) -> None:
    answer = send(path, CONTENT_LENGTH=HUGE, HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 413
    assert heading in answer.content.decode()
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "²"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    assert send("/sign-in/", CONTENT_LENGTH=length).status_code == 411


def test_a_body_without_a_length_is_refused_unread() -> None:
    answer = send("/frame/", HTTP_TRANSFER_ENCODING="chunked", HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 411
    assert "The length of the request is missing" in answer.content.decode()


def test_a_request_without_a_body_passes() -> None:
    assert refusal("/frame/", "", False, False) == refusal("/frame/", "0", False, False) == 0


@pytest.mark.parametrize(
    "route", [route for route in routes() if route.pool == "uploads"], ids=lambda route: route.name
)
def test_who_is_not_signed_in_sends_no_file(route: Any) -> None:
    path = {
        "workbook": "/sheets/1/upload/",
        "evidence": "/units/7/evidence/",
        "frame": "/frame/",
        "external": "/estimation/external/import/",
    }[route.name]
    assert route_of(path) == route
    assert refusal(path, str(route.largest), True, False) == 0
    assert refusal(path, str(route.largest + 1), True, False) == 413
    assert refusal(path, str(WITHOUT_SESSION), False, False) == 0
    assert refusal(path, str(WITHOUT_SESSION + 1), False, False) == 413


def test_the_largest_file_that_a_view_takes_passes_with_its_form() -> None:
    from survey.frame.parsing import LARGEST_FILE as LARGEST_FRAME
    from survey.submissions.workbook.reading import LARGEST_FILE as LARGEST_WORKBOOK

    for path, largest in (
        ("/frame/", LARGEST_FRAME),
        ("/sheets/1/upload/", LARGEST_WORKBOOK),
        ("/sheets/1/evidence/", settings.ATTACHMENT_LARGEST),
    ):
        assert refusal(path, str(largest + 100_000), True, False) == 0


def routes_of_forms(templates: Path) -> set[str]:
    """Names of the routes of all forms that take files: their action, or the page that they stand on."""
    pools = set()
    for path in templates.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for form in re.findall(r"<form[^>]*multipart[^>]*>", text, re.DOTALL):
            action = re.search(r"""\{% url ['"](\w+)['"]""", form)
            name = action[1] if action else PAGES_OF_FORMS[path.relative_to(templates).as_posix()]
            pools.add(route_of(address(name)).pool)
    return pools


PAGES_OF_FORMS = {
    "survey/frame/frame.html": "frame",
    "survey/submissions/workbook/upload.html": "sheet_upload",
    "survey/submissions/evidence/evidence.html": "sheet_evidence",
    "estimation/external/import.html": "external_import",
}


def address(name: str) -> str:
    """A path of a URL name with 1 for every argument."""
    count = max(len(parameters) for _text, parameters in get_resolver().reverse_dict.getlist(name)[0][0])
    return reverse(name, args=[1] * count)


def test_every_form_that_takes_files_has_a_route_for_them(tmp_path: Path) -> None:
    assert routes_of_forms(settings.BASE_DIR / "templates") == {"uploads"}
    planted = tmp_path / "planted.html"
    planted.write_text("""<form enctype="multipart/form-data" action="{% url 'rounds' %}">""")
    assert routes_of_forms(tmp_path) == {"web"}


def test_routes_name_pools_that_exist_and_end_with_every_path() -> None:
    names = {pool.name for pool in pools()}
    assert {route.pool for route in routes()} == names
    assert re.match(routes()[-1].pattern, "/anything/at/all")
    assert [route.name for route in routes() if not route.pattern.startswith("^/")] == []
