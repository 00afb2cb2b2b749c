"""The form and the receipt as PDF, and the receipt by e-mail."""

from decimal import Decimal
from io import BytesIO

import openpyxl
import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from survey.audit import AuditEvent
from survey.jobs.models import Job
from survey.questionnaires.answering import units
from survey.questionnaires.loader import load_questionnaire
from survey.questionnaires.statutory import statutory_header
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.filing.selectors import receipt_number
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission
from survey.submissions.page.remarks import change_text
from survey.submissions.printing import services as receipts
from survey.submissions.printing.presentation import form_content
from survey.submissions.selectors import latest_filing, sheet
from tests.background import do, do_waiting
from tests.factories import SIGNATORIES, make_sheet, make_unit
from tests.survey.questionnaires.conftest import make_item


@pytest.fixture
def filed(world):
    return make_sheet(world.unit, State.SUBMITTED)


@pytest.fixture
def browser(client, world):
    client.force_login(world.users["respondent"])
    return client


def shown(content, code):
    return next(item for section in content["sections"] for item in section["items"] if item["code"] == code)


def test_the_blank_form_has_every_item_with_its_definition(world):
    content = form_content(sheet(world.sheet), "zh-hans", filled=False, synthetic=True)
    codes = [item["code"] for section in content["sections"] for item in section["items"]]
    assert codes == [c for section in sheet(world.sheet).definition.sections for c in section.items]
    assert shown(content, "P01")["paragraphs"][0]["text"] and not shown(content, "P01")["answer"]
    assert "□" in shown(content, "B06")["choices"]
    assert len(shown(content, "F11")["table"]["rows"]) == 32
    assert content["synthetic"] and content["receipt"] == []


def test_the_filled_form_leaves_out_what_does_not_apply(world):
    row = make_sheet(world.unit, State.IN_PROGRESS)
    content = form_content(sheet(row), "en", filled=True, synthetic=False)
    codes = {item["code"] for section in content["sections"] for item in section["items"]}
    assert codes == set(sheet(row).effective)
    assert shown(content, "P01")["answer"].endswith("TB")
    assert content["synthetic"] == ""


def test_statutory_header_uses_the_settings(settings):
    form = load_questionnaire("CAT12")
    assert ("国家数据局" in [text for _name, text in statutory_header(form, "zh-hans")]) is True
    settings.SURVEY_AUTHORITY, settings.SURVEY_APPROVAL_NUMBER = "某局", "国统制〔2026〕1号"
    texts = [text for _name, text in statutory_header(form, "zh-hans")]
    assert texts[:2] == [form.form_no, "某局"] and "国统制〔2026〕1号" in texts
    assert [text for _name, text in statutory_header(form, "en")][1] == "某局"
    settings.SURVEY_AUTHORITY_EN = "Some Bureau"
    assert [text for _name, text in statutory_header(form, "en")][1] == "Some Bureau"
    assert [text for _name, text in statutory_header(form, "zh-hans")][1] == "某局"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_receipt_is_reproducible_and_shows_hash_and_content(filed, language):
    filing = latest_filing(filed)
    filing.submission = filed
    first, second = (receipts.receipt_pdf(filing, language) for _ in range(2))
    assert first == second and first.startswith(b"%PDF")
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(first)).pages).replace(" ", "")
    assert filing.content_hash in text.replace("\n", "") and receipt_number(filing) in text
    assert filed.unit.name in text and SIGNATORIES["unit_head"] in text
    assert "P01" in text
    assert ("模拟" if language == "zh-hans" else "synthetic") in text


def test_a_wide_table_is_printed_as_a_list(world):
    row = make_sheet(make_unit("CAT06", "110000"), State.IN_PROGRESS)
    content = form_content(sheet(row), "zh-hans", filled=True, synthetic=False)
    table = shown(content, "MO03")["table"]
    assert table["wide"] and all("→" in name and text for name, text in table["rows"])
    blank = form_content(sheet(row), "zh-hans", filled=False, synthetic=False)
    assert shown(blank, "MO03")["table"]["rows"] == []


def test_pdf_downloads(browser, world, filed):
    for url in (
        reverse("sheet_pdf", args=[filed.pk]),
        reverse("sheet_pdf", args=[filed.pk]) + "?filled",
        reverse("filed_pdf", args=[filed.pk, 1]),
    ):
        answer = browser.get(url)
        assert answer.headers["Content-Type"] == "application/pdf", url
        assert BytesIO(answer.content).read(4) == b"%PDF"
    assert browser.get(reverse("filed_pdf", args=[filed.pk, 9])).status_code == 404


def test_the_receipt_is_mailed_once_to_whoever_filed(world, filed, mailoutbox):
    filing = latest_filing(filed)
    person = world.users["respondent"]
    person.email = "filler@example.org"
    person.save()
    filing.filed_by = person
    filing.save()
    do("receipt", filing.pk, language="en")
    do("receipt", filing.pk, language="en")  # a repeated job
    (message,) = mail.outbox
    assert message.to == ["filler@example.org"]
    assert filing.content_hash in message.body and receipt_number(filing) in message.subject
    assert message.attachments[0][0] == f"{receipt_number(filing)}.pdf"
    assert AuditEvent.objects.filter(action="receipt_sent").count() == 1


def test_no_receipt_without_an_address(filed, mailoutbox):
    assert do("receipt", latest_filing(filed).pk, language="zh-hans").state == Job.State.DONE
    assert mail.outbox == []


def test_submission_enqueues_the_receipt_in_its_transaction(browser, world):
    row = make_sheet(world.unit, State.IN_PROGRESS)
    browser.post(
        reverse("sheet_submit", args=[row.pk]),
        {**SIGNATORIES, "statement": "on", "revision": row.revision},
    )
    row.refresh_from_db()
    job = Job.objects.get(kind="receipt", key=latest_filing(row).pk)
    assert (job.state, job.arguments) == (Job.State.WAITING, {"language": "zh-hans"})


def test_receipt_is_retried_when_the_mail_server_is_down(world, filed, mailoutbox, settings):
    filing = latest_filing(filed)
    person = world.users["respondent"]
    person.email = "filler@example.org"
    person.save()
    filing.filed_by = person
    filing.save()
    usual = settings.MAILERS
    settings.MAILERS = {  # a closed port
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 1},
        }
    }
    job = do("receipt", filing.pk, language="en")
    settings.MAILERS = usual
    assert job.state == Job.State.WAITING and job.available_at > timezone.now()
    do_waiting("receipt")
    assert [message.to for message in mail.outbox] == [["filler@example.org"]]


@pytest.fixture
def filed_in_petabytes(world):
    """A filing with one amount in another unit than the stored one."""
    row = make_sheet(world.unit, State.IN_PROGRESS)
    respondent = world.users["respondent"]
    number = row.answers["P07"]["value"]
    typed = {"value": units.plain(units.convert(Decimal(number), "TB", "GB")), "unit": "GB"}
    services.autosave(row, by=respondent, changes={"P07": typed}, base_revision=row.revision)
    row = Submission.objects.get(pk=row.pk)
    services.submit(row, by=respondent, signatories=SIGNATORIES, shown_revision=row.revision)
    return Submission.objects.get(pk=row.pk)


def test_summary_filed_form_and_receipt_show_the_unit_in_which_people_typed(browser, filed_in_petabytes):
    row = filed_in_petabytes
    typed = f"{units.format_number(Decimal(row.answers['P07']['entered']))} GB"
    for name, rest in (("sheet_summary", []), ("sheet_filed", [1])):
        assert typed in browser.get(reverse(name, args=[row.pk, *rest])).content.decode(), name
    content = form_content(sheet(row), "en", filled=True, synthetic=False)
    assert shown(content, "P07")["answer"] == typed


def test_the_content_of_a_filing_is_a_workbook(browser, filed_in_petabytes):
    row = filed_in_petabytes
    answer = browser.get(reverse("filed_workbook", args=[row.pk, 1]))
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    facts, answers = openpyxl.load_workbook(BytesIO(answer.content)).worksheets
    assert row.filings.get().content_hash in {line[1] for line in facts.iter_rows(values_only=True)}
    lines = {line[1]: line for line in answers.iter_rows(min_row=2, values_only=True)}
    assert set(lines) == set(row.filings.get().answers)
    assert lines["P07"][5].endswith(" GB")
    assert lines["P07"][6:8] == (pytest.approx(float(row.answers["P07"]["value"])), "TB")
    again = browser.get(reverse("filed_workbook", args=[row.pk, 1]))
    assert again.content == answer.content


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        ("150", "100", "+50.0%"),
        ("97.5", "100", "-2.5%"),
        ("1230", "100", "12.3 ×"),
        ("5", None, ""),
        ("5", "0", ""),
    ],
)
def test_the_change_on_last_year(now, before, text):
    item = make_item("quantity")
    last = None if before is None else {"value": before}
    assert change_text(item, {"value": now}, last) == text


def test_the_blank_form_has_headings_of_breakdowns_and_worked_examples(world):
    content = form_content(sheet(world.sheet), "zh-hans", filled=False, synthetic=False)
    assert shown(content, "P02")["heading"].startswith("按来源分") and not shown(content, "P03")["heading"]
    headings = [paragraph["lead"] for paragraph in shown(content, "P01")["paragraphs"]]
    assert headings == ["指标解释：", "包括：", "不包括：", "填报示例：", "去哪里找这个数：", "用于："]
    assert "数据存储总量" in shown(content, "D02")["formula"] and "?" not in shown(content, "D02")["formula"]
