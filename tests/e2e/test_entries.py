"""Saves wait for the person, the page never goes mute, and what can no longer be sent is shown."""

from typing import Any

import pytest
from playwright.sync_api import expect

USER, SECTION, ITEM, OTHER = "cat04", "P", "P01", "P02"
STATE = ".cell-state"
SAVED = ("data-state", "saved")
RED = ", ".join(
    f"{selector}:visible"
    for selector in (".form-error", ".is-invalid", ".has-error", ".finding-hard", "[data-state=refused]")
)
KEPT = "JSON.stringify(Object.entries(localStorage).filter(([name]) => name.startsWith('sheet:')))"
# Presses the button, may stop the loading, then types; what the cell says and the browser keeps is noted. All of it by
# timers of the page: a browser answers no driver while a page is on its way.
SAVE_AND_TYPE = """([id, stops]) => {
  const box = document.getElementById(id);
  setTimeout(() => document.querySelector('.sheet-actions button[value="hub"]').click(), 50);
  if (stops) setTimeout(() => window.stop(), 700);
  setTimeout(() => {
    box.focus();
    box.value = "77";
    box.dispatchEvent(new InputEvent("input", {bubbles: true}));
    sessionStorage.setItem("seen", JSON.stringify(
      [box.closest(".cell").querySelector(".cell-state").dataset.state, JSON.stringify(localStorage)]));
  }, 1300);
}"""
CLICK_THREE_TIMES = """() => {
  const button = [...document.querySelectorAll('form[enctype="multipart/form-data"] button')].pop();
  for (const wait of [0, 30, 60]) setTimeout(() => button.click(), wait);
}"""
# What an input method sends: the text that is being composed, and then its end.
COMPOSE = """([id, texts, end]) => {
  const box = document.getElementById(id);
  box.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
  for (const text of texts) {
    box.value = text;
    box.dispatchEvent(new InputEvent("input", {bubbles: true, isComposing: true, inputType: "insertCompositionText"}));
  }
  if (end) box.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true, data: box.value}));
}"""


@pytest.fixture
def sheet(plans: dict[str, Any]) -> int:
    """The sheet that these tests type in."""
    return int(plans[USER]["sheet"])


@pytest.fixture
def person(visit: Any, sheet: int) -> Any:
    """Somebody with the section open and two known values."""
    person = visit(USER)
    person.tolerate("Failed to load resource", "status of 4")
    person.begin(sheet, SECTION)
    person.type_answer(ITEM, {"value": "640", "unit": "TB"})
    person.type_answer(OTHER, {"value": "10", "unit": "TB"})
    person.wait_saved()
    return person


def red(person: Any) -> int:
    """How many marks of faults the page shows."""
    return int(person.page.locator(RED).count())


def test_nothing_is_judged_while_somebody_types(person: Any) -> None:
    page = person.page
    page.locator(f"#cell-{OTHER}").fill("640")
    page.locator(f"#cell-{OTHER}").blur()
    person.wait_saved()
    before = red(person)
    box = page.locator(f"#cell-{ITEM}")
    box.focus()
    page.keyboard.press("Control+A")
    with page.expect_response("**/save/") as saved:
        page.keyboard.type("9x")  # not a number, and below one of its parts
    assert saved.value.headers["sheet-refused"] == ITEM
    expect(person.cell(ITEM).locator(STATE)).to_have_attribute("data-state", "draft")
    assert red(person) == before
    page.keyboard.press("Backspace")
    with page.expect_response("**/save/"):
        page.keyboard.type("0")
    expect(person.cell(ITEM).locator(STATE)).to_have_attribute(*SAVED)
    assert red(person) == before  # 90 is stored, and still nothing is said
    page.keyboard.press("Tab")
    expect(page.locator(f"#feedback-{ITEM} .finding").first).to_be_visible()


def test_a_refused_text_turns_red_when_the_cell_is_left(person: Any) -> None:
    page = person.page
    page.locator(f"#cell-{ITEM}").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("9x")
    expect(person.cell(ITEM).locator(STATE)).to_have_attribute("data-state", "draft")
    page.locator(f"#cell-{OTHER}").focus()
    expect(person.cell(ITEM).locator(".form-error")).to_be_visible()
    expect(page.locator("#sheet-state")).to_have_attribute("data-state", "refused")


def test_nothing_is_sent_while_an_input_method_composes(person: Any) -> None:
    page = person.page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/save/" in request.url else None)
    page.locator(f"#cell-{ITEM}").focus()
    page.evaluate(COMPOSE, [f"cell-{ITEM}", ["l", "li", "liu"], False])
    page.wait_for_timeout(2000)
    assert sent == []
    with page.expect_response("**/save/"):
        page.evaluate(COMPOSE, [f"cell-{ITEM}", ["641"], True])
    page.reload()
    expect(page.locator(f"#cell-{ITEM}")).to_have_value("641")


def test_a_blank_sheet_is_not_red(visit: Any, plans: dict[str, Any]) -> None:
    person = visit("cat14")
    plan = plans["cat14"]
    for section in plan["sections"]:
        person.begin(plan["sheet"], section)
        assert red(person) == 0, section


@pytest.mark.parametrize("ending", ["stopped", "no content", "arrives"])
def test_what_is_typed_after_save_is_kept_until_the_page_has_left(
    person: Any, sheet: int, ending: str
) -> None:
    page = person.page
    held: list[Any] = []

    def hold(route: Any) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    page.route(f"**/sections/{SECTION}/", hold)
    page.evaluate(SAVE_AND_TYPE, [f"cell-{OTHER}", ending == "stopped"])
    for _ in range(100):
        if held:
            break
        page.wait_for_timeout(100)
    if ending == "no content":
        held[0].fulfill(status=204, body="")
    page.wait_for_timeout(2500)
    if ending == "arrives":
        held[0].continue_()
        page.wait_for_url(f"**/sheets/{sheet}/")
        expect(page.locator("#outbox")).to_be_empty()
    else:
        expect(person.cell(OTHER).locator(STATE)).to_have_attribute(*SAVED)
    state, kept = page.evaluate("JSON.parse(sessionStorage.getItem('seen'))")
    assert state in ("waiting", "saving", "saved")
    assert "77" in kept
    page.unroute(f"**/sections/{SECTION}/")
    person.open_section(sheet, SECTION)
    person.wait_saved()
    expect(page.locator(f"#cell-{OTHER}")).to_have_value("77")


def test_back_to_the_page_and_typing_on_is_saved(person: Any, sheet: int) -> None:
    page = person.page
    person.save("hub")
    page.go_back()
    page.wait_for_load_state()
    person.type_answer(OTHER, {"value": "78"})
    expect(person.cell(OTHER).locator(STATE)).to_have_attribute(*SAVED)
    person.open_section(sheet, SECTION)
    expect(page.locator(f"#cell-{OTHER}")).to_have_value("78")


def test_enter_in_a_field_does_not_reload_the_page(person: Any) -> None:
    page = person.page
    page.evaluate("window.stays = true")
    for name in (ITEM, OTHER):
        page.locator(f"#cell-{name}").focus()
        page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.evaluate("window.stays") is True


def test_a_leftover_of_a_filed_sheet_is_shown_sent_as_a_comment_or_discarded(visit: Any, stack: Any) -> None:
    person = visit("filed13")
    person.tolerate("status of 409")
    sheet = stack.manage(
        "import json; from survey.submissions.models import Submission;"
        "from survey.access.models import User; from survey.access.roles import Permission;"
        "user = User.objects.get(username='filed13');"
        "row = Submission.objects.visible_to(user, Permission.RESPOND).get(round__year=2025);"
        "print(json.dumps([row.pk, user.pk]))"
    )
    number, user = sheet
    section = f"/sheets/{number}/sections/P/"
    person.go(f"/sheets/{number}/")
    person.page.evaluate(
        """([name, entries]) => localStorage.setItem(name, JSON.stringify(entries))""",
        [
            f"sheet:{user}:{number}:{section}",
            [
                [
                    key,
                    {
                        "entries": [[f"{key}.value", text]],
                        "base": 1,
                        "seq": 1,
                        "name": f"{key} 数据量",
                        "words": f"{text} PB",
                    },
                ]
                for key, text in (("P01", "90"), ("P02", "91"))
            ],
        ],
    )
    person.go(section)
    lines = person.page.locator("#outbox li")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("P01 数据量")
    expect(lines.first).to_contain_text("90 PB")
    lines.first.locator("button").first.click()
    expect(lines).to_have_count(1)
    lines.first.locator("button").last.click()
    expect(person.page.locator("#outbox")).to_be_empty()
    assert person.page.evaluate(KEPT) == "[]"
    person.page.reload()
    expect(person.page.locator("#row-P01 .note-text")).to_contain_text("90 PB")


def test_three_clicks_store_one_file(person: Any, sheet: int) -> None:
    page = person.page
    person.go(f"/sheets/{sheet}/evidence/")
    stored = page.locator("tbody th a")
    before = stored.count()
    file = {"name": "ledger.txt", "mimeType": "text/plain", "buffer": b"storage 5 TB\n"}
    page.set_input_files("input[type=file]", file)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.evaluate(CLICK_THREE_TIMES)
    expect(stored).to_have_count(before + 1)
    assert len(sent) > 1  # the browser has sent it again
    person.go(f"/sheets/{sheet}/evidence/")
    expect(stored).to_have_count(before + 1)
