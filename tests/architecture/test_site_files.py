"""Files that browsers and crawlers request by themselves are served without a session."""

import struct
from pathlib import Path
from urllib.robotparser import RobotFileParser

import pytest
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.test import Client

from config.site_files import ICON

BY_CONVENTION = ["/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png"]


@pytest.mark.parametrize("address", BY_CONVENTION)
def test_an_icon_is_there_for_documents_that_name_none(address: str) -> None:
    # No database fixture: the answer costs no query, so it is there during an outage, too.
    answer = Client().get(address)
    assert (answer.status_code, answer["Location"]) == (302, static(ICON))
    assert set(answer.headers["Cache-Control"].split(", ")) == {"public", "max-age=86400"}
    assert Client().post(address).status_code == 405


def test_the_icon_is_a_square_png_of_the_size_that_devices_ask_for() -> None:
    content = Path(str(finders.find(ICON))).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (180, 180)


def test_crawlers_may_read_the_public_site_and_nothing_else() -> None:
    answer = Client().get("/robots.txt")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    rules = RobotFileParser()
    rules.parse(answer.text.splitlines())
    allowed = ("/zh/", "/en/2025/tables/T2/", "/static/survey/app.css")
    refused = ("/", "/sheets/1/", "/estimation/runs/", "/api/v1/releases/", "/sign-in/")
    assert [path for path in allowed if not rules.can_fetch("*", path)] == []
    assert [path for path in refused if rules.can_fetch("*", path)] == []
