"""Blocks from a spreadsheet, sums and last year's facts: several cells at one stroke, shown, and undone in one step."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import PASTE

USER, SECTION = "cat11", "P"
OPEN_USER, OPEN_TABLE = "cat14", "MA06"
ITEMS = ("P01", "P02", "P03", "P04")


@pytest.fixture
def person(visit: Any, plans: dict[str, Any]) -> Any:
    """Somebody with an empty section."""
    person = visit(USER)
    person.begin(plans[USER]["sheet"], SECTION)
    for item in ITEMS:
        person.page.locator(f'select[name="{item}.unit"]').select_option("TB")
        person.type_answer(item, None)
    person.wait_saved()
    return person


def paste(person: Any, item: str, text: str) -> None:
    """What Ctrl+V does in a cell."""
    person.page.locator(f"#cell-{item}").focus()
    person.page.evaluate(PASTE, [f"cell-{item}", text])


def values(person: Any, *items: str) -> list[str]:
    """Texts of the boxes."""
    return [person.page.locator(f"#cell-{item}").input_value() for item in items or ITEMS]


def test_a_column_goes_down_the_rows_of_the_section(person: Any) -> None:
    paste(person, "P02", "120\n340\r\n560\n")
    assert values(person) == ["", "120", "340", "560"]
    note = person.page.locator("#paste-note")
    for words in ("3", "P02", "120 TB", "P04", "560 TB"):
        expect(note).to_contain_text(words)
    expect(person.page.locator("#live")).to_contain_text("340 TB")
    expect(note).to_be_in_viewport()
    person.wait_saved()
    person.page.reload()
    assert values(person) == ["", "120", "340", "560"]


def test_several_values_never_become_one(person: Any) -> None:
    paste(person, "P04", "120\n340")  # 340 goes on to the next item
    assert values(person)[-1] == "120"
    person.page.locator("#paste-note button").first.click()
    assert values(person) == ["", "", "", ""]
    paste(person, "P02", '"120\n340"\n')  # one cell with two lines
    assert values(person) == ["", "", "", ""]
    expect(person.page.locator("#paste-note .notice-warn")).to_contain_text("P02")


def test_units_and_names_of_a_block_are_understood(person: Any) -> None:
    paste(person, "P01", "P04\t1.5\tPB\n其中：物联网感知数据\t2 GB\n不是指标\t7\n")
    assert values(person) == ["", "2", "", "1.5"]
    units = [person.page.locator(f'select[name="{item}.unit"]').input_value() for item in ("P02", "P04")]
    assert units == ["GB", "PB"]
    expect(person.page.locator("#paste-note .notice-warn")).to_contain_text("不是指标 7")


def test_a_block_is_undone_in_one_step(person: Any) -> None:
    person.type_answer("P02", {"value": "5", "unit": "PB"})
    person.wait_saved()
    paste(person, "P01", "9\tTB\n8\tTB\n7\tTB\n")
    assert values(person) == ["9", "8", "7", ""]
    person.wait_saved()
    person.page.locator("#cell-P01").focus()
    person.page.keyboard.press("Control+z")
    assert values(person) == ["", "5", "", ""]
    assert person.page.locator('select[name="P02.unit"]').input_value() == "PB"
    person.wait_saved()
    person.page.reload()
    assert values(person) == ["", "5", "", ""]


def test_a_total_adds_itself_up_while_its_parts_are_typed(person: Any) -> None:
    page = person.page
    line = page.locator("#row-P01 .sum-line")
    expect(line).to_contain_text("P02")  # says what belongs to it
    page.locator("#cell-P02").fill("2 PB")
    page.locator("#cell-P03").fill("1024")
    expect(line.locator(".sum-now")).to_contain_text("3,072 TB")
    expect(line.locator(".sum-now")).to_contain_text("1")  # of them blank
    page.locator("#cell-P04").fill("0")
    page.locator('select[name="P01.unit"]').select_option("PB")
    page.locator("#cell-P01").focus()
    page.keyboard.press("Alt+s")
    assert values(person)[0] == "3"
    expect(line).to_have_attribute("data-state", "same")
    page.locator("#cell-P01").fill("4")
    expect(line.locator(".sum-now")).to_contain_text("1 PB")
    person.page.locator("#cell-P02").focus()
    person.wait_saved()


def test_an_open_table_grows_without_a_new_page(visit: Any, plans: dict[str, Any]) -> None:
    plan = plans[OPEN_USER]
    section = next(code for code, items in plan["sections"].items() if OPEN_TABLE in items)
    table, person = OPEN_TABLE, visit(OPEN_USER)
    person.begin(plan["sheet"], section)
    person.page.locator(f"#row-{table} table[data-most-rows]").wait_for()
    page = person.page
    page.evaluate("window.stays = true")
    body = page.locator(f"#row-{table} tbody tr")
    before = body.count()
    page.locator(f'button[name="add_row"][value="{table}"]').click()
    expect(body).to_have_count(before + 3)
    assert page.evaluate("document.activeElement.closest('tr').sectionRowIndex") == before
    last = body.last.locator("input[type=text]").first
    last.focus()
    page.evaluate(PASTE, [last.get_attribute("id"), "甲\n乙\n丙"])
    expect(body).to_have_count(before + 5)
    page.locator("#paste-note button").first.click()
    person.wait_saved()
    count = body.count()
    body.last.locator("input[type=text]").first.focus()
    page.keyboard.press("Enter")  # an empty last row is left
    expect(body).to_have_count(count)
    body.last.locator("input[type=text]").first.fill("丁")
    page.keyboard.press("Enter")
    expect(body).to_have_count(count + 1)
    assert page.evaluate("document.activeElement.closest('tr').sectionRowIndex") == count
    ids = page.locator(f"#row-{table} [id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    assert page.evaluate("window.stays") is True
