"""The answer sheet under the keys of a spreadsheet: Enter, arrows and Tab, and what a row offers one key away."""

from typing import Any

import pytest
from playwright.sync_api import expect

USER, SECTION = "cat06", "P"
# The item of the focused answer, or what else has the focus.
FOCUS = """() => {
  const one = document.activeElement, cell = one.closest(".cell");
  return cell && one.name.endsWith(".value") ? cell.dataset.key : one.name || one.tagName + (one.value || "");
}"""
ORDER = """() => [...document.querySelectorAll(".item-row:not([hidden])")]
  .filter(row => [...row.querySelectorAll(".cell [name$='.value']")].some(one => !one.readOnly && !one.disabled))
  .map(row => row.dataset.item)"""


@pytest.fixture
def person(visit: Any, plans: dict[str, Any]) -> Any:
    """Somebody with the section open."""
    person = visit(USER)
    person.begin(plans[USER]["sheet"], SECTION)
    return person


def focused(person: Any) -> str:
    """What has the focus."""
    return str(person.page.evaluate(FOCUS))


def keys(person: Any, *names: str) -> str:
    """Press keys; what has the focus then."""
    for name in names:
        person.page.keyboard.press(name)
    return focused(person)


# In a list of codes the arrows go through the browser's own list.
@pytest.mark.parametrize(
    ("section", "key"),
    [("B", "Enter"), ("P", "Enter"), ("G", "Enter"), ("P", "ArrowDown"), ("G", "ArrowDown")],
)
def test_one_key_goes_down_through_every_row_and_changes_nothing(
    person: Any, plans: dict[str, Any], section: str, key: str
) -> None:
    person.open_section(plans[USER]["sheet"], section)
    page = person.page
    page.evaluate("window.stays = true")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    order = page.evaluate(ORDER)
    page.evaluate("window.surveyMoves.focusOn(window.surveyMoves.lines()[0].find(Boolean))")
    for item in order[1:]:
        assert keys(person, key).split("/")[0] == item
    assert keys(person, "ArrowUp").split("/")[0] == order[-2]
    keys(person, key)
    assert keys(person, key) == "go"  # below the last cell is the button that goes on
    page.wait_for_timeout(1500)
    assert page.evaluate("window.stays") is True and sent == []


def test_tab_goes_from_answer_to_answer(person: Any) -> None:
    order = person.page.evaluate(ORDER)
    person.page.locator(f"#cell-{order[0]}").focus()
    for item in order[1:]:
        assert keys(person, "Tab") == item
    for item in reversed(order[:-1]):
        assert keys(person, "Shift+Tab") == item


def test_tab_stops_everywhere_where_somebody_asks_for_it(person: Any) -> None:
    page = person.page
    page.locator("#sheet-keys summary").click()
    page.locator("#sheet-keys input").check()
    page.locator("#cell-P01").focus()
    assert keys(person, "Tab") == "P01.unit"
    page.reload()
    page.locator("#cell-P01").focus()
    assert keys(person, "Tab") == "P01.unit"
    page.locator("#sheet-keys summary").click()
    page.locator("#sheet-keys input").uncheck()
    page.locator("#cell-P01").focus()
    assert keys(person, "Tab") == "P02"


def test_what_a_row_offers_is_one_key_away(person: Any) -> None:
    page = person.page
    box = page.locator("#cell-P01")
    box.focus()
    assert keys(person, "Alt+u") == "P01.unit"
    assert keys(person, "Enter") == "P01"
    assert keys(person, "Alt+u", "Escape") == "P01"
    assert keys(person, "Alt+n") == "P01.missing"
    assert keys(person, "Escape") == "P01"
    assert keys(person, "Alt+r") == "note.P01"
    assert keys(person, "Escape") == "P01"
    definition = page.locator("#row-P01 details.definition:not(.note)")
    assert keys(person, "F1") == "P01"
    expect(definition).to_have_attribute("open", "")
    expect(page.locator("#live")).to_contain_text(definition.locator("p").first.inner_text()[:10])
    assert keys(person, "Alt+h") == "P01"
    expect(definition).not_to_have_attribute("open", "")
    for tool in (definition.locator("summary"), page.locator('[name="P01.unit"]')):
        assert tool.get_attribute("aria-keyshortcuts")


def test_control_enter_goes_on_to_the_next_section(person: Any) -> None:
    page = person.page
    page.locator("#cell-P01").focus()
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    assert f"/sections/{SECTION}/" not in page.url


def test_left_and_right_choose_an_option_and_up_and_down_leave_it(person: Any, plans: dict[str, Any]) -> None:
    person.open_section(plans[USER]["sheet"], "B")
    page = person.page
    group = page.locator(".item-answer [role=radiogroup]").first
    key = group.locator("xpath=ancestor::*[contains(@class, 'cell')][1]").get_attribute("data-key")
    options = group.locator("input")
    options.first.check()
    person.wait_saved()
    options.first.focus()
    keys(person, "ArrowRight")
    expect(options.nth(1)).to_be_checked()
    person.wait_saved()
    options.nth(1).focus()
    assert keys(person, "ArrowDown") != key
    expect(options.nth(1)).to_be_checked()
