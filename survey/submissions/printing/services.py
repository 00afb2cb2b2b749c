"""The receipt of a filing: as a PDF, and by e-mail to the person who filed."""

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey import audit, printing
from survey.jobs.mail.services import message_of
from survey.jobs.services import Work
from survey.questionnaires.statutory import statutory_header
from survey.submissions.lifecycle.filing.selectors import receipt_number
from survey.submissions.models import Filing
from survey.submissions.printing.presentation import SYNTHETIC, form_content, reasons_of, receipt_facts
from survey.submissions.printing.workbook import answer_lines, filed_workbook
from survey.submissions.selectors import SHEET_RELATIONS, sheet

SENT = "receipt_sent"
COLUMNS = (
    gettext_lazy("Section"),
    gettext_lazy("Code"),
    gettext_lazy("Item"),
    gettext_lazy("Row"),
    gettext_lazy("Column"),
    gettext_lazy("Answer"),
    gettext_lazy("Stored number"),
    gettext_lazy("Unit of measurement"),
    gettext_lazy("Last year"),
    gettext_lazy("Change on last year"),
    gettext_lazy("Reason"),
)


def receipt_pdf(filing: Filing, language: str) -> bytes:
    """Receipt, hash and the content that was filed. The same filing always gives the same file."""
    submission = filing.submission
    current = sheet(submission).with_answers(filing.answers)
    current.effective = dict(filing.answers)  # the filed items, regardless of the current relevance
    current.computed = {code: cell for code, cell in filing.answers.items() if current.item(code).computed}
    with translation.override(language):
        content = form_content(
            current,
            language,
            filled=True,
            filing=filing,
            synthetic=settings.SYNTHETIC_BANNER or submission.unit.is_synthetic,
        )
    return printing.typeset("form", content, moment=int(filing.filed_at.timestamp()))


def receipt_workbook(filing: Filing, language: str) -> bytes:
    """The content that was filed as a workbook, with last year, change and reasons."""
    submission = filing.submission
    current = sheet(submission).with_answers(filing.answers)
    with translation.override(language):
        facts = [
            (_("Organisation"), f"{submission.unit.name} {submission.unit.uscc}"),
            (_("Year"), str(submission.round.year)),
            *statutory_header(current.definition, language),
            *receipt_facts(filing),
        ]
        if settings.SYNTHETIC_BANNER or submission.unit.is_synthetic:
            facts.insert(0, (_("Synthetic data"), str(SYNTHETIC)))
        return filed_workbook(
            facts,
            [str(name) for name in COLUMNS],
            answer_lines(
                current.definition,
                filing.answers,
                current.previous or {},
                {code: reasons_of(current, current.item(code)) for code in filing.answers},
                language,
            ),
            (_("Filing"), _("Answers")),
            filing.filed_at,
        )


def send_receipt(work: Work) -> None:
    """Mail the receipt of the filing that is the key of a job, once; without an address nothing is sent."""
    relations = [f"submission__{name}" for name in SHEET_RELATIONS]
    filing = Filing.objects.select_related("version", "filed_by", *relations).get(pk=int(work.job.key))
    language = work.job.arguments["language"]
    address = filing.filed_by.email if filing.filed_by else ""
    done = audit.AuditEvent.objects.filter(action=SENT, subject_type="filing", subject_id=str(filing.pk))
    if not address or done.exists():
        return
    number = receipt_number(filing)
    with translation.override(language):
        text = render_to_string("email/receipt.txt", {"filing": filing, "number": number})
        subject = _("Receipt %(number)s: your form has been filed") % {"number": number}
        message = message_of(work.job, subject, text, address)
    message.attach(f"{number}.pdf", receipt_pdf(filing, language), "application/pdf")
    message.send()
    with work.store():
        audit.record(
            by=None,
            action=SENT,
            subject=filing,
            region_path=filing.submission.unit.review_region.path,
            number=number,
        )
