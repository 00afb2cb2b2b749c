"""A table of 32 regions without a mouse: arrows, a block from a spreadsheet, totals, what stays in sight."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import PASTE

USER, SECTION, TABLE = "cat02", "K", "K07"
SAVED = ("data-state", "saved")


@pytest.fixture
def person(visit: Any, plans: dict[str, Any]) -> Any:
    """A user on the page of the table, after answering the items that make it relevant."""
    plan = plans[USER]
    person = visit(USER)
    start = person.page.locator(f'form[action="/sheets/{plan["sheet"]}/start/"] button')
    if start.count():
        start.first.click()
        person.page.wait_for_load_state()
    person.open_section(plan["sheet"], SECTION)
    for code in plan["sections"][SECTION]:
        if code != TABLE and code in plan["answers"] and person.cell(code).count():
            person.type_answer(code, plan["answers"][code])
            person.wait_saved()
    expect(person.page.locator(f"#row-{TABLE} table")).to_be_visible()
    return person


def cells(person: Any) -> list[list[str]]:
    """Ids of the inputs by row and column."""
    ids: list[list[str]] = person.page.locator(f"#row-{TABLE} tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('td input:not([type=hidden])')].map(one => one.id))"
    )
    return ids


def focused(person: Any) -> str:
    """Id of the focused element."""
    return str(person.page.evaluate("document.activeElement.id"))


def test_arrows_move_through_the_table_and_enter_goes_down(person: Any) -> None:
    ids, press = cells(person), person.page.keyboard.press
    person.page.locator(f"#{ids[0][0]}").focus()
    for key, (row, column) in {
        "ArrowDown": (1, 0),
        "Enter": (2, 0),
        "ArrowRight": (2, 1),
        "ArrowUp": (1, 1),
        "ArrowLeft": (1, 0),
    }.items():
        press(key)
        assert focused(person) == ids[row][column], key
    person.page.keyboard.type("12")
    press("ArrowLeft")  # inside a text the arrow moves the caret and not the focus
    assert focused(person) == ids[1][0]
    assert person.page.url.endswith(f"/sections/{SECTION}/")


def test_header_and_first_column_stay_in_sight(person: Any) -> None:
    ids = cells(person)
    assert len(ids) == 32
    person.page.locator(f"#{ids[31][1]}").focus()
    head = person.page.locator(f"#row-{TABLE} thead th").nth(1)
    name = person.page.locator(f"#row-{TABLE} tbody tr:last-child th")
    for header in (head, name):
        expect(header).to_be_in_viewport()
    box, cell = head.bounding_box(), person.page.locator(f"#{ids[31][1]}").bounding_box()
    assert box["y"] + box["height"] <= cell["y"]  # the header does not cover the cell


def test_a_block_is_pasted_by_row_names_with_the_unit_of_its_header(person: Any) -> None:
    page, ids = person.page, cells(person)
    names = page.locator(f"#row-{TABLE} tbody th").all_inner_texts()
    heads = page.locator(f"#row-{TABLE} thead th").all_inner_texts()[1:]
    block = "\r\n".join(
        [
            f"地区\t{heads[0]}（EFLOPS）",
            f"{names[3]}\t1.5",
            f"{names[1]}\t1,200",
            "不是地区\t7",
        ]
    )
    page.locator(f"#{ids[0][0]}").focus()
    page.evaluate(PASTE, [ids[0][0], block])
    expect(page.locator("#paste-note")).to_contain_text("2")
    expect(page.locator("#live")).to_contain_text("2")
    expect(page.locator("#sheet-state")).to_have_attribute(*SAVED)
    expect(page.locator(f"#row-{TABLE} tfoot td").first).to_contain_text("1,201,500")
    page.reload()
    values = {row: page.locator(f"#{ids[row][0]}").input_value() for row in (1, 3)}
    assert values[1].startswith("1,200") and values[3].startswith("1.5")


def test_a_plain_block_fills_from_the_cell_and_can_be_undone(person: Any) -> None:
    page, ids = person.page, cells(person)
    before = [page.locator(f"#{ids[row][0]}").input_value() for row in (5, 6)]
    page.locator(f"#{ids[5][0]}").focus()
    page.evaluate(PASTE, [ids[5][0], "11\t21\n12\t22\n"])
    expect(page.locator("#sheet-state")).to_have_attribute(*SAVED)
    expect(page.locator(f"#{ids[6][1]}")).to_have_value("22")
    page.locator("#paste-note button").first.click()
    person.wait_saved()
    for row, value in zip((5, 6), before, strict=True):
        expect(page.locator(f"#{ids[row][0]}")).to_have_value(value)
