"""Hostile input: every string is stored unchanged, or refused with a message and redisplayed.

No input causes a server error, markup on a page or a formula in a workbook.
"""

from html import escape
from io import BytesIO

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission
from survey.submissions.selectors import sheet
from survey.submissions.workbook.presentation import write_workbook
from tests.factories import make_sheet

TEXT = "B14"  # free text on the page of the unit
AMOUNT = "P01"
STORED = {
    "markup": "<script>alert(1)</script>",
    "attribute": '" onfocus="alert(1)" x="',
    "closing tags": "</textarea></td></table><b>",
    "template": "{{ request.user }}{% debug %}{# #}",
    "statement": "'); DROP TABLE survey_submission; --",
    "format": "%s %(x)s {0} {x!r} \\N{BULLET}",
    "formula": "=HYPERLINK(\"http://example.org\",\"x\")",
    "formula with plus": "+1+cmd|' /C calc'!A0",
    "formula with at": "@SUM(A1:A9)",
    "rare han": "𠮷野家・𬸚集团㍿",
    "half and full width": "ＡＢＣ１２３ｱｲｳ、。！",
    "emoji and joiners": "👩‍💻👨‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "combining": "Z̶̢̛a̷l̴g̵o̶ \u00e9",
    "right to left": "שלום مرحبا",
    "uighur and tibetan": "شىنجاڭ བོད་ལྗོངས",
    "quotes": "“引号” ‘单’ «» ''\"\"``",
    "backslashes": "C:\\temp\\new\\0",
    "long": "数" * 400,
    "null words": "null undefined None NaN true",
}  # fmt: skip
REFUSED = {"nul": "a\x00b", "bell": "a\x07b", "override": "abc\u202etxt.exe", "escape": "\x1b[31mred"}
NUMBERS = {
    "１２３": "123", "１，２３４．５": "1234.5", "　42　": "42", "1,234,567": "1234567", "3.20": "3.2",
    "0": "0", "-0": "0", "３万": "30000", "1.5亿": "150000000",
}  # fmt: skip
NOT_NUMBERS = [
    "NaN", "Infinity", "-inf", "1e309", "0x10", "1_000", "٣٤", "१२", "²", "10²", "½", "①", "1,23,4", "--1", "1 2 3 4", "１２abc",
    "9" * 90, "=1+1", "1;2", "<b>1</b>", "1\x000",
]  # fmt: skip


@pytest.fixture
def row(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def browser(client, world):
    client.force_login(world.users["respondent"])
    return client


def save(browser, row, key, value):
    revision = Submission.objects.get(pk=row.pk).revision
    section = sheet(row).definition.section_of(key).code
    return browser.post(
        reverse("sheet_save", args=[row.pk, section]),
        {
            "revision": revision,
            "cell": key,
            f"{key}.base": revision,
            f"{key}.value": value,
            f"{key}.unit": "TB",
        },
        headers={"HX-Request": "true"},
    )


def stored(row, key):
    return (Submission.objects.get(pk=row.pk).answers.get(key) or {}).get("value")


@pytest.mark.parametrize("name", STORED)
def test_text_is_stored_unchanged_and_escaped(browser, row, name):
    text = STORED[name]
    answer = save(browser, row, TEXT, text)
    assert answer.status_code == 200 and answer.headers["Sheet-Refused"] == ""
    assert stored(row, TEXT) == text
    for page in (
        reverse("sheet_section", args=[row.pk, sheet(row).definition.section_of(TEXT).code]),
        reverse("sheet_summary", args=[row.pk]),
    ):
        body = browser.get(page).content.decode()
        assert escape(text, quote=True).replace("&#x27;", "&#39;") in body.replace("&#x27;", "&#39;")
        if "<" in text:
            assert text not in body
    row.refresh_from_db()
    book = load_workbook(BytesIO(write_workbook(sheet(row), "zh-hans"))).worksheets[0]
    key_cell = next(cell for cell in book["A"] if cell.value == TEXT)
    cell = book.cell(key_cell.row, 5)
    assert (cell.value, cell.data_type) == (text, "s")


@pytest.mark.parametrize("name", REFUSED)
def test_control_characters_are_refused(browser, row, name):
    before = stored(row, TEXT)
    answer = save(browser, row, TEXT, REFUSED[name])
    assert answer.status_code == 200 and answer.headers["Sheet-Refused"] == TEXT
    assert stored(row, TEXT) == before
    assert f'id="row-{TEXT}"' in answer.content.decode() and "is-invalid" in answer.content.decode()


@pytest.mark.parametrize("text", NUMBERS)
def test_number_notations_are_parsed(browser, row, text):
    answer = save(browser, row, AMOUNT, text)
    assert answer.headers["Sheet-Refused"] == "" and stored(row, AMOUNT) == NUMBERS[text]


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_invalid_number_is_refused_and_redisplayed(browser, row, text):
    before = stored(row, AMOUNT)
    answer = save(browser, row, AMOUNT, text)
    assert answer.status_code == 200 and answer.headers["Sheet-Refused"] == AMOUNT
    assert stored(row, AMOUNT) == before
    body = answer.content.decode()
    assert "is-invalid" in body
    if "\x00" not in text:
        assert escape(text, quote=True) in body


@pytest.mark.parametrize("text", [*REFUSED.values(), *NOT_NUMBERS])
def test_api_refuses_invalid_values_with_a_message(browser, row, text):
    key = TEXT if text in REFUSED.values() else AMOUNT
    before = stored(row, key)
    revision = Submission.objects.get(pk=row.pk).revision
    answer = browser.patch(
        f"/api/v1/sheets/{row.pk}/answers/",
        {"answers": {key: {"value": text, "unit": "TB"}}},
        content_type="application/json",
        headers={"If-Match": f'"{revision}"'},
    )
    assert answer.status_code in {400, 409, 422}, answer.content[:300]
    assert stored(row, key) == before
    assert key in answer.content.decode()


def test_query_strings_and_reasons_never_crash_a_page(browser, row):
    # Query parameters are untrusted input as well.
    for text in [*STORED.values(), *REFUSED.values()]:
        status = 400 if "\x00" in text else 200
        for address in ("sheet_hub", "sheet_findings"):
            assert (
                browser.get(reverse(address, args=[row.pk]), {"q": text, "next": text}).status_code == status
            )
        section = reverse("sheet_section", args=[row.pk, "P"])
        assert browser.get(section, {"add_row": text}).status_code == status
        explained = browser.post(
            reverse("sheet_explain", args=[row.pk]),
            {"edit": text, "text": text, "code": text, "revision": text},
        )
        assert explained.status_code in {200, 302, 400, 404, 422}
