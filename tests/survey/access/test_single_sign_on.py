"""Single sign-on against a provider that runs in a process of its own: discovery, code, proof key, tokens, claims."""

import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client
from django.urls import reverse

from config import single_sign_on
from config.environment import Environment
from survey.access.models import User
from survey.access.single_sign_on.adapters import CheckedAdapter
from survey.audit import AuditEvent
from tests.architecture.test_layout import ROOT
from tests.factories import World, make_unit, make_user
from tests.survey.access.oidc_provider import CHANGED, SIGNED_OTHERWISE


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.survey.access.oidc_provider", str(port)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    for _attempt in range(300):
        try:
            urllib.request.urlopen(f"{url}/.well-known/openid-configuration", timeout=2)
            break
        except OSError:
            time.sleep(0.1)
    yield url
    process.kill()
    process.wait()


@pytest.fixture(autouse=True)
def providers(server: str, settings: Any, world: World) -> None:
    settings.SINGLE_SIGN_ON = {
        kind: {
            "kind": kind,
            "name": "统一认证",
            "server_url": server,
            "issuer": server,
            "client_id": f"survey-{kind}",
            "secret": "secret",
            "subject_claim": "sub",
            "account_claim": "preferred_username",
        }
        for kind in single_sign_on.KINDS
    }
    apps = [single_sign_on.app_of(provider) for provider in settings.SINGLE_SIGN_ON.values()]
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": apps}}


def identity(server: str, subject: str, **claims: Any) -> None:
    """Make a person known to the provider."""
    body = json.dumps(claims).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{server}/users/{subject}", body, headers, method="PUT")
    urllib.request.urlopen(request, timeout=5)


def forge(server: str, way: str) -> None:
    """Let the provider change its next ID token."""
    request = urllib.request.Request(f"{server}/forge", way.encode(), method="PUT")
    urllib.request.urlopen(request, timeout=5)


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """Leave a redirect as it is."""


def choose(url: str, subject: str, **more: str) -> str:
    """What the browser is sent back with after the person has signed in at the provider."""
    body = urlencode({"sub": subject, **more}).encode()
    try:
        urllib.request.build_opener(Stay).open(url, body, timeout=5)
    except urllib.error.HTTPError as answer:
        return str(answer.headers["Location"])
    raise AssertionError("the provider did not redirect")


def sign_in(client: Client, subject: str, kind: str = "staff", **more: str) -> Any:
    begun = client.post(reverse("openid_connect_login", args=[kind]), {"next": "/notice/"})
    assert begun.status_code == 302
    query = parse_qs(urlsplit(begun["Location"]).query)
    assert query["code_challenge_method"] == ["S256"] and query["response_type"] == ["code"]
    assert len(query["code_challenge"][0]) == len(query["nonce"][0]) == 43
    returned = urlsplit(choose(begun["Location"], subject, **more))
    return client.get(f"{returned.path}?{returned.query}")


def is_signed_in(client: Client, user: User) -> bool:
    return client.session.get("_auth_user_id") == str(user.pk)


def test_the_first_time_ties_the_identity_to_the_account_that_its_claim_names(
    client: Client, server: str
) -> None:
    user = make_user("reviewer", username="zhang.san")
    identity(server, "a1", preferred_username="zhang.san", email="zhang@example.org", name="张三")
    assert sign_in(client, "a1").url == "/notice/"
    assert is_signed_in(client, user)
    kept = SocialAccount.objects.get()
    assert (kept.user_id, kept.provider, kept.uid, kept.extra_data) == (user.pk, "staff", "a1", {})
    assert not SocialToken.objects.exists()
    assert AuditEvent.objects.filter(action="identity_linked", actor_id=user.pk).count() == 1
    row = AuditEvent.objects.get(action="sign_in", actor_id=user.pk, succeeded=True)
    assert row.details == {"kind": "staff"}


def test_signing_out_goes_on_to_the_provider_and_back(client: Client, server: str) -> None:
    make_user("reviewer", username="sun.qi")
    identity(server, "so1", preferred_username="sun.qi")
    sign_in(client, "so1")
    left = client.post(reverse("sign_out"))
    assert left["Location"].partition("?")[0] == f"{server}/oauth2/end_session"
    query = parse_qs(urlsplit(left["Location"]).query)
    assert query == {
        "client_id": ["survey-staff"],
        "post_logout_redirect_uri": ["http://testserver/sign-in/"],
    }
    assert left["Clear-Site-Data"] == '"cache"' and "_auth_user_id" not in client.session
    # Without a provider, and again after having left, the page of sign-in is ours.
    assert client.post(reverse("sign_out"))["Location"] == reverse("sign_in")
    client.force_login(make_user("publisher"))
    assert client.post(reverse("sign_out"))["Location"] == reverse("sign_in")


def test_the_provider_cannot_send_people_elsewhere_to_sign_out(
    client: Client, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user("reviewer", username="zhou.ba")
    identity(server, "so2", preferred_username="zhou.ba")
    known: Any = CheckedAdapter.openid_config.fget  # type: ignore[attr-defined]  # the plugin does not see the property
    monkeypatch.setattr(
        CheckedAdapter,
        "openid_config",
        property(lambda self: {**known(self), "end_session_endpoint": "https://elsewhere.example/out"}),
    )
    sign_in(client, "so2")
    assert client.post(reverse("sign_out"))["Location"] == reverse("sign_in")


def test_afterwards_the_subject_counts_and_not_the_name(client: Client, server: str) -> None:
    user = make_user("reviewer", username="li.si")
    other = make_user("publisher", username="wang.wu")
    identity(server, "b1", preferred_username="li.si")
    sign_in(client, "b1")
    identity(server, "b1", preferred_username="wang.wu")
    again = Client()
    sign_in(again, "b1")
    assert is_signed_in(again, user) and not is_signed_in(again, other)
    # A second person who is given the name does not come into the account.
    identity(server, "b2", preferred_username="li.si")
    second = Client()
    assert sign_in(second, "b2").url == reverse("sign_in")
    assert "_auth_user_id" not in second.session


def test_nobody_gets_an_account_or_a_role_from_outside(client: Client, server: str) -> None:
    users, granted = User.objects.count(), AuditEvent.objects.filter(action="role_granted").count()
    identity(
        server, "c1", preferred_username="nobody.here", roles=["system_administrator"], email="c@example.org"
    )
    refused = sign_in(client, "c1")
    assert refused.url == reverse("sign_in") and "_auth_user_id" not in client.session
    assert User.objects.count() == users and not SocialAccount.objects.exists()
    assert AuditEvent.objects.filter(action="role_granted").count() == granted
    assert AuditEvent.objects.filter(action="sign_in", succeeded=False).count() == 1


@pytest.mark.parametrize(("role", "kind"), [("respondent", "staff"), ("reviewer", "respondent")])
def test_a_provider_signs_in_only_its_kind_of_accounts(
    client: Client, server: str, role: str, kind: str
) -> None:
    unit: dict[str, Any] = {"unit": make_unit()} if role == "respondent" else {}
    user = make_user(role, username=f"other-{role}", **unit)
    identity(server, f"d-{role}", preferred_username=user.username)
    sign_in(client, f"d-{role}", kind)
    assert "_auth_user_id" not in client.session


def test_the_same_subject_at_another_provider_is_somebody_else(client: Client, server: str) -> None:
    member = make_user("reviewer", username="wu.shi")
    filler = make_user("respondent", username="filler-same", unit=make_unit())
    identity(server, "s1", preferred_username="wu.shi")
    sign_in(client, "s1")
    assert is_signed_in(client, member)
    other = Client()
    assert sign_in(other, "s1", "respondent").url == reverse("sign_in")
    assert "_auth_user_id" not in other.session
    identity(server, "s1", preferred_username="filler-same")
    sign_in(other, "s1", "respondent")
    assert is_signed_in(other, filler) and SocialAccount.objects.filter(uid="s1").count() == 2


def test_respondents_sign_in_with_theirs(client: Client, server: str) -> None:
    user = make_user("respondent", username="filler-sso", unit=make_unit())
    identity(server, "e1", preferred_username="filler-sso")
    sign_in(client, "e1", "respondent")
    assert is_signed_in(client, user)


def test_the_second_factor_and_closed_accounts_count_as_ever(
    client: Client, server: str, settings: Any
) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    user = make_user("reviewer", username="zhao.liu")
    TOTP.activate(user, generate_totp_secret())
    identity(server, "f1", preferred_username="zhao.liu")
    assert sign_in(client, "f1").url == reverse("second_factor")
    assert "_auth_user_id" not in client.session
    User.objects.filter(pk=user.pk).update(is_active=False)
    other = Client()
    assert sign_in(other, "f1").url == reverse("sign_in")


def test_a_refusal_a_wrong_state_and_a_wrong_proof_key_sign_in_nobody(client: Client, server: str) -> None:
    make_user("reviewer", username="qian.qi")
    identity(server, "g1", preferred_username="qian.qi")
    assert sign_in(client, "g1", action="deny").url == reverse("sign_in")
    begun = client.post(reverse("openid_connect_login", args=["staff"]))
    returned = urlsplit(choose(begun["Location"], "g1"))
    forged = re.sub(r"state=[^&]+", "state=forged", returned.query)
    assert client.get(f"{returned.path}?{forged}")["Location"] == reverse("sign_in")
    other = urlsplit(choose(re.sub(r"code_challenge=[^&]+", "code_challenge=x", begun["Location"]), "g1"))
    assert client.get(f"{other.path}?{other.query}")["Location"] == reverse("sign_in")
    assert "_auth_user_id" not in client.session


GOOD = ("nothing", "no kid", "two audiences, ours authorised")


@pytest.mark.parametrize("way", GOOD)
def test_a_token_that_the_provider_signs_anew_signs_in(client: Client, server: str, way: str) -> None:
    user = make_user("reviewer", username="sun.ba")
    identity(server, "h1", preferred_username="sun.ba")
    forge(server, way)
    sign_in(client, "h1")
    assert is_signed_in(client, user)


@pytest.mark.parametrize("way", [*(way for way in CHANGED if way not in GOOD), *SIGNED_OTHERWISE])
def test_a_forged_token_signs_in_nobody(client: Client, server: str, way: str) -> None:
    make_user("reviewer", username="zhou.jiu")
    identity(server, "i1", preferred_username="zhou.jiu")
    identity(server, "somebody-else", preferred_username="zhou.jiu")
    forge(server, way)
    assert sign_in(client, "i1").url == reverse("sign_in")
    assert "_auth_user_id" not in client.session and not SocialAccount.objects.exists()
    assert AuditEvent.objects.filter(action="sign_in", succeeded=False).count() == 1


@pytest.mark.parametrize("setting", [True, False, None], ids=["on", "off", "unset"])
def test_every_request_has_a_proof_key_and_a_nonce_of_its_own(
    client: Client, settings: Any, setting: bool | None
) -> None:
    provider = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]
    provider["OAUTH_PKCE_ENABLED"] = setting
    provider["APPS"][0]["settings"]["oauth_pkce_enabled"] = setting
    seen = []
    for _time in range(2):
        asked = "?auth_params=nonce%3Dx%26code_challenge_method%3Dplain%26redirect_uri%3Dhttps://a.example"
        begun = client.post(reverse("openid_connect_login", args=["staff"]) + asked + "&scope=offline_access")
        query = parse_qs(urlsplit(begun["Location"]).query)
        assert query["code_challenge_method"] == ["S256"]
        assert query["redirect_uri"] == ["http://testserver/sign-in/with/staff/callback/"]
        assert set(query["scope"][0].split()) == {"openid", "profile", "email"}
        seen += query["code_challenge"] + query["nonce"]
    assert len(set(seen)) == 4


def test_a_provider_with_another_issuer_is_refused(client: Client, server: str, settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["issuer"] = (
        "https://other.example"
    )
    assert client.post(reverse("openid_connect_login", args=["staff"]))["Location"] == reverse("sign_in")


@pytest.mark.parametrize(
    ("variables", "issuer"),
    [
        ({}, "https://id.example/realm"),
        ({"ISSUER": "https://issuer.example"}, "https://issuer.example"),
        (
            {"SERVER_URL": "https://id.example/realm/.well-known/openid-configuration"},
            "https://id.example/realm",
        ),
    ],
    ids=["address", "setting", "whole address"],
)
def test_the_issuer_is_the_address_unless_a_setting_names_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], issuer: str
) -> None:
    values = {"SERVER_URL": "https://id.example/realm", "CLIENT_ID": "c", "CLIENT_SECRET": "s", **variables}
    for name, value in values.items():
        monkeypatch.setenv(f"OIDC_STAFF_{name}", value)
    app = single_sign_on.app_of(single_sign_on.providers(Environment())["staff"])
    assert app["settings"]["issuer"] == issuer and app["settings"]["oauth_pkce_enabled"] is True


def test_a_provider_that_is_down_or_unknown_is_a_sentence(client: Client, settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = (
        "http://127.0.0.1:9"
    )
    for kind in ("staff", "unknown"):
        answer = client.post(reverse("openid_connect_login", args=[kind]))
        assert answer["Location"] == reverse("sign_in")


def test_the_page_offers_the_providers(client: Client) -> None:
    page = client.get(reverse("sign_in")).content.decode()
    assert page.count("统一认证") == 2 and reverse("openid_connect_login", args=["staff"]) in page
