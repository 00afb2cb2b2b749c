"""The field of a long code list: search by pinyin, name and code with the keyboard, refusals, and without script."""

from typing import Any

import pytest
from playwright.sync_api import expect

USER, SECTION, ITEM = "cat02", "B", "B04"
COMPOSE = """input => {
  input.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
  input.value = "nanj";
  input.dispatchEvent(new InputEvent("input", {bubbles: true, isComposing: true}));
}"""


@pytest.fixture
def person(visit: Any, plans: dict[str, Any]) -> Any:
    """A user on the page with the location."""
    person = visit(USER)
    start = person.page.locator(f'form[action="/sheets/{plans[USER]["sheet"]}/start/"] button')
    if start.count():
        start.first.click()
        person.page.wait_for_load_state()
    person.open_section(plans[USER]["sheet"], SECTION)
    return person


def test_an_entry_is_chosen_by_the_initials_of_its_pinyin(person: Any) -> None:
    box, options = person.page.locator(f"#cell-{ITEM}"), person.page.locator(f"#options-{ITEM} [role=option]")
    before = box.input_value()
    box.focus()
    expect(box).to_have_role("combobox")
    box.fill("nj gl")
    expect(options.first).to_contain_text("320106 江苏省南京市鼓楼区")
    expect(box).to_have_attribute("aria-expanded", "true")
    person.page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", f"options-{ITEM}-0")
    person.page.keyboard.press("Enter")
    expect(box).to_have_value("320106 江苏省南京市鼓楼区")
    expect(box).to_have_attribute("aria-expanded", "false")
    person.wait_saved()
    person.page.reload()
    expect(box).to_have_value("320106 江苏省南京市鼓楼区")
    box.fill(before)
    box.blur()
    person.wait_saved()


def test_escape_closes_the_list_and_nothing_is_saved_meanwhile(person: Any) -> None:
    box, entries = person.page.locator(f"#cell-{ITEM}"), person.page.locator(f"#options-{ITEM}")
    before = box.input_value()
    saves: list[str] = []
    person.page.on("request", lambda request: saves.append(request.url) if "/save/" in request.url else None)
    box.focus()
    box.fill("苏州")
    expect(entries).to_be_visible()
    person.page.keyboard.press("ArrowUp")
    expect(entries.locator("[aria-selected=true]")).to_have_count(1)
    person.page.keyboard.press("Escape")
    expect(entries).to_be_hidden()
    expect(box).to_be_focused()
    person.page.wait_for_timeout(1500)
    assert saves == []
    box.fill(before)
    box.blur()


def test_an_input_method_is_not_disturbed(person: Any) -> None:
    box, entries = person.page.locator(f"#cell-{ITEM}"), person.page.locator(f"#options-{ITEM}")
    box.focus()
    box.evaluate(COMPOSE)
    person.page.wait_for_timeout(600)
    expect(entries).to_be_hidden()
    box.dispatch_event("compositionend")
    expect(entries).to_be_visible()


def test_a_name_of_several_places_is_answered_with_them(person: Any) -> None:
    box = person.page.locator(f"#cell-{ITEM}")
    before = box.input_value()
    person.tolerate("422")
    box.focus()
    box.fill("吉林")
    box.blur()
    expect(person.page.locator(f"#row-{ITEM}")).to_contain_text("220200 吉林省吉林市")
    box.fill("329999")
    box.blur()
    expect(person.page.locator(f"#row-{ITEM}")).to_contain_text("“329999”不在代码表内")
    box.fill(before)
    box.blur()
    person.wait_saved()


def test_without_script_a_name_is_enough(visit: Any, plans: dict[str, Any]) -> None:
    person = visit(USER, java_script_enabled=False)
    person.tolerate("422")
    person.open_section(plans[USER]["sheet"], SECTION)
    box = person.page.locator(f"#cell-{ITEM}")
    before = box.input_value()
    for text, result in (("南京", "320100 江苏省南京市"), (before, before)):
        box.fill(text)
        box.press("Enter")
        person.open_section(plans[USER]["sheet"], SECTION)
        expect(box).to_have_value(result)
    box.fill("鼓楼区")
    box.press("Enter")
    expect(person.page.locator(f"#list-{ITEM} option")).to_have_count(4)
    box.fill(before)
    box.press("Enter")
