"""A colleague without an account fills one section by a link; what they type reaches the sheet and nothing else does."""

from typing import Any

from playwright.sync_api import expect

from tests.e2e.accessible import faults, too_wide

USER, SECTION, ITEM = "cat05", "P", "P01"


def test_a_guest_fills_the_section_of_the_link(visit: Any, plans: dict[str, Any], stack: Any) -> None:
    sheet = plans[USER]["sheet"]
    person = visit(USER, language="en")
    person.go(f"/sheets/{sheet}/")
    start = person.page.locator(f'form[action="/sheets/{sheet}/start/"] button')
    if start.count():
        start.first.click()
        person.page.wait_for_load_state()
    person.go(f"/sheets/{sheet}/share/")
    assert faults(person.page) == []
    person.page.fill("[name=name]", "Guest of the server room")
    person.page.fill("[name=email]", "guest@example.org")
    person.page.check(f'[name=sections][value="{SECTION}"]')
    person.page.locator("main form .btn-primary").click()
    link = person.page.locator("#share-link").input_value()
    assert link.startswith(stack.url)

    guest = visit("", language="en", width=390)
    guest.go(link.removeprefix(stack.url))
    assert "open" not in guest.page.url  # the secret has left the address bar
    assert faults(guest.page) + too_wide(guest.page) == []
    guest.page.locator(".hub-link").click()
    guest.page.wait_for_load_state()
    assert faults(guest.page) + too_wide(guest.page) == []
    guest.type_answer(ITEM, {"value": "555"})
    expect(guest.page.locator("#sheet-state")).to_have_attribute("data-state", "saved")
    assert guest.go(f"/sheets/{sheet}/").url.endswith(f"/sign-in/?next=/sheets/{sheet}/")

    person.open_section(sheet, SECTION)
    expect(person.page.locator(f"#cell-{ITEM}")).to_have_value("555")
    person.go(f"/sheets/{sheet}/share/")
    person.page.locator('form[action*="/withdraw/"] button').first.click()
    person.page.wait_for_load_state()
    guest.go(link.removeprefix(stack.url))
    expect(guest.page.locator("h1")).to_have_text("This invitation has ended")
