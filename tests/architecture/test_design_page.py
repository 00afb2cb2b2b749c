"""The design page exists in debug only, shows every token, and shows the components that the pages include."""

import re
from typing import Any

import pytest
from django.test import RequestFactory, override_settings
from django.urls import NoReverseMatch, reverse

from config import urls
from config.design import design_page, tokens
from tests.architecture.test_layout import ROOT

pytestmark = pytest.mark.django_db


def test_page_is_not_mounted_outside_debug() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("design")
    with override_settings(DEBUG=True):
        assert [str(pattern.pattern) for pattern in urls.in_debug()] == ["design/"]
    assert urls.in_debug() == []


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_page_shows_tokens_and_components(language: str, rf: RequestFactory) -> None:
    from django.contrib.auth.models import AnonymousUser
    from django.utils import translation

    request: Any = rf.get("/design/")
    request.user, request.session = AnonymousUser(), {}
    with translation.override(language):
        answer: Any = design_page(request)
        text = answer.content.decode()
    names = {token.name for token in tokens()}
    assert {"ink", "accent", "good", "warn", "bad", "radius"} <= names
    assert all(f"--{name}" in text for name in names)
    for part in ("btn-primary", "pill-bad", "notice-", "error-summary", "empty", "peer-box", "filters"):
        assert part in text, part


def test_page_includes_every_component() -> None:
    page = (ROOT / "templates/design/index.html").read_text(encoding="utf-8")
    base = (ROOT / "templates/base.html").read_text(encoding="utf-8")
    shown = set(re.findall(r'include "(components/[a-z_]+\.html)"', page + base))
    components = {f"components/{path.name}" for path in (ROOT / "templates/components").glob("*.html")}
    assert components - shown == set()
