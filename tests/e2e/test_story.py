"""The whole story in one test: filled, stopped, explained, returned, corrected, accepted twice, estimated."""

import re
from decimal import Decimal
from typing import Any

from playwright.sync_api import expect

USER = "cat13"
ITEM, SECTION = "P01", "P"
LARGE = Decimal(4_000_000)  # TB: far above the mean of any stratum of the category
COMMENT = "请说明物联网感知数据的统计范围。"
REPLY = "已按机房日志更正，范围为全部生产线。"


def test_a_sheet_is_filed_reviewed_accepted_and_estimated(visit: Any, plans: dict[str, Any]) -> None:
    plan = plans[USER]
    sheet, answers = plan["sheet"], dict(plan["answers"])
    amounts = [key for key, cell in answers.items() if key.startswith(SECTION) and "unit" in cell]
    factor = int(LARGE / Decimal(answers[ITEM]["value"])) + 1
    for key in amounts:
        answers[key] = times(answers[key], factor)
    unknown = next(key for key in plan["unknown"] if key not in amounts)
    answers[unknown] = {"missing": "unknown"}  # calls for a reason

    methodologist = visit("methodologist")
    before = national_total(methodologist, run(methodologist))

    respondent = visit(USER)
    fill(respondent, plan, sheet, answers)
    stopped_by_a_hard_edit(respondent, sheet, answers)
    assert respondent.findings(sheet)["hard"] == []
    assert respondent.explain_all(sheet) >= 1
    respondent.submit(sheet)
    assert respondent.go(f"/sheets/{sheet}/sections/{SECTION}/").status == 200
    expect(respondent.page.locator(f'[name="{ITEM}.value"]')).not_to_be_editable()

    province = visit(plan["desk"])
    returned_with_a_comment(province, sheet)
    corrected_and_filed_again(respondent, sheet, {key: times(answers[key], 2) for key in amounts})
    accepted(province, sheet)
    reviewer = visit("reviewer")
    accepted(reviewer, sheet)

    after = national_total(methodologist, run(methodologist))
    assert after > before, "the accepted sheet must raise the national number"
    respondent.go(f"/sheets/{sheet}/receipt/")
    assert "已验收" in respondent.text()


def times(cell: dict[str, Any], factor: int) -> dict[str, Any]:
    """The cell with a larger number."""
    value = format(Decimal(cell["value"]) * factor, "f")
    return {"value": value, "entered": value, "unit": "TB"}


def fill(respondent: Any, plan: dict[str, Any], sheet: int, answers: dict[str, Any]) -> None:
    """Every section, through the buttons that lead from one to the next."""
    respondent.go("/tasks/")
    respondent.page.locator(
        f'a[href="/sheets/{sheet}/"], form[action="/sheets/{sheet}/start/"] button'
    ).first.click()
    respondent.page.wait_for_load_state()
    for code, items in plan["sections"].items():
        respondent.open_section(sheet, code)
        respondent.fill_section(items, answers)
        respondent.save("next")


def stopped_by_a_hard_edit(respondent: Any, sheet: int, answers: dict[str, Any]) -> None:
    """A part above its total: the page says so beside the cell and there is no way to submit."""
    respondent.open_section(sheet, SECTION)
    respondent.type_answer("P02", times(answers["P01"], 2))
    respondent.wait_saved()
    expect(respondent.page.locator("#row-P01 .finding-hard, #row-P02 .finding-hard").first).to_be_visible()
    assert respondent.findings(sheet)["hard"]
    respondent.go(f"/sheets/{sheet}/summary/")
    expect(respondent.page.locator(f'a[href^="/sheets/{sheet}/submit/"]')).to_have_count(0)
    respondent.open_section(sheet, SECTION)
    respondent.type_answer("P02", answers["P02"])
    respondent.wait_saved()


def returned_with_a_comment(province: Any, sheet: int) -> None:
    """The desk finds the sheet in its queue, comments on an item and returns it."""
    province.go("/review/")
    expect(province.page.locator(f'a[href*="/review/{sheet}/"]').first).to_be_visible()
    province.go(f"/review/{sheet}/")
    line = province.page.locator(f"#item-{ITEM}")
    line.locator("details.ask summary").click()
    ask = line.locator("details.ask form:not(.propose)")
    ask.locator("textarea").fill(COMMENT)
    ask.locator("button").click()
    expect(province.page.locator("#comments")).to_contain_text(COMMENT)
    province.page.locator("details[data-return] > summary").click()
    panel = province.page.locator("details[data-return] form")
    panel.locator("textarea").first.fill("P01 的口径需要核实。")
    panel.locator("button.btn-primary").click()
    province.page.wait_for_load_state()
    province.go(f"/review/{sheet}/")
    assert "已退回" in province.text(".review-state")


def corrected_and_filed_again(respondent: Any, sheet: int, corrected: dict[str, Any]) -> None:
    """The respondent reads the comment at the item, corrects, answers, and files again."""
    respondent.go("/tasks/")
    assert "P01 的口径需要核实。" in respondent.text()
    respondent.open_section(sheet, SECTION)
    expect(respondent.page.locator(f"#feedback-{ITEM}")).to_contain_text(COMMENT)
    for key, cell in corrected.items():
        if respondent.cell(key).count():
            respondent.type_answer(key, cell)
    respondent.wait_saved()
    reply = respondent.page.locator(f"#feedback-{ITEM} .query-reply")
    reply.locator("input[name=text]").fill(REPLY)
    reply.locator("input[name=corrected]").check()
    reply.locator("button").click()
    respondent.page.wait_for_load_state()
    assert respondent.findings(sheet)["hard"] == []
    respondent.explain_all(sheet)
    respondent.submit(sheet)


def accepted(desk: Any, sheet: int) -> None:
    """Settle the open comments, accept the explanations, and accept."""
    desk.go(f"/review/{sheet}/")
    while (close := desk.page.locator("#comments form[action*='/review/queries/'] button").first).count():
        close.click()
        desk.page.wait_for_load_state()
    while (verdict := desk.page.locator("form.verdict button[value=accepted]").first).count():
        verdict.click()
        desk.page.wait_for_load_state()
    desk.page.locator("[data-accept]").click()
    desk.page.wait_for_load_state()
    assert not desk.page.locator(".error-summary").count(), desk.text(".error-summary")


def run(methodologist: Any) -> int:
    """Press run, watch the stages, and wait for the end. Returns the key of the run."""
    methodologist.go("/estimation/runs/new/")
    methodologist.page.locator("form[method=post] .btn-primary").last.click()
    methodologist.page.wait_for_url(re.compile(r"/estimation/runs/\d+/"))
    key = int(re.findall(r"/runs/(\d+)/", methodologist.page.url)[0])
    expect(methodologist.page.locator("#progress .pill-good")).to_be_visible(timeout=90_000)
    return key


def national_total(methodologist: Any, key: int) -> Decimal:
    """The national total of the item, in TB, as the result page prints it."""
    methodologist.go(
        f"/estimation/results/domain/?variable={ITEM}&statistic=total&kind=nation&year=2025&run={key}"
    )
    printed = methodologist.page.locator("tbody tr td.num").first.inner_text()
    return Decimal(printed.replace(",", ""))
