"""Each of the 14 forms, out of its definition: filled completely, broken at every hard edit, repaired, submitted.

What is typed and what the page must answer comes from ``complete_sheets`` and ``broken_sheets``, so that a new form
or a new rule is played without a word here. Some forms are filled by typing, the others with their workbook.
"""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.typist import filled_workbook

CATEGORIES = [f"cat{number:02d}" for number in range(1, 15)]
TYPED = ("cat01",)  # and cat13 by its hero
HERO = "cat13"  # of test_story, who files it
# What every row with a finding says: [item, code, sentence].
SAID = """() => [...document.querySelectorAll(".item-row")].flatMap(row =>
  [...row.querySelectorAll(".finding-hard p:first-child")].map(said => [row.dataset.item,
    said.querySelector(".code").textContent, said.firstChild.textContent.trim()]))"""


@pytest.mark.parametrize("username", CATEGORIES)
def test_a_form_is_filled_broken_at_every_hard_edit_repaired_and_submitted(
    visit: Any, plans: dict[str, Any], username: str
) -> None:
    plan = plans[username]
    sheet = plan["sheet"]
    person = visit(username)
    expect(person.page.locator("h1")).to_be_visible()
    assert plan["form"] in person.text()  # the task list names the form
    start(person, sheet)
    for one in plan["blank_rounds"]:  # a choice that nobody can untick is left out from the start
        fill_by_workbook(person, sheet, patched(plan["answers"], one["patch"]))
        refused(person, plan, one)
    if username in TYPED:
        fill_by_typing(person, plan)
    else:
        fill_by_workbook(person, sheet, plan["answers"])
    assert person.findings(sheet)["hard"] == []

    right: dict[str, Any] = {}  # what the round before has broken: repaired on the way to the next one
    for one in plan["rounds"]:
        said = type_cells(person, plan, right | one["patch"])
        told_at_the_cells(person, plan, one["findings"], said)
        refused(person, plan, one)  # lists this round's rules and none of the last one
        right = {key: plan["answers"].get(key) for key in one["patch"]}
    said = type_cells(person, plan, right)
    assert person.findings(sheet)["hard"] == said == []
    broken = [code for one in [*plan["rounds"], *plan["blank_rounds"]] for code in one["edits"]]
    assert len(set(broken)) == len(broken) == plan["hard_edits"] - len(plan["unreachable"])

    if username != HERO:
        explained_and_submitted(person, plan)


def patched(answers: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The answers with other cells; None leaves one out."""
    return {key: cell for key, cell in {**answers, **patch}.items() if cell}


def start(person: Any, sheet: int) -> None:
    """Begin the sheet unless somebody has."""
    person.go(f"/sheets/{sheet}/")
    button = person.page.locator(f'form[action="/sheets/{sheet}/start/"] button')
    if button.count():
        button.first.click()
        person.page.wait_for_load_state()


def fill_by_typing(person: Any, plan: dict[str, Any]) -> None:
    """Section by section."""
    for code, items in plan["sections"].items():
        person.open_section(plan["sheet"], code)
        person.fill_section(items, plan["answers"])
        person.save("hub")


def fill_by_workbook(person: Any, sheet: int, answers: dict[str, Any]) -> None:
    """Download, fill, upload, look at what would change, store."""
    blank = person.page.request.get(f"{person.url}/sheets/{sheet}/workbook/").body()
    person.go(f"/sheets/{sheet}/upload/")
    name = {"name": "filled.xlsx", "mimeType": "application/octet-stream"}
    person.page.locator("input[type=file]").set_input_files(
        [name | {"buffer": filled_workbook(blank, answers)}]
    )
    person.page.locator("form[enctype] button.btn-primary").click()
    person.page.wait_for_load_state()
    expect(person.page.locator("#faults")).to_have_count(0)
    expect(person.page.locator("#differences")).to_be_visible()
    person.page.locator(f'form[action="/sheets/{sheet}/upload/apply/"] button.btn-primary').click()
    person.page.wait_for_load_state()


def type_cells(person: Any, plan: dict[str, Any], cells: dict[str, Any]) -> list[list[str]]:
    """Type cells section by section; what the sections said right after the last one of theirs was saved."""
    said: list[list[str]] = []
    for code, items in plan["sections"].items():
        here = {key: cell for key, cell in cells.items() if key.split("/")[0] in items}
        if not here:
            continue
        person.open_section(plan["sheet"], code)
        person.type_answers(here)
        person.wait_saved()
        said += person.page.evaluate(SAID)
    return said


def told_at_the_cells(
    person: Any, plan: dict[str, Any], findings: dict[str, Any], said: list[list[str]]
) -> None:
    """Every broken rule stands with its sentence and numbers at an item that it marks, on that item's page."""
    waiting = {code: told for code, told in findings.items() if not stands(code, told, said)}
    for section, items in plan["sections"].items():
        if waiting and any(set(told["items"]) & set(items) for told in waiting.values()):
            # The rule spans sections: the rest was typed after this page was open.
            person.go(f"/sheets/{plan['sheet']}/sections/{section}/?check=1")
            said = person.page.evaluate(SAID)
            waiting = {code: told for code, told in waiting.items() if not stands(code, told, said)}
    assert waiting == {}, said


def stands(code: str, told: dict[str, Any], said: list[list[str]]) -> bool:
    """The rule is said at one of its items, in these words."""
    return any([item, code, told["message"]] in said for item in told["items"])


def refused(person: Any, plan: dict[str, Any], one: dict[str, Any]) -> None:
    """The list names exactly the rules that fail, nothing can be signed, and a request past the page is refused."""
    sheet, request = plan["sheet"], person.page.request
    listed = person.findings(sheet)["hard"]
    assert set(one["edits"]) <= set(listed)
    assert sorted(listed) == sorted(one["findings"])
    address = f"{person.url}/sheets/{sheet}/submit/"
    page = request.get(address).text()
    assert 'name="csrfmiddlewaretoken"' in page and 'name="statement"' not in page
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    first = request.get(f"{person.url}/sheets/{sheet}/sections/{next(iter(plan['sections']))}/").text()
    revision = first.partition('name="revision" value="')[2].partition('"')[0]
    names = {"unit_head": "甲", "stat_head": "乙", "filler": "丙", "phone": "010-12345678"}
    answer = request.post(
        address, form={**names, "statement": "on", "revision": revision, "csrfmiddlewaretoken": token}
    )
    assert answer.status == 422, answer.status
    assert request.get(f"{person.url}/sheets/{sheet}/receipt/").status == 404


def explained_and_submitted(person: Any, plan: dict[str, Any]) -> None:
    """A figure that the unit does not have wants a reason; then the sheet is filed."""
    sheet = plan["sheet"]
    type_cells(person, plan, {key: {"missing": "unknown"} for key in plan["unknown"]})
    found = person.findings(sheet)
    assert found["hard"] == []
    assert found["soft"], "nothing to explain"
    person.go(f"/sheets/{sheet}/submit/")
    expect(person.page.locator("[name=statement]")).to_have_count(0)  # nor while a reason is missing
    assert person.explain_all(sheet) >= 1
    person.submit(sheet)
    assert "SHA-256" in person.text()
    assert plan["form"] in person.text()
