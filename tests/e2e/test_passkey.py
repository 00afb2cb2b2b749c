"""A passkey in a real browser with a virtual authenticator: made, used instead of a password, used after one, removed."""

from typing import Any

from playwright.sync_api import Browser, expect

from tests.e2e.stack import Stack
from tests.e2e.visitor import PASSWORD, Visitor

ACCOUNT = "auditor"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_passkey_is_made_used_and_removed(browser: Browser, stack: Stack) -> None:
    context = browser.new_context()
    # A passkey belongs to a name; an address without one has none.
    person = Visitor(context, stack.url.replace("127.0.0.1", "localhost"), "en")
    session = context.new_cdp_session(person.page)
    session.send("WebAuthn.enable")
    made: Any = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    person.sign_in(ACCOUNT)
    person.go("/second-factor/setup/")
    person.page.click("main a[href='/second-factor/passkeys/new/']")
    person.page.fill("[name=name]", "Laptop")
    person.page.click("#passkey-add")
    expect(person.page.locator("main code")).to_have_count(10)
    kept: Any = session.send("WebAuthn.getCredentials", {"authenticatorId": made["authenticatorId"]})
    assert [credential["isResidentCredential"] for credential in kept["credentials"]] == [True]

    sign_out(person)
    person.page.click("#passkey-sign-in")
    expect(person.page.locator(".account-menu")).to_have_count(1)

    sign_out(person)
    person.page.fill("input[name=username]", ACCOUNT)
    person.page.fill("input[name=password]", PASSWORD)
    person.page.click("main form .btn-primary")
    expect(person.page.locator(".account-menu")).to_have_count(0)
    person.page.click("#passkey-check")
    expect(person.page.locator(".account-menu")).to_have_count(1)

    person.go("/second-factor/setup/")
    person.page.click("main a[href$='/remove/']")
    person.page.click("main .btn-outline-danger")
    sign_out(person)
    person.sign_in(ACCOUNT)  # the password suffices again
    assert person.errors == []
    context.close()


def sign_out(person: Visitor) -> None:
    """Through the menu of the account."""
    person.page.locator(".account-menu summary").click()
    person.page.locator("form[action='/sign-out/'] button").click()
    expect(person.page.locator("input[name=password]")).to_be_visible()
