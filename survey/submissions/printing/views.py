"""The blank or filled form and the receipt as PDF."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from survey import printing
from survey.access.decorators import requires
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.submissions.evidence.file_kinds import KINDS
from survey.submissions.lifecycle.filing.selectors import receipt_number
from survey.submissions.page.views import load
from survey.submissions.printing.presentation import form_content
from survey.submissions.printing.services import receipt_pdf, receipt_workbook
from survey.submissions.selectors import sheet_of


@requires(Permission.RESPOND)
@require_GET
def sheet_pdf(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The questionnaire to prepare on paper; ``?filled`` with the current answers."""
    submission = load(request, pk)
    filled = "filled" in request.GET
    content = form_content(
        sheet_of(submission),
        get_language() or "zh-hans",
        filled=filled,
        synthetic=settings.SYNTHETIC_BANNER or submission.unit.is_synthetic,
    )
    moment = int(submission.updated_at.timestamp())
    kind = "filled" if filled else "blank"
    name = f"{submission.assignment.version.form_no}-{submission.round.year}-{kind}.pdf"
    return _pdf(printing.typeset("form", content, moment=moment), name)


@requires(Permission.RESPOND)
@require_GET
def filed_pdf(request: AuthenticatedRequest, pk: int, number: int) -> HttpResponse:
    """The receipt of a filing with everything that was filed."""
    submission = load(request, pk)
    filing = get_object_or_404(submission.filings.select_related("version", "filed_by"), number=number)
    filing.submission = submission
    return _pdf(receipt_pdf(filing, get_language() or "zh-hans"), f"{receipt_number(filing)}.pdf")


@requires(Permission.RESPOND)
@require_GET
def filed_workbook(request: AuthenticatedRequest, pk: int, number: int) -> HttpResponse:
    """The content of a filing as a workbook."""
    submission = load(request, pk)
    filing = get_object_or_404(submission.filings.select_related("version", "filed_by"), number=number)
    filing.submission = submission
    content = receipt_workbook(filing, get_language() or "zh-hans")
    response = HttpResponse(content, content_type=KINDS["xlsx"][0])
    response.headers["Content-Disposition"] = f'attachment; filename="{receipt_number(filing)}.xlsx"'
    return response


def _pdf(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
