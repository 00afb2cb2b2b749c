"""A respondent of each category fills the form, is stopped by a hard edit, explains, and submits."""

from typing import Any

import pytest
from playwright.sync_api import expect

# Category 13 is the hero of test_story.
CATEGORIES = [f"cat{number:02d}" for number in range(1, 15) if number != 13]


@pytest.mark.parametrize("username", CATEGORIES)
def test_a_form_is_filled_stopped_repaired_explained_and_submitted(
    visit: Any, plans: dict[str, Any], username: str
) -> None:
    plan = plans[username]
    sheet, answers = plan["sheet"], plan["answers"]
    person = visit(username)
    expect(person.page.locator("h1")).to_be_visible()
    assert plan["form"] in person.text()  # the task list names the form
    person.go(f"/sheets/{sheet}/")
    start = person.page.locator(f'form[action="/sheets/{sheet}/start/"] button')
    if start.count():
        start.first.click()
        person.page.wait_for_load_state()

    for code, items in plan["sections"].items():
        person.open_section(sheet, code)
        person.fill_section(items, answers)
        person.save("hub")
    assert person.findings(sheet)["hard"] == []

    wrong = plan["broken"]
    section = section_of(plan, next(iter(wrong["cells"])))
    person.open_section(sheet, section)
    for key, cell in wrong["cells"].items():
        person.type_answer(key, cell)
    person.wait_saved()
    assert wrong["edit"] in person.findings(sheet)["hard"]
    person.go(f"/sheets/{sheet}/submit/")
    expect(person.page.locator("[name=statement]")).to_have_count(0)  # nothing to sign while it stands

    person.open_section(sheet, section)
    for key in wrong["cells"]:
        person.type_answer(key, answers[key])
    for key in plan["unknown"]:  # a figure that the unit does not have must be explained
        person.open_section(sheet, section_of(plan, key))
        person.type_answer(key, {"missing": "unknown"})
    person.wait_saved()
    found = person.findings(sheet)
    assert found["hard"] == []
    assert found["soft"], "nothing to explain"
    person.go(f"/sheets/{sheet}/submit/")
    expect(person.page.locator("[name=statement]")).to_have_count(0)  # nor while a reason is missing
    assert person.explain_all(sheet) >= 1
    person.submit(sheet)
    assert "SHA-256" in person.text()
    assert plan["form"] in person.text()


def section_of(plan: dict[str, Any], key: str) -> str:
    """The section in which a cell stands."""
    item = key.split("/")[0]
    return next(code for code, items in plan["sections"].items() if item in items)
