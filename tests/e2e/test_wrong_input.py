"""Invalid input gives a clear error in the language of the user, and no entry is lost."""

from typing import Any

import pytest
from playwright.sync_api import expect

USER, SECTION, ITEM, OTHER = "cat08", "P", "P01", "P02"
NEIGHBOUR = "cat09"
CLOSED_ROUND = "cat12"  # was asked in 2024 and has not answered
SCRIPT = "<script>document.title = 'broken in'</script>"
WRONG = {
    "letters": ("三千二百 TB左右", {"zh-hans": "不能作为数值", "en": "is not a number"}),
    "negative": ("-5", {"zh-hans": "不能填写负数", "en": "must not be negative"}),
    "immense": ("1" + "0" * 30, {"zh-hans": "数值过大", "en": "too large"}),
    "script": (SCRIPT, {"zh-hans": "不能作为数值", "en": "is not a number"}),
}
ROUND_CLOSED = {
    "zh-hans": "2024年度调查已关闭，不能再修改。",
    "en": "The 2024 round is closed. Answers can no longer be changed.",
}
POST = """async ([path, body, headers]) => {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const answer = await fetch(path, {method: "POST", body: new URLSearchParams(body),
    headers: {"X-CSRFToken": token, ...headers}});
  return [answer.status, await answer.text()];
}"""


@pytest.fixture
def sheet(plans: dict[str, Any]) -> int:
    """The sheet that these tests type in."""
    return int(plans[USER]["sheet"])


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("kind", WRONG)
def test_an_invalid_number_is_refused_beside_its_cell(
    visit: Any, sheet: int, kind: str, language: str
) -> None:
    typed, sentences = WRONG[kind]
    person = visit(USER, language=language)
    person.tolerate("status of 422")  # the whole page comes back with its errors
    person.open_section(sheet, SECTION)
    person.type_answer(ITEM, {"value": "640"})
    expect(person.page.locator("#sheet-state")).to_have_attribute("data-state", "saved")

    person.type_answer(ITEM, {"value": typed})
    error = person.cell(ITEM).locator(".form-error")
    expect(error).to_contain_text(sentences[language])  # by autosave, on the page as it stands
    expect(person.page.locator("#sheet-state")).to_have_attribute("data-state", "refused")

    person.save("next")  # by the button: the page again, with a summary that leads to the cell
    summary = person.page.locator("#error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text(sentences[language])
    assert summary.locator("a").first.get_attribute("href") == f"#cell-{ITEM}"
    expect(person.page.locator(f"#cell-{ITEM}")).to_have_value(typed)
    expect(person.page.locator(f"#cell-{ITEM}")).to_have_attribute("aria-invalid", "true")
    assert "broken in" not in person.page.title()

    person.open_section(sheet, SECTION)
    expect(person.page.locator(f"#cell-{ITEM}")).to_have_value(typed)  # kept with its reason
    expect(person.cell(ITEM).locator(".refused-value")).to_contain_text(
        "640"
    )  # the stored answer has not moved
    person.page.locator(f'button[name="discard"][value="{ITEM}"]').click()
    expect(person.page.locator(f"#cell-{ITEM}")).to_have_value("640")


def test_full_width_digits_are_digits(visit: Any, sheet: int) -> None:
    person = visit(USER)
    person.open_section(sheet, SECTION)
    person.type_answer(ITEM, {"value": "３，２００"})
    expect(person.page.locator("#sheet-state")).to_have_attribute("data-state", "saved")
    person.open_section(sheet, SECTION)
    expect(person.page.locator(f"#cell-{ITEM}")).to_have_value("3,200")


def test_markup_in_a_text_is_shown_as_it_was_typed(visit: Any, sheet: int) -> None:
    person = visit(USER)
    person.open_section(sheet, "B")
    cell = person.page.locator(".item-answer .cell:has(textarea)").first
    key, box = cell.get_attribute("data-key"), cell.locator("textarea")
    box.fill(SCRIPT)
    box.blur()
    expect(person.page.locator("#sheet-state")).to_have_attribute("data-state", "saved")
    person.go(f"/sheets/{sheet}/summary/")
    assert SCRIPT in person.text()
    assert "broken in" not in person.page.title()
    person.open_section(sheet, "B")
    person.type_answer(key, {"value": ""})
    expect(person.page.locator("#sheet-state")).to_have_attribute("data-state", "saved")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("zh-hans", "不属于您所在的单位或地区"), ("en", "it does not belong to your organisation or region")],
)
def test_another_units_pages_do_not_exist(
    visit: Any, plans: dict[str, Any], sheet: int, language: str, sentence: str
) -> None:
    person = visit(USER, language=language)
    person.tolerate("status of 404")
    other = plans[NEIGHBOUR]["sheet"]
    for path in (
        f"/sheets/{other}/",
        f"/sheets/{other}/sections/P/",
        f"/sheets/{other}/receipt/",
        "/sheets/99999999/",
    ):
        assert person.go(path).status == 404, path
        assert sentence in person.text(), path
        assert person.page.locator("html").get_attribute("lang") == ("en" if language == "en" else "zh-CN")
    person.go(f"/sheets/{sheet}/")
    status, _body = person.page.evaluate(
        POST, [f"/sheets/{other}/sections/P/save/", {"cell": ITEM, f"{ITEM}.value": "1", "revision": "1"}, {}]
    )
    assert status == 404


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_two_tabs_on_one_cell_show_both_versions_and_lose_nothing(
    visit: Any, sheet: int, language: str
) -> None:
    first, second = visit(USER, language=language), visit(USER, language=language)
    first.open_section(sheet, SECTION)
    first.type_answer(ITEM, {"value": "500", "unit": "TB"})
    expect(first.page.locator("#sheet-state")).to_have_attribute("data-state", "saved")
    second.open_section(sheet, SECTION)
    first.type_answer(ITEM, {"value": "700"})
    expect(first.page.locator("#sheet-state")).to_have_attribute("data-state", "saved")

    second.type_answer(ITEM, {"value": "900"})
    conflict = second.page.locator(f"#feedback-{ITEM} .conflict")
    for version in ("900", "700", "500"):  # mine, theirs, and what it was before
        expect(conflict.locator("dl")).to_contain_text(version)
    second.type_answer(OTHER, {"value": "33"})  # a cell of the same rule: no conflict, and this one stays
    expect(second.cell(OTHER).locator(".cell-state")).to_have_attribute("data-state", "saved")
    expect(second.page.locator(f"#cell-{ITEM}")).to_have_value("900")
    expect(conflict).to_be_visible()
    first.open_section(sheet, SECTION)
    expect(first.page.locator(f"#cell-{ITEM}")).to_have_value("700")
    expect(first.page.locator(f"#cell-{OTHER}")).to_have_value("33")

    conflict.locator("[data-keep]").click()
    expect(conflict).to_have_count(0)
    expect(second.page.locator("#sheet-state")).to_have_attribute("data-state", "saved")
    first.open_section(sheet, SECTION)
    expect(first.page.locator(f"#cell-{ITEM}")).to_have_value("900")

    second.type_answer(ITEM, {"value": "910"})
    expect(second.page.locator("#sheet-state")).to_have_attribute("data-state", "saved")
    first.type_answer(ITEM, {"value": "1000"})
    first.page.locator(f"#feedback-{ITEM} .conflict [data-take]").click()
    expect(first.page.locator(f"#cell-{ITEM}")).to_have_value("910")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_closed_round_can_be_read_and_not_changed(visit: Any, stack: Any, language: str) -> None:
    person = visit(CLOSED_ROUND, language=language)
    person.tolerate("status of 409")
    old = person.page.request.get(f"{stack.url}/api/v1/sheets/").json()["results"]
    sheet = next(row["id"] for row in old if row["year"] == 2024)
    person.go(f"/sheets/{sheet}/")
    assert ROUND_CLOSED[language] in person.text()
    section = person.page.locator(".hub-link").nth(1).get_attribute("href")
    assert person.go(section).status == 200
    assert ROUND_CLOSED[language] in person.text()
    expect(person.page.locator(".sheet-actions button")).to_have_count(0)
    for box in person.page.locator(".cell input[type=text]").all():
        expect(box).not_to_be_editable()
    key = person.page.locator(".cell").first.get_attribute("data-key")
    sent = {"cell": key, f"{key}.value": "1", "revision": "1"}
    # Whoever posts all the same hears why: a script in its fragment, a form on the page that it leads back to.
    for path, headers, expected in (
        (f"{section}save/", {"HX-Request": "true"}, 409),
        (f"{section}save/", {}, 200),
        (section, {}, 200),
    ):
        status, body = person.page.evaluate(POST, [path, sent, headers])
        assert status == expected, path
        assert ROUND_CLOSED[language] in body, path
