"""Passkeys without a browser: what anybody may send, what asks for the password again, what cannot be removed.

The way through a browser is in tests/e2e.
"""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from survey.access import sessions
from survey.access.models import User
from tests.factories import World, make_user

PASSWORD = "Rehearsal-2026-ok"


@pytest.fixture
def staff(world: World) -> User:
    return make_user("reviewer", username="staff-one", password=PASSWORD)


@pytest.fixture
def signed_in(client: Client, staff: User) -> Client:
    client.post(reverse("sign_in"), {"username": "staff-one", "password": PASSWORD})
    return client


def wait(client: Client) -> None:
    """A session that began half an hour ago."""
    session = client.session
    session[sessions.STARTED] -= 1800
    session.save()


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "x",
        "{}",
        "[]",
        "1",
        '"x"',
        "null",
        '{"id": 1}',
        '{"response": {"userHandle": "MQ"}, "rawId": "x"}',
    ],
)
@pytest.mark.parametrize("name", ["passkey_sign_in", "passkey_new"])
def test_anything_else_is_refused(signed_in: Client, sent: str, name: str) -> None:
    client = Client() if name == "passkey_sign_in" else signed_in
    options = client.get(reverse("passkey_sign_in"), headers={"Accept": "application/json"})
    assert name == "passkey_new" or options.json()["request_options"]["publicKey"]["challenge"]
    assert client.post(reverse(name), {"credential": sent}).status_code in {200, 302}
    assert not Authenticator.objects.exists()
    assert name == "passkey_new" or "_auth_user_id" not in client.session


def test_the_password_is_asked_for_again_before_a_factor_is_added(signed_in: Client) -> None:
    assert signed_in.get(reverse("passkey_new")).status_code == 200
    wait(signed_in)
    confirm = signed_in.get(reverse("passkey_new"))
    assert (
        confirm["Location"]
        == f"{reverse('account_reauthenticate')}?next=%2Fsecond-factor%2Fpasskeys%2Fnew%2F"
    )
    assert signed_in.post(confirm["Location"], {"password": "wrong"}).status_code == 422
    assert signed_in.get(reverse("passkey_new")).status_code == 302
    before = signed_in.session.session_key
    done = signed_in.post(confirm["Location"], {"password": PASSWORD, "next": reverse("passkey_new")})
    assert done["Location"] == reverse("passkey_new")
    assert signed_in.session.session_key != before and not Session.objects.filter(pk=before).exists()
    assert UserSession.objects.get().session_key == signed_in.session.session_key
    assert signed_in.get(reverse("passkey_new")).status_code == 200


def test_the_only_factor_of_somebody_who_needs_one_stays(
    signed_in: Client, staff: User, settings: Any
) -> None:
    data = json.loads('{"name": "key", "credential": {}}')
    key = Authenticator.objects.create(user=staff, type="webauthn", data=data)
    other = Authenticator.objects.create(user=make_user("publisher"), type="webauthn", data=data)
    assert signed_in.get(reverse("passkey_remove", args=[other.pk])).status_code == 404
    session = signed_in.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": 0}]
    session["account_authentication_methods_user"] = str(staff.pk)
    session.save()
    settings.SECOND_FACTOR_REQUIRED = True
    assert signed_in.post(reverse("passkey_remove", args=[key.pk])).status_code == 302
    assert Authenticator.objects.filter(pk=key.pk).exists()
    settings.SECOND_FACTOR_REQUIRED = False
    signed_in.post(reverse("passkey_remove", args=[key.pk]))
    assert not Authenticator.objects.filter(pk=key.pk).exists()
