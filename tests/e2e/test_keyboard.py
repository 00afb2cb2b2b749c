"""Sign in and fill a section without a mouse: the focus is always visible, and errors link to their cell."""

from typing import Any

from playwright.sync_api import expect

from tests.e2e.visitor import PASSWORD

USER, SECTION, FIRST, SECOND = "cat02", "P", "P01", "P02"
MOST = 120  # presses of Tab; more means that the element cannot be reached
# The focused element: its attributes, whether it has a focus ring, and whether it is uncovered.
FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  const at = document.elementFromPoint(box.x + Math.min(box.width / 2, 20), box.y + box.height / 2);
  const free = Boolean(at) && (one.contains(at) || at.contains(one) || Boolean(at.closest("label")?.contains(one)));
  return {tag: one.tagName, type: one.type ?? "", name: one.name ?? "", id: one.id, href: one.getAttribute("href") ?? "",
    value: one.value ?? "", empty: one.type === "radio"
      ? !document.querySelector(`input[name="${CSS.escape(one.name)}"]:checked`) : !one.value,
    text: one.textContent.trim().slice(0, 60), ring, free};
}"""


class Keyboard:
    """Tab, type, Enter; every stop must be visible."""

    def __init__(self, visitor: Any) -> None:
        self.page = visitor.page

    def focus(self) -> dict[str, Any]:
        """The focused element. Raises AssertionError when it is not visible."""
        at: dict[str, Any] = self.page.evaluate(FOCUS)
        assert at["ring"], f"no focus ring on {at}"
        assert at["free"], f"something covers {at}"
        return at

    def tab_to(self, **attributes: str) -> dict[str, Any]:
        """Press Tab until the focus is on something with these attributes."""
        for _ in range(MOST):
            self.page.keyboard.press("Tab")
            at = self.focus()
            if all(at[name] == value for name, value in attributes.items()):
                return at
        raise AssertionError(f"Tab does not reach {attributes}")

    def enter(self) -> None:
        """Press Enter and wait for the page that it opens."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


def test_a_section_is_filled_with_the_keyboard_alone(visit: Any, plans: dict[str, Any]) -> None:
    person, plan = visit(), plans[USER]
    sheet, answers = plan["sheet"], plan["answers"]
    person.tolerate("status of 422")
    keys = Keyboard(person)
    sign_in(person, keys)

    keys.tab_to(href=f"/sheets/{sheet}/")
    keys.enter()
    keys.tab_to(href=f"/sheets/{sheet}/sections/{SECTION}/")
    keys.enter()
    keys.tab_to(name=f"{FIRST}.value")
    person.page.keyboard.press("Control+A")
    person.page.keyboard.type("abc")
    person.page.keyboard.press("Enter")  # goes down and sends nothing but the cell
    assert keys.focus()["name"] == f"{SECOND}.value"
    expect(person.cell(FIRST).locator(".form-error")).to_be_visible()
    person.page.keyboard.press("Shift+Enter")
    expect(person.page.locator(f"#cell-{FIRST}")).to_be_focused()
    person.page.keyboard.type(answers[FIRST]["entered"])
    fill_the_rest(person, keys, answers)
    keys.enter()  # on the button that saves and continues
    assert f"/sections/{SECTION}/" not in person.page.url
    person.open_section(sheet, SECTION)
    stored = person.page.locator(f"#cell-{FIRST}").input_value()
    assert stored.replace(",", "") == answers[FIRST]["entered"]
    assert not [code for code in person.findings(sheet)["hard"] if code.startswith(f"REQ-{SECTION}")]


def sign_in(person: Any, keys: Keyboard) -> None:
    """The first stop of a page leads past its head; then account, password, Enter."""
    person.go("/sign-in/")
    person.page.keyboard.press("Tab")
    assert keys.focus()["href"] == "#content"
    person.page.keyboard.press("Enter")
    keys.tab_to(name="username")
    person.page.keyboard.type(USER)
    keys.tab_to(name="password")
    person.page.keyboard.type(PASSWORD)
    keys.enter()
    expect(person.page.locator(".account-menu")).to_have_count(1)


def fill_the_rest(person: Any, keys: Keyboard, answers: dict[str, Any]) -> None:
    """Tab through the section, answer what is blank, stop at the button that goes on."""
    for _ in range(MOST):
        person.page.keyboard.press("Tab")
        at = keys.focus()
        if at["name"] == "go" and at["value"] == "next":
            return
        key = at["name"].removesuffix(".value")
        if key == at["name"] or key not in answers or not at["empty"]:
            continue
        if at["type"] == "radio":
            if at["value"] == {True: "true", False: "false"}.get(
                answers[key]["value"], answers[key]["value"]
            ):
                person.page.keyboard.press("Space")
            else:
                person.page.keyboard.press("ArrowRight")
        elif at["tag"] == "INPUT" or at["tag"] == "TEXTAREA":
            person.page.keyboard.type(str(answers[key].get("entered", answers[key]["value"])))
    raise AssertionError("Tab does not reach the button")
