"""Each of the 14 forms, out of its definition: filled completely, broken at every hard edit, repaired, submitted.

What is typed and what the page must answer comes from ``complete_sheets`` and ``broken_sheets``, so that a new form
or a new rule is tested without a change here. Some forms are filled by typing, the others with their workbook.
"""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.typist import filled_workbook

CATEGORIES = [f"cat{number:02d}" for number in range(1, 15)]
TYPED = ("cat01",)  # and cat13 by test_story
FILING_USER = "cat13"  # test_story files its sheet
# The findings that the rows of a section show: [item, code, message].
MESSAGES = """() => [...document.querySelectorAll(".item-row")].flatMap(row =>
  [...row.querySelectorAll(".finding-hard p:first-child")].map(text => [row.dataset.item,
    text.querySelector(".code").textContent, text.firstChild.textContent.trim()]))"""


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
    for step in plan["blank_rounds"]:  # a choice that cannot be cleared is left out from the start
        fill_by_workbook(person, sheet, patched(plan["answers"], step["patch"]))
        refused(person, plan, step)
    if username in TYPED:
        fill_by_typing(person, plan)
    else:
        fill_by_workbook(person, sheet, plan["answers"])
    assert person.findings(sheet)["hard"] == []

    right: dict[str, Any] = {}  # cells broken in the previous round, repaired in the next
    for step in plan["rounds"]:
        messages = type_cells(person, plan, right | step["patch"])
        messages_at_the_cells(person, plan, step["findings"], messages)
        refused(person, plan, step)  # lists this round's rules and none of the last one
        right = {key: plan["answers"].get(key) for key in step["patch"]}
    messages = type_cells(person, plan, right)
    assert person.findings(sheet)["hard"] == messages == []
    broken = [code for step in [*plan["rounds"], *plan["blank_rounds"]] for code in step["edits"]]
    assert len(set(broken)) == len(broken) == plan["hard_edits"] - len(plan["unreachable"])

    if username != FILING_USER:
        explained_and_submitted(person, plan)


def patched(answers: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The answers with other cells; None leaves one out."""
    return {key: cell for key, cell in {**answers, **patch}.items() if cell}


def start(person: Any, sheet: int) -> None:
    """Start the sheet unless it has been started."""
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
    if (
        deletions := person.page.locator("#id_delete")
    ).count():  # answers that the file leaves blank go only when asked
        deletions.check()
    person.page.locator(f'form[action="/sheets/{sheet}/upload/apply/"] button.btn-primary').click()
    person.page.wait_for_load_state()


def type_cells(person: Any, plan: dict[str, Any], cells: dict[str, Any]) -> list[list[str]]:
    """Type cells section by section; the messages that each section shows after its last save."""
    messages: list[list[str]] = []
    for code, items in plan["sections"].items():
        in_section = {key: cell for key, cell in cells.items() if key.split("/")[0] in items}
        if not in_section:
            continue
        person.open_section(plan["sheet"], code)
        person.type_answers(in_section)
        person.wait_saved()
        messages += person.page.evaluate(MESSAGES)
    return messages


def messages_at_the_cells(
    person: Any, plan: dict[str, Any], findings: dict[str, Any], messages: list[list[str]]
) -> None:
    """Every broken rule is shown with its message at one of its items, on that item's page."""
    waiting = {
        code: expected for code, expected in findings.items() if not is_shown(code, expected, messages)
    }
    for section, items in plan["sections"].items():
        if waiting and any(set(expected["items"]) & set(items) for expected in waiting.values()):
            # The rule spans sections, and cells of another section were typed later.
            person.go(f"/sheets/{plan['sheet']}/sections/{section}/?check=1")
            messages = person.page.evaluate(MESSAGES)
            waiting = {
                code: expected for code, expected in waiting.items() if not is_shown(code, expected, messages)
            }
    assert waiting == {}, messages


def is_shown(code: str, expected: dict[str, Any], messages: list[list[str]]) -> bool:
    """Whether the message of the rule is shown at one of its items."""
    return any([item, code, expected["message"]] in messages for item in expected["items"])


def refused(person: Any, plan: dict[str, Any], step: dict[str, Any]) -> None:
    """The list names exactly the rules that fail, nothing can be signed, and a request past the page is refused."""
    sheet, request = plan["sheet"], person.page.request
    listed = person.findings(sheet)["hard"]
    assert set(step["edits"]) <= set(listed)
    assert sorted(listed) == sorted(step["findings"])
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
    """A missing value needs a reason; then the sheet is filed."""
    sheet = plan["sheet"]
    type_cells(person, plan, {key: {"missing": "unknown"} for key in plan["unknown"]})
    findings = person.findings(sheet)
    assert findings["hard"] == []
    assert findings["soft"], "nothing to explain"
    person.go(f"/sheets/{sheet}/submit/")
    expect(person.page.locator("[name=statement]")).to_have_count(0)  # nor while a reason is missing
    assert person.explain_all(sheet) >= 1
    person.submit(sheet)
    assert "SHA-256" in person.text()
    assert plan["form"] in person.text()
