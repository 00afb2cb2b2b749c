"""A number and its unit belong together: what the box and the list beside it show is what is stored."""

from typing import Any

import pytest
from playwright.sync_api import expect

USER, SECTION, ITEM = "cat03", "P", "P01"
BOX, PICKER = f"#cell-{ITEM}", f'select[name="{ITEM}.unit"]'


@pytest.fixture
def person(visit: Any, plans: dict[str, Any]) -> Any:
    """Somebody with the section open and the item empty."""
    person = visit(USER)
    person.begin(plans[USER]["sheet"], SECTION)
    person.page.locator(PICKER).select_option("TB")
    person.type_answer(ITEM, None)
    person.wait_saved()
    return person


def shown(person: Any) -> tuple[str, str]:
    """Number and unit on the page."""
    return person.page.locator(BOX).input_value(), person.page.locator(PICKER).input_value()


def stored(person: Any) -> tuple[str, str]:
    """Number and unit after the page was read again."""
    person.wait_saved()
    person.page.reload()
    return shown(person)


@pytest.mark.parametrize("typed", ["84 PB", "84pb", "８４ＰＢ", "84拍字节", "84 P"])
def test_a_unit_in_the_text_moves_to_the_list_when_the_field_is_left(person: Any, typed: str) -> None:
    person.page.locator(BOX).focus()
    person.page.keyboard.insert_text(typed)
    person.page.keyboard.press("Tab")
    assert shown(person) == ("84", "PB")
    assert stored(person) == ("84", "PB")
    person.page.locator(BOX).focus()  # a later bare number keeps the unit that is shown
    person.page.keyboard.press("Control+A")
    person.page.keyboard.type("96")
    person.page.keyboard.press("Tab")
    assert stored(person) == ("96", "PB")


def test_a_draft_with_a_unit_is_stored_as_it_will_be_shown(person: Any) -> None:
    person.page.locator(BOX).focus()
    person.page.keyboard.type("7 PB")
    expect(person.cell(ITEM).locator(".cell-state")).to_have_attribute("data-state", "saved")
    assert shown(person) == ("7 PB", "TB")  # nobody has left the field
    assert stored(person) == ("7", "PB")


def test_a_unit_that_is_chosen_counts_and_says_what_it_did(person: Any) -> None:
    page = person.page
    page.locator(BOX).fill("84 PB")
    page.locator(BOX).blur()
    page.locator(PICKER).select_option("GB")
    note = person.cell(ITEM).locator(".unit-note")
    expect(note).to_contain_text("84 PB")
    expect(note).to_contain_text("84 GB")
    expect(page.locator("#live")).to_contain_text("84 GB")
    person.wait_saved()
    expect(note).to_be_visible()  # the row has been drawn anew
    assert shown(person) == ("84", "GB")

    convert, undo = note.locator("button").nth(1), note.locator("button").last
    convert.click()
    assert shown(person) == ("88,080,384", "GB")
    expect(convert).to_have_attribute("aria-pressed", "true")
    note.locator("button").first.click()
    assert shown(person) == ("84", "GB")
    convert.click()
    person.wait_saved()
    undo.click()
    assert shown(person) == ("84", "PB")
    expect(note).to_have_count(0)
    assert stored(person) == ("84", "PB")


def test_a_chosen_unit_is_stored(person: Any) -> None:
    page = person.page
    page.locator(BOX).fill("84 PB")
    page.keyboard.press("Tab")
    page.locator(PICKER).select_option("GB")
    assert stored(person) == ("84", "GB")


def test_without_script_a_chosen_unit_that_contradicts_the_text_is_asked_about(
    visit: Any, plans: dict[str, Any], person: Any
) -> None:
    plain = visit(USER, java_script_enabled=False)
    plain.tolerate("status of 422")
    plain.open_section(plans[USER]["sheet"], SECTION)
    plain.page.fill(BOX, "84 PB")
    plain.page.locator(PICKER).select_option("GB")
    plain.save("hub")
    expect(plain.cell(ITEM).locator(".form-error")).to_be_visible()
    plain.open_section(plans[USER]["sheet"], SECTION)
    plain.page.fill(BOX, "84 PB")  # nobody touched the list: the text says the unit
    plain.page.locator(PICKER).select_option("TB")
    plain.save("hub")
    plain.open_section(plans[USER]["sheet"], SECTION)
    assert shown(plain) == ("84", "PB")
