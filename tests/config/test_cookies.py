"""Cookies of a site behind HTTPS belong to this host alone; a sign-out takes the pages of the session along."""

import json
import os

import pytest
from django.test import Client
from django.urls import reverse

from tests.architecture.test_production import PRODUCTION, manage

NAMES = """
import json
from django.conf import settings
from survey.access.guessing import services
from config.cookies import PrefixedCookieStorage
print(json.dumps([
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME,
    PrefixedCookieStorage.cookie_name, services.COOKIE,
    settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.LANGUAGE_COOKIE_SECURE,
    settings.SESSION_COOKIE_PATH, settings.SESSION_COOKIE_DOMAIN,
]))
"""


@pytest.mark.parametrize(("https", "prefix"), [("1", "__Host-"), ("0", "")])
def test_names_have_the_prefix_for_one_host_over_https(https: str, prefix: str) -> None:
    environment = {**PRODUCTION, "DATABASE_URL": os.environ["DATABASE_URL"], "HTTPS": https}
    done = manage("shell", "--no-imports", "-c", NAMES, **environment)
    *names, session, token, language, path, domain = json.loads(done.stdout)
    assert names == [
        f"{prefix}{name}"
        for name in ("sessionid", "csrftoken", "django_language", "messages", "known_device")
    ]
    assert [session, token, language] == [https == "1"] * 3
    assert (path, domain) == ("/", None)


@pytest.mark.django_db
def test_signing_out_clears_what_the_browser_has_stored_of_the_pages(world, client: Client) -> None:
    client.force_login(world.users["respondent"])
    answer = client.post(reverse("sign_out"))
    assert answer.status_code == 302
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert "sessionid" not in client.cookies or not client.cookies["sessionid"].value
