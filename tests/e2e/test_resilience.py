"""Nothing typed is lost: no network, an ended session, a closed tab, another person at the same computer."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import PASSWORD

USER, SECTION, ITEM, OTHER = "cat09", "P", "P01", "P02"
SAVED = ("data-state", "saved")
PATIENCE = 20_000  # milliseconds: the tests assert that no entry is lost, not how soon it is saved


@pytest.fixture
def sheet(plans: dict[str, Any]) -> int:
    """The sheet that these tests type in."""
    return int(plans[USER]["sheet"])


@pytest.fixture
def person(visit: Any, sheet: int) -> Any:
    """Somebody with the section open; failures of the network are what is played here."""
    person = visit(USER)
    person.tolerate("Failed to load resource", "ERR_INTERNET_DISCONNECTED", "status of 4")
    person.open_section(sheet, SECTION)
    if not person.page.locator(f"#cell-{ITEM}").count():  # not started yet
        person.go(f"/sheets/{sheet}/")
        person.page.locator(f'form[action="/sheets/{sheet}/start/"] button').first.click()
        person.page.wait_for_load_state()
        person.open_section(sheet, SECTION)
    return person


def test_a_lost_network_keeps_the_entries_and_sends_them_when_it_is_back(person: Any, sheet: int) -> None:
    page = person.page
    person.context.set_offline(True)
    person.type_answer(ITEM, {"value": "811"})
    expect(page.locator("#sheet-state")).to_have_attribute("data-state", "retry")
    expect(person.cell(ITEM).locator(".cell-state")).to_have_attribute("data-state", "retry")
    expect(page.locator("#sheet-alert [role=alert]")).to_be_visible()
    person.page.locator('.sheet-actions button[value="next"]').click()
    page.wait_for_timeout(300)
    assert page.url.endswith(f"/sections/{SECTION}/")  # a button without a network leads nowhere
    expect(page.locator(f"#cell-{ITEM}")).to_have_value("811")

    person.context.set_offline(False)
    expect(page.locator("#sheet-state")).to_have_attribute(*SAVED, timeout=PATIENCE)
    expect(page.locator("#live")).not_to_be_empty()  # and it is announced to screen readers
    expect(page.locator("#sheet-alert")).to_be_empty()
    person.open_section(sheet, SECTION)
    expect(page.locator(f"#cell-{ITEM}")).to_have_value("811")


def test_a_closed_tab_leaves_its_entries_to_the_next_page_of_the_sheet(person: Any, sheet: int) -> None:
    person.context.set_offline(True)
    person.type_answer(ITEM, {"value": "822"})
    expect(person.page.locator("#sheet-state")).to_have_attribute("data-state", "retry")
    person.page.close(run_before_unload=False)
    person.context.set_offline(False)
    person.page = person.context.new_page()
    person.watch(person.page)
    with person.page.expect_response(lambda answer: answer.url.endswith(f"/sections/{SECTION}/save/")):
        person.go(f"/sheets/{sheet}/")
    expect(person.page.locator("#outbox")).to_be_empty(timeout=PATIENCE)
    person.open_section(sheet, SECTION)
    expect(person.page.locator(f"#cell-{ITEM}")).to_have_value("822")
    assert person.page.evaluate("Object.keys(localStorage).filter(name => name.startsWith('sheet:'))") == []


def test_an_ended_session_is_renewed_on_top_of_the_page(person: Any, sheet: int) -> None:
    page = person.page
    person.context.clear_cookies(name="sessionid")
    person.type_answer(ITEM, {"value": "833"})
    dialog = page.locator("#sign-in-again")
    expect(dialog).to_be_visible()
    expect(dialog.locator("[name=password]")).to_be_focused()
    dialog.locator("[name=password]").fill("not the password")
    dialog.locator("button.btn-primary").click()
    expect(dialog.locator("[role=alert]")).to_be_visible()
    dialog.locator("[name=password]").fill(PASSWORD)
    dialog.locator("[name=password]").press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#sheet-state")).to_have_attribute(*SAVED, timeout=PATIENCE)
    expect(page.locator(f"#cell-{ITEM}")).to_have_value("833")
    person.type_answer(OTHER, {"value": "44"})
    expect(person.cell(OTHER).locator(".cell-state")).to_have_attribute(*SAVED)
    person.save("hub")  # the form's own token was renewed too
    expect(page.locator("h1")).to_be_visible()
    person.open_section(sheet, SECTION)
    expect(page.locator(f"#cell-{ITEM}")).to_have_value("833")
    expect(page.locator(f"#cell-{OTHER}")).to_have_value("44")


def test_a_page_of_one_person_is_not_saved_by_another(person: Any, stack: Any, sheet: int) -> None:
    page = person.page
    before = page.locator(f"#cell-{ITEM}").input_value()
    page.evaluate("document.querySelector('form[data-sheet]').dataset.user = '1'")
    person.type_answer(ITEM, {"value": "999"})
    expect(page.locator("#sheet-state")).to_have_attribute("data-state", "refused")
    expect(page.locator("#sheet-alert .notice")).to_contain_text("已有其他人登录")
    page.evaluate("localStorage.clear()")
    person.open_section(sheet, SECTION)
    expect(page.locator(f"#cell-{ITEM}")).to_have_value(before)


def test_only_the_cell_that_is_refused_stays_behind_and_blocks_the_filing(person: Any, sheet: int) -> None:
    page = person.page
    person.tolerate("status of 4", "status of 5", "net::ERR")
    posts: list[str] = []

    def answer(route: Any) -> None:
        body = route.request.post_data or ""
        posts.append(body)
        if len(posts) == 1:
            route.fulfill(status=503, headers={"Retry-After": "15"}, body="")  # a crash: sent again
        elif f"cell={OTHER}" in body:
            route.fulfill(status=400, body="")
        else:
            route.continue_()

    page.route("**/save/", answer)
    page.locator(f"#cell-{ITEM}").fill("844")
    page.locator(f"#cell-{OTHER}").fill("45")
    expect(person.cell(ITEM).locator(".cell-state")).to_have_attribute(*SAVED, timeout=PATIENCE)
    expect(person.cell(OTHER).locator(".cell-state")).to_have_attribute("data-state", "refused")
    assert len(posts) >= 3  # failed, refused together, and one by one
    page.unroute("**/save/")

    page.route("**/save/", lambda route: route.fulfill(status=503, body=""))
    person.go(f"/sheets/{sheet}/submit/")
    form = page.locator("form[data-filing]")
    if form.count():
        form.evaluate("form => form.requestSubmit()")
        expect(page.locator("#outbox [role=alert]")).to_be_visible()
        assert page.url.endswith("/submit/")
    page.unroute("**/save/")
    person.open_section(sheet, SECTION)
    expect(page.locator("#sheet-state")).to_have_attribute(*SAVED, timeout=PATIENCE)  # kept, sent once more
    person.open_section(sheet, SECTION)
    expect(page.locator(f"#cell-{ITEM}")).to_have_value("844")
    expect(page.locator(f"#cell-{OTHER}")).to_have_value("45")
    person.errors[:] = [error for error in person.errors if ": 503 " not in error]  # those of this test
