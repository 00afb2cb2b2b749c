"""Public pages from memory: their headers, the names and the scheme that they obey, how long a proxy keeps them."""

from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from config.web.headers import security_headers
from tests.estimation.public.conftest import Publish


def test_pages_from_memory_have_them_and_may_be_shown_elsewhere(publish: Publish) -> None:
    publish()
    first, kept = (Client().get("/zh/2025/") for _time in range(2))
    expected = security_headers() | {"Cross-Origin-Resource-Policy": "cross-origin"}
    for answer in (first, kept):
        assert {name: answer.headers.get(name) for name in expected} == expected


def test_pages_from_memory_are_not_for_another_name(publish: Publish, caplog: Any) -> None:
    publish()
    assert Client().get("/zh/2025/").status_code == 200
    refused = Client().get("/zh/2025/", headers={"host": "evil.example"})
    assert refused.status_code == 400
    assert "52.26" not in refused.content.decode()


def test_pages_from_memory_are_redirected_to_https(publish: Publish) -> None:
    publish()
    assert Client().get("/zh/2025/").status_code == 200
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(configured, "SECURE_SSL_REDIRECT", True)
        answer = Client().get("/zh/2025/?sort=0")
        assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/zh/2025/?sort=0")
        assert Client().get("/zh/2025/", secure=True).status_code == 200
        assert Client().get("/health/").status_code == 200  # probes ask without TLS


def test_a_proxy_may_keep_a_page_no_longer_than_a_process(publish: Publish, settings: Any) -> None:
    settings.PUBLIC_FRESH_SECONDS = 3.0
    publish()
    assert Client().get("/zh/2025/").headers["X-Accel-Expires"] == "3"
