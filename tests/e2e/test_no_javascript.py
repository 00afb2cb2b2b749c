"""Without JavaScript every page is a plain form: from the letter with the code to the receipt."""

from typing import Any

from playwright.sync_api import expect

DESK, CATEGORY = "reviewer", "CAT13"  # any unit that nobody has begun to fill; the nation sees them all
USERNAME, PASSWORD = "ohne-skript", "Laixin-2025-kaihu"


def test_a_form_is_activated_filled_and_submitted_without_script(visit: Any, stack: Any) -> None:
    credit_code, code = letter(visit(DESK, java_script_enabled=False))
    person = visit(java_script_enabled=False)
    activate(person, credit_code, code)
    plan = stack.manage(
        "import json; from survey.access.models import User; from tests.e2e.complete_sheets import plan;"
        f"print(json.dumps(plan(User.objects.get(username='{USERNAME}'))))"
    )
    sheet, answers = plan["sheet"], dict(plan["answers"])
    person.page.locator(f'form[action="/sheets/{sheet}/start/"] button').click()
    refused_with_a_summary(person, sheet)
    for key in plan["unknown"]:  # a figure that the unit does not have must be explained
        answers[key] = {"missing": "unknown"}
    for section, items in plan["sections"].items():
        fill(person, sheet, section, items, answers)
    findings = person.findings(sheet)
    assert findings["hard"] == []
    assert findings["soft"], "nothing to explain"
    assert person.explain_all(sheet) == len(findings["soft"])
    person.submit(sheet)
    assert "SHA-256" in person.text()
    person.go("/tasks/")
    expect(person.page.locator(f'a[href="/sheets/{sheet}/receipt/"]')).to_be_visible()


def letter(desk: Any) -> tuple[str, str]:
    """The desk makes a new activation code for a unit: (credit code, activation code)."""
    desk.go(f"/units/?year=2025&state=not_started&disposition=eligible&category={CATEGORY}")
    links = desk.page.locator(".unit-name a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    for href in links:  # the heroes of the other tests have accounts; their sheets are left alone
        desk.go(href)
        if not desk.page.locator(".unit-accounts li").count():
            break
    else:
        raise AssertionError("every unit has an account")
    credit_code = desk.text(".lede .code")
    desk.page.locator('form[action$="/code/"] button').click()
    return credit_code, desk.text(".notice-good .code")


def activate(person: Any, credit_code: str, code: str) -> None:
    """Code, statutory notice, name and password."""
    person.go("/activate/")
    person.page.fill("[name=credit_code]", credit_code)
    person.page.fill("[name=code]", code)
    person.page.locator("main form .btn-primary").click()
    person.page.locator("main form .btn-primary").click()  # the notice has been read
    for name, value in (
        ("username", USERNAME),
        ("name", "填报员"),
        ("new_password", PASSWORD),
        ("repeated", PASSWORD),
    ):
        person.page.fill(f"[name={name}]", value)
    person.page.locator("main form .btn-primary").click()
    person.page.wait_for_url("**/tasks/")


def refused_with_a_summary(person: Any, sheet: int) -> None:
    """The page comes back with what was typed, an error at the cell and a summary that links to it."""
    person.tolerate("status of 422")
    person.open_section(sheet, "P")
    person.page.fill('[name="P01.value"]', "很多")
    person.save("hub")
    assert "不能作为数值" in person.text("#error-summary")
    expect(person.page.locator("#cell-P01")).to_have_value("很多")
    person.page.locator("#error-summary a").first.click()
    assert person.page.url.endswith("#cell-P01")


def fill(person: Any, sheet: int, section: str, items: list[str], answers: dict[str, Any]) -> None:
    """Type, save, and look again: answers make other cells appear only after they are saved."""
    done: set[str] = set()
    for _ in range(6):
        if person.go(f"/sheets/{sheet}/sections/{section}/").status == 404:
            return  # nothing in this section applies
        shown = [cell.get_attribute("data-key") for cell in person.page.locator(".cell").all()]
        todo = [key for key in shown if key in answers and key not in done]
        if not todo:
            return
        for key in todo:
            person.type_answer(key, answers[key])
        done.update(todo)
        person.save("hub")
        expect(person.page.locator("#row-list")).to_be_visible()  # the hub: nothing was refused
    raise AssertionError(f"{section}: cells go on appearing")
