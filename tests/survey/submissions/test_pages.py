"""The respondent's pages as plain forms and as fragments; scope, wrong input, query budgets."""

import re

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from survey.collection.models import CollectionRound
from survey.questionnaires.loader import load_all
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Filing, Submission
from survey.submissions.selectors import sheet
from tests.factories import SIGNATORIES, make_sheet, make_unit, make_user

BUDGET = 12


@pytest.fixture
def row(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def browser(client, world):
    client.force_login(world.users["respondent"])
    return client


def url(name, row, *rest):
    return reverse(name, args=[row.pk, *rest])


def fields(row, **values):
    """A plain form post of a few cells."""
    data = {"revision": Submission.objects.get(pk=row.pk).revision, "cell": list(values)}
    for key, value in values.items():
        data |= {f"{key}.value": value, f"{key}.unit": "TB"}
    return data


def test_tasks_show_work_with_state_and_deadline(browser, world, row):
    page = browser.get(reverse("tasks")).content.decode()
    assert row.assignment.version.form_no in page and reverse("sheet_hub", args=[row.pk]) in page
    assert world.outside.name not in page


def test_start_is_a_post_and_opens_the_hub(browser, world):
    assert browser.get(reverse("sheet_start", args=[world.sheet.pk])).status_code == 405
    answer = browser.post(reverse("sheet_start", args=[world.sheet.pk]))
    assert answer.url == reverse("sheet_hub", args=[world.sheet.pk])
    assert Submission.objects.get(pk=world.sheet.pk).state == State.IN_PROGRESS


@pytest.mark.parametrize(
    "name", ["sheet_hub", "sheet_findings", "sheet_summary", "sheet_submit", "sheet_print"]
)
def test_every_page_opens_in_both_languages_within_budget(browser, row, name):
    browser.get(url(name, row))
    for language in ("zh-hans", "en"):
        browser.cookies["django_language"] = language
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = browser.get(url(name, row))
        assert answer.status_code == 200
        assert len(queries) <= BUDGET, [q["sql"][:90] for q in queries]
    with translation.override("en"):
        assert row.unit.name in answer.content.decode()


def test_a_choice_can_be_cleared_without_a_script(browser, row):
    form = sheet(row).definition
    code, section = next(
        (item.code, form.section_of(item.code).code) for item in form.items.values() if item.type == "yesno"
    )
    address = url("sheet_section", row, section)
    assert f'type="radio" name="{code}.value" value=""' in browser.get(address).content.decode()
    for chosen, stored in (("true", True), ("", None)):
        browser.post(address, fields(row, **{code: chosen}) | {"go": "stay"})
        assert (Submission.objects.get(pk=row.pk).answers.get(code) or {}).get("value") is stored


def test_hub_search_finds_items_by_code_and_label(browser, row):
    page = browser.get(url("sheet_hub", row), {"q": "s02"}).content.decode()
    assert f"{url('sheet_section', row, 'S')}#row-S02" in page and "#row-P01" not in page
    matches = browser.get(url("sheet_hub", row), {"q": "数据 存储"}).context["matches"]
    assert matches and all("数据" in item.label.zh and "存储" in item.label.zh for _section, item in matches)
    nothing = browser.get(url("sheet_hub", row), {"q": "<b>"}).content.decode()
    assert "&lt;b&gt;" in nothing and "<b>" not in nothing


def test_prefilled_answers_are_labelled_until_changed(browser, world):
    sheet = make_sheet(world.unit)
    browser.post(reverse("sheet_start", args=[sheet.pk]))
    notice = "取自单位名录"
    first = browser.get(url("sheet_section", sheet, "B")).content.decode()
    start = first.index('id="row-B02"')
    assert notice in first[start : first.index('id="row-B03"')]
    browser.post(url("sheet_section", sheet, "B"), fields(sheet, B02="改名后的单位"))
    second = browser.get(url("sheet_section", sheet, "B")).content.decode()
    start = second.index('id="row-B02"')
    assert notice not in second[start : second.index('id="row-B03"')]


def test_every_section_opens_within_budget(browser, row):
    for section, _progress in sheet(row).sections:
        with CaptureQueriesContext(connection) as queries:
            answer = browser.get(url("sheet_section", row, section.code))
        assert answer.status_code == 200 and len(queries) <= BUDGET
        body = answer.content.decode()
        assert all(f'id="row-{code}"' in body for code in section.items)
        assert "style=" not in body and "onclick" not in body


@pytest.mark.parametrize("who", ["outside_respondent", "provincial_administrator", "designer"])
@pytest.mark.parametrize(
    "name", ["sheet_hub", "sheet_findings", "sheet_summary", "sheet_submit", "sheet_print"]
)
def test_other_users_sheets_are_not_found(client, world, row, who, name):
    client.force_login(world.users[who])
    assert client.get(url(name, row)).status_code == 404


def test_plain_form_saves_and_opens_the_next_section(browser, row):
    data = fields(row, P01="3,276.8") | {"go": "next"}
    answer = browser.post(url("sheet_section", row, "P"), data)
    assert answer.status_code == 302 and answer.url == url("sheet_section", row, "S")
    assert Submission.objects.get(pk=row.pk).answers["P01"]["value"] == "3276.8"


def test_plain_form_keeps_typed_text_and_shows_the_error_at_its_cell(browser, row):
    before = row.answers["P01"]
    answer = browser.post(url("sheet_section", row, "P"), fields(row, P01="三千<script>", P02="5"))
    body = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="三千&lt;script&gt;"' in body and "<script>" not in body.split("<main")[1]
    assert 'href="#cell-P01"' in body and 'id="error-summary"' in body and 'aria-invalid="true"' in body
    answers = Submission.objects.get(pk=row.pk).answers
    assert answers["P01"] == before and answers["P02"]["value"] == "5"


def test_plain_form_with_old_revision_shows_the_conflict(browser, row):
    old = fields(row, P01="7")
    browser.post(url("sheet_section", row, "P"), fields(row, P01="5"))
    answer = browser.post(url("sheet_section", row, "P"), old)
    body = answer.content.decode()
    assert answer.status_code == 422 and "conflict" in body and 'value="7"' in body and "5 TB" in body
    assert "您的其他窗口" in body  # the other one is oneself
    colleague = Client()
    colleague.force_login(make_user("respondent", unit=row.unit))
    colleague.post(url("sheet_section", row, "P"), fields(row, P01="6"))
    body = browser.post(url("sheet_section", row, "P"), old).content.decode()
    assert "您的其他窗口" not in body and "6 TB" in body
    again = old | {"revision": Submission.objects.get(pk=row.pk).revision}
    assert browser.post(url("sheet_section", row, "P"), again).status_code == 302
    assert Submission.objects.get(pk=row.pk).answers["P01"]["value"] == "7"


def test_suggested_unit_is_applied_by_its_button(browser, row):
    browser.post(url("sheet_section", row, "P"), fields(row, P01="3.2") | {"suggest": "P01|PB|3.2"})
    assert Submission.objects.get(pk=row.pk).answers["P01"]["value"] == "3276.8"


def test_unticked_boxes_arrive_as_blank(browser, row):
    data = {"revision": row.revision, "cell": ["F09"]}
    browser.post(url("sheet_section", row, "F"), data)
    assert "F09" not in Submission.objects.get(pk=row.pk).answers


def test_autosave_answers_with_rows_and_revision(browser, row):
    data = fields(row, P01="999999")
    answer = browser.post(url("sheet_save", row, "P"), data, headers={"HX-Request": "true"})
    body = answer.content.decode()
    assert answer.status_code == 200 and answer.headers["Sheet-Revision"] == str(row.revision + 1)
    assert 'id="row-P01"' in body and 'hx-swap-oob="true"' in body and "<html" not in body
    assert "P01-" in body  # the sum rule is broken now and says so


def test_autosave_names_refused_cells(browser, row):
    answer = browser.post(
        url("sheet_save", row, "P"), fields(row, P01="-1", P02="2"), headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200 and answer.headers["Sheet-Refused"] == "P01"


def test_autosave_makes_rows_appear_and_disappear(browser, row):
    headers = {"HX-Request": "true"}
    off = browser.post(
        url("sheet_save", row, "K"), fields(row, K01="false"), headers=headers
    ).content.decode()
    assert re.search(r'id="row-K02"\s+data-item="K02"\s+hx-swap-oob="true"\s+hidden>', off)
    on = browser.post(url("sheet_save", row, "K"), fields(row, K01="true"), headers=headers).content.decode()
    assert re.search(r'id="row-K02"\s+data-item="K02"\s+hx-swap-oob="true"\s*>', on)


def test_autosave_after_closing_shows_the_reason(browser, row):
    CollectionRound.objects.filter(year=2025).update(state=CollectionRound.State.CLOSED)
    answer = browser.post(url("sheet_save", row, "P"), fields(row, P01="1"), headers={"HX-Request": "true"})
    assert answer.status_code == 409 and "2025" in answer.content.decode()


def test_expired_session_returns_a_sign_in_header(client, row):
    answer = client.post(url("sheet_save", row, "P"), {"revision": 1}, headers={"HX-Request": "true"})
    assert answer.status_code == 401 and "sign-in" in answer.headers["X-Sign-In"]


def test_autosave_stays_within_the_query_budget(browser, row):
    """Queries, not seconds: ``manage.py benchmark_pages`` measures the time."""
    for number in range(3):
        with CaptureQueriesContext(connection) as queries:
            answer = browser.post(
                url("sheet_save", row, "P"),
                fields(row, P01=str(1000 + number)),
                headers={"HX-Request": "true"},
            )
        assert answer.status_code == 200
        assert len(queries) <= 19  # the last one: remarks of the rows that are swapped


def test_findings_page_refuses_boilerplate_and_redisplays_it(browser, world, row):
    row.answers["S01"] = {"value": "999999999", "entered": "999999999", "unit": "TB"}
    row.answers["S02"] = {"value": "1", "entered": "1", "unit": "TB"}
    row.save()
    unexplained = sheet(Submission.objects.get(pk=row.pk)).unexplained
    assert unexplained
    data = {
        "edit": unexplained[0].edit,
        "fingerprint": unexplained[0].fingerprint,
        "reason_code": "",
        "text": "核实无误核实无误核实",
    }
    answer = browser.post(url("sheet_explain", row), data)
    assert answer.status_code == 422 and "核实无误核实无误核实" in answer.content.decode()


def test_submission_receipt_and_recall(browser, world, row):
    summary = browser.get(url("sheet_summary", row)).content.decode()
    assert f"revision={row.revision}" in summary
    stale = browser.post(
        url("sheet_submit", row), SIGNATORIES | {"statement": "on", "revision": row.revision - 1}
    )
    assert stale.status_code == 422 and not Filing.objects.exists()
    unsigned = browser.post(
        url("sheet_submit", row), SIGNATORIES | {"revision": row.revision, "phone": "abc"}
    )
    assert unsigned.status_code == 422 and "#id_statement" in unsigned.content.decode()
    done = browser.post(url("sheet_submit", row), SIGNATORIES | {"statement": "on", "revision": row.revision})
    assert done.url == url("sheet_receipt", row)
    filing = Filing.objects.get(submission=row)
    receipt = browser.get(done.url).content.decode()
    assert filing.content_hash in receipt and SIGNATORIES["unit_head"] in receipt
    filed = browser.get(url("sheet_filed", row, 1))
    assert filed.status_code == 200 and browser.get(url("sheet_filed", row, 2)).status_code == 404
    text = browser.get(url("sheet_filed", row, 1) + "?download").content
    import hashlib

    assert hashlib.sha256(text).hexdigest() == filing.content_hash
    assert browser.post(url("sheet_recall", row)).status_code == 302
    assert Submission.objects.get(pk=row.pk).state == State.IN_PROGRESS


def test_returned_sheet_shows_comments_and_takes_answers(client, world):
    unit = make_unit("CAT03", "320000")
    client.force_login(make_user("respondent", unit=unit))
    row = make_sheet(unit, State.SUBMITTED)
    query = row.queries.create(item="P01", text="单位是否为PB")
    Submission.objects.filter(pk=row.pk).update(state=State.RETURNED, return_reason="请核实单位")
    hub = client.get(url("sheet_hub", row)).content.decode()
    assert "请核实单位" in hub and "单位是否为PB" in hub
    assert "单位是否为PB" in client.get(url("sheet_section", row, "P")).content.decode()
    obstacle = client.get(url("sheet_submit", row)).content.decode()
    assert f"{url('sheet_hub', row)}#comments" in obstacle  # a comment is answered there, not at the findings
    reply = reverse("sheet_reply", args=[row.pk, query.pk])
    client.post(reply, {"text": "已改为PB", "corrected": "yes", "section": "P"})
    query.refresh_from_db()
    assert (query.state, query.reply, query.corrected) == ("answered", "已改为PB", True)


def test_largest_section_fits_into_one_post():
    """As a plain form a section sends value, unit, base and key of every cell at once."""
    for form in load_all().values():
        for section in form.sections:
            fields = sum(4 * cells_of(form.items[code]) for code in section.items)
            assert fields < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, (form.form_no, section.code)


def cells_of(item):
    """Cells of an item on the page; an open table is taken with a hundred rows."""
    if item.rows is None:
        return 1
    return len(item.columns) * (len(item.rows.ids) if item.rows.kind == "fixed" else 100)


def test_sections_explain_each_number_and_show_no_code_of_an_indicator_and_no_expression(browser, row):
    form = sheet(row).definition
    for section in form.sections:
        page = browser.get(url("sheet_section", row, section.code)).content.decode()
        assert not re.search(r"(TXT|SUP|CIR|USE)-\d|T[12]-[A-Z]|S02 &gt;|\? D01", page), section.code
        numbers = [
            code for code in section.items if code in sheet(row).relevant and form.items[code].is_numeric
        ]
        assert page.count("去哪里找这个数：") >= len(numbers)


def test_two_breakdowns_of_one_total_stand_under_their_own_headings(browser, row):
    page = browser.get(url("sheet_section", row, "P")).content.decode()
    adds_up, overlaps = page.index("按来源分，三项之和等于"), page.index("按领域另行分组，可重叠，不相加")
    at = {code: page.index(f'id="row-{code}"') for code in ("P01", "P02", "P04", "P06")}
    assert at["P01"] < at["P02"] < adds_up < at["P04"] < overlaps
    assert page.count('class="item-group"') == 2
