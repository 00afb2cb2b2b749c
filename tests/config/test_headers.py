"""Headers of every answer, the address of the client, the policy of uploaded files."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config.web import forwarded
from config.web.headers import SANDBOX, security_headers
from survey.access.middleware import address_of

PLACES = (
    "/health/",
    "/health/nothing/",
    "/sign-in/",
    "/nothing/",
    "/robots.txt",
    "/favicon.ico",
    "/static/no.css",
    "/static/survey/icon.svg",
)


@pytest.mark.django_db
@pytest.mark.parametrize("path", PLACES)
def test_every_answer_has_the_headers(path: str) -> None:
    answer = Client().get(path)
    expected = security_headers()
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert len(answer.headers["Permissions-Policy"]) < 1000
    kind = answer.headers.get("Content-Type", "")
    assert "charset=utf-8" in kind.lower() or not kind.startswith(("text/", "image/svg"))


@pytest.mark.django_db
@pytest.mark.parametrize("path", PLACES)
def test_every_answer_over_https_has_strict_transport_security(path: str, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    answer = Client().get(path, secure=True)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    too_large = Client().post(path, secure=True, CONTENT_LENGTH=str(10**9))
    assert too_large.status_code == 413
    assert "Strict-Transport-Security" in too_large.headers
    assert "Strict-Transport-Security" not in Client().get(path).headers


def test_the_policy_of_uploaded_files_runs_and_loads_nothing() -> None:
    assert set(SANDBOX.split("; ")) == {"default-src 'none'", "frame-ancestors 'none'", "sandbox"}


def client_of(
    remote: str, settings: Any, behind: bool = True, **headers: Any
) -> tuple[str | None, HttpRequest]:
    """What the application takes for the client's address, and the request as it goes on."""
    settings.BEHIND_PROXY, settings.PROXY_ADDRESSES = behind, ["127.0.0.1", "10.1.0.0/16", "::1"]
    request = RequestFactory().get("/", REMOTE_ADDR=remote, **headers)
    forwarded.ForwardedMiddleware(lambda request: HttpResponse())(request)
    return address_of(request), request


FORGED: dict[str, Any] = {
    "HTTP_X_FORWARDED_FOR": "192.0.2.1, 198.51.100.7",
    "HTTP_X_FORWARDED_PROTO": "https",
}


@pytest.mark.parametrize("proxy", ["127.0.0.1", "10.1.2.3", ""])  # "" is a Unix socket
def test_our_own_proxy_says_who_asks(proxy: str, settings: Any) -> None:
    address, request = client_of(proxy, settings, **FORGED)
    assert address == "198.51.100.7"  # the last entry is the proxy's, the first one may be forged
    assert request.META["HTTP_X_FORWARDED_PROTO"] == "https"
    assert "HTTP_X_FORWARDED_FOR" not in request.META


@pytest.mark.parametrize(
    ("remote", "behind"), [("203.0.113.9", True), ("10.2.0.1", True), ("127.0.0.1", False)]
)
def test_nobody_else_is_believed(remote: str, behind: bool, settings: Any) -> None:
    address, request = client_of(remote, settings, behind, **FORGED)
    assert address == remote
    assert not {"HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"} & request.META.keys()


def test_a_proxy_that_says_nothing_or_nonsense_names_nobody(settings: Any) -> None:
    assert client_of("", settings)[0] is None
    assert client_of("", settings, HTTP_X_FORWARDED_FOR="<script>")[0] is None
