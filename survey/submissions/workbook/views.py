"""The workbook: download, upload with preview, confirmation."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import SurveyError
from survey.questionnaires.answering.answers import format_cell
from survey.submissions import cells
from survey.submissions.page.forms import read_revision
from survey.submissions.page.presentation import RowBuilder
from survey.submissions.page.views import frame, load
from survey.submissions.selectors import Sheet, sheet_of
from survey.submissions.workbook.messages import cell_sentence
from survey.submissions.workbook.presentation import write_workbook
from survey.submissions.workbook.services import Difference, Preview, apply_workbook, preview_workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = 400  # differences listed; the rest is counted


class WorkbookForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label=gettext_lazy("Filled workbook (.xlsx, .xls, .ods or .et)"),
        widget=forms.FileInput(attrs={"class": "form-control", "accept": ".xlsx,.xls,.ods,.et"}),
    )


@requires(Permission.RESPOND)
@require_GET
def sheet_workbook(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The questionnaire as a workbook, with the current answers."""
    sheet = sheet_of(load(request, pk))
    response = HttpResponse(write_workbook(sheet, get_language() or "zh-hans"), content_type=XLSX)
    name = f"{sheet.definition.form_no}-{sheet.submission.round.year}-{sheet.submission.unit.uscc}.xlsx"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@requires(Permission.RESPOND)
@require_http_methods(["GET", "POST"])
def sheet_upload(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Upload a filled workbook; the response previews the changes, nothing is stored yet."""
    submission = load(request, pk)
    form = WorkbookForm(request.POST or None, request.FILES or None)
    errors: list[dict[str, str]] = []
    context: dict[str, Any] = {}
    if request.method == "POST":
        if form.is_valid():
            try:
                preview = preview_workbook(
                    submission, by=request.user, data=form.cleaned_data["file"].read(6 * 1024 * 1024)
                )
                context = _preview_context(preview)
            except SurveyError as refusal:
                errors = [{"href": "#id_file", "text": str(refusal.sentence)}]
        else:
            errors = [{"href": "#id_file", "text": _("Choose the workbook that you have filled.")}]
    context |= frame(request, sheet_of(submission)) | {"form": form, "errors": errors}
    return page(request, "survey/submissions/workbook/upload.html", context, status=422 if errors else 200)


def _preview_context(preview: Preview) -> dict[str, Any]:
    language = get_language() or "zh-hans"
    sheet = preview.result.sheet
    builder = RowBuilder(sheet)
    places = preview.content.places

    def changes(entries: list[Difference]) -> list[tuple[Any, ...]]:
        """Name, place, old and new answer."""
        return [
            (
                _name(sheet, entry.key, language),
                places.get(entry.key),
                _text(sheet, entry.key, entry.old, language),
                _text(sheet, entry.key, entry.new, language),
            )
            for entry in entries[:SHOWN]
        ]

    return {
        "preview": preview,
        "differences": changes(preview.differences),
        "deletions": changes(preview.deletions),
        "more": max(0, len(preview.differences) - SHOWN),
        "more_deletions": max(0, len(preview.deletions) - SHOWN),
        "missing": [_name(sheet, key, language) for key in preview.content.missing],
        "conflicts": [
            (
                conflict,
                _name(sheet, conflict.key, language),
                _text(sheet, conflict.key, conflict.mine, language),
                _text(sheet, conflict.key, conflict.theirs, language),
                _text(sheet, conflict.key, conflict.base, language),
            )
            for conflict in preview.conflicts
        ],
        "faults": [
            (_name(sheet, fault.key, language) if fault.key else "", fault.place, sentence)
            for fault in preview.faults
            if (sentence := cell_sentence(fault.code, fault.parameters))
        ]
        + [
            (_name(sheet, key, language), places.get(key), error.message(language))
            for key, error in preview.result.errors.items()
        ],
        "findings": [
            builder.finding(finding) for finding in preview.appeared if not finding.edit.startswith("REQ-")
        ],
        "seen_revision": preview.before.submission.revision,
    }


def _name(sheet: Sheet, key: str, language: str) -> str:
    """The item, and inside a table its row and column."""
    code, row, column_code = cells.split(key)
    item = sheet.definition.items.get(code)
    if item is None:
        return key
    text = f"{code} {item.label.get(language)}"
    if row is None:
        return text
    labels = {row_.id: row_.label.get(language) for row_ in item.rows.entries} if item.rows else {}
    column = item.column(column_code or "")
    return f"{text} · {labels.get(row, row)} · {column.label.get(language) if column else column_code}"


def _text(sheet: Sheet, key: str, cell: Any, language: str) -> str:
    item = cells.field_of(sheet.definition, key)
    return (format_cell(item, cell, language) if item else "") or _("blank")


@requires(Permission.RESPOND)
@require_POST
def sheet_apply(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Store the previewed changes."""
    submission = load(request, pk)
    result = apply_workbook(
        submission,
        by=request.user,
        token=request.POST.get("token", "")[:40],
        revision=read_revision(request.POST, "seen"),
        take=request.POST.getlist("take"),
        delete=bool(request.POST.get("delete")),
    )
    count = len(result.changed)
    text = ngettext(
        "%(count)s cell of the workbook is stored.", "%(count)s cells of the workbook are stored.", count
    )
    messages.success(request, text % {"count": count})
    return redirect("sheet_findings", pk)
