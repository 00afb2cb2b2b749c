"""The pages of filing: findings, reasons, summary, sign-off, receipt, filed versions, comments."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from survey.access.decorators import requires
from survey.access.forms import PlainForm
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import SurveyError
from survey.questionnaires.loader import load_codelist
from survey.questionnaires.selectors import items_by_section
from survey.submissions.invitations import services as invitations
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.filing.selectors import canonical_text, is_intact, receipt_number
from survey.submissions.lifecycle.signing import services as signing
from survey.submissions.lifecycle.states import Action
from survey.submissions.models import Submission
from survey.submissions.page.forms import SignOffForm, read_revision
from survey.submissions.page.presentation import RowBuilder
from survey.submissions.page.selectors import Cause, causes_of, without
from survey.submissions.page.views import frame, load
from survey.submissions.refused import REFUSED
from survey.submissions.selectors import Sheet, latest_filing, sheet_of


@requires(Permission.RESPOND)
@require_GET
def sheet_findings(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """All findings, each with links to its cells."""
    return _findings(request, load(request, pk), {})


def _findings(
    request: AuthenticatedRequest, submission: Submission, refused: dict[str, Any], status: int = 200
) -> HttpResponse:
    sheet = sheet_of(submission)
    builder = RowBuilder(sheet, with_required=True)
    groups: dict[str, list[Any]] = {"hard": [], "soft": [], "notice": []}
    blank: dict[str, tuple[Any, list[Any]]] = {}  # items that nobody has answered yet, by section
    causes = causes_of(sheet)
    for finding in without(sheet.findings, causes):
        if finding.edit.startswith(REFUSED):  # listed above the others, with a button
            continue
        view = builder.finding(finding)
        locations = [(sheet.definition.section_of(code), sheet.item(code)) for code in finding.items]
        if finding.edit.startswith("REQ-"):
            section, item = locations[0]
            blank.setdefault(section.code, (section, []))[1].append(item)
            continue
        groups[finding.severity].append(
            (view, locations, refused if finding.edit in refused.get("edits", ()) else {})
        )
    context = frame(request, sheet) | {
        "groups": groups,
        "causes": [_cause(sheet, builder, cause, refused) for cause in causes],
        "blank": list(blank.values()),
        "hard_count": len(sheet.hard),
        "reasons": load_codelist("soft_edit_reasons").entries,
        "errors": [{"href": f"#finding-{refused['edits'][0]}", "text": refused["error"]}] if refused else [],
        "unexplained": len(sheet.unexplained),
    }
    return page(request, "survey/submissions/filing/findings.html", context, status=status)


def _cause(sheet: Sheet, builder: RowBuilder, cause: Cause, refused: dict[str, Any]) -> dict[str, Any]:
    """A probable slip with its findings, its repair, and the form for one reason."""
    views = [builder.finding(finding) for finding in cause.findings]
    soft = [view for view in views if view.finding.severity == "soft"]
    edits = {view.finding.edit for view in soft}
    row = builder.row(cause.item.code)
    return {
        "row": row,
        "section": sheet.definition.section_of(cause.item.code),
        "suggestion": next(iter(row.suggestions), None),
        "views": views,
        "soft": soft,
        "is_explained": all(view.explanation and not view.refused for view in soft),
        "refused": refused if edits & set(refused.get("edits", ())) else {},
    }


@requires(Permission.RESPOND)
@require_POST
def sheet_explain(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Store one explanation for the findings that ask the same; a refused text is shown again with the error."""
    submission = load(request, pk)
    edits, fingerprints = request.POST.getlist("edit"), request.POST.getlist("fingerprint")
    values = {name: request.POST.get(name, "") for name in ("reason_code", "text")}
    try:
        with transaction.atomic():
            for edit, fingerprint in zip(edits or [""], fingerprints or [""], strict=False):
                services.explain(submission, by=request.user, edit=edit, fingerprint=fingerprint, **values)
    except SurveyError as refusal:
        shown = values | {"edits": edits or [""], "error": refusal.sentence}
        return _findings(request, submission, shown, status=422)
    messages.success(request, _("The reason has been saved."))
    return redirect(f"{reverse('sheet_findings', args=[pk])}#soft")


@requires(Permission.RESPOND)
@require_GET
def sheet_summary(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """All answers on one page, each with a link to change it."""
    sheet = sheet_of(load(request, pk))
    builder = RowBuilder(sheet, with_required=True)
    context = frame(request, sheet) | {
        "sections": [(section, builder.section(section)) for section, _progress in sheet.sections],
        "overall": sheet.progress(),
        "obstacles": services.refusals(
            sheet.submission, services.submit_action(sheet.submission), request.user
        ),
    }
    return page(request, "survey/submissions/filing/summary.html", context)


@requires(Permission.RESPOND)
@require_http_methods(["GET", "POST"])
def sheet_submit(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Sign-off and submission of the revision that the summary showed."""
    submission = load(request, pk)
    initial = dict(submission.signatories) or {"filler": request.user.name}
    signed = signing.names(sheet_of(submission)) if signing.chain_required() else {}
    form = SignOffForm(request.POST or None, initial=initial, signed=signed)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        errors = form.error_list()
        if not errors:
            try:
                services.submit(
                    submission,
                    by=request.user,
                    signatories=form.signatories(),
                    shown_revision=read_revision(request.POST),
                )
                return redirect("sheet_receipt", pk)
            except SurveyError as refusal:
                errors = [{"href": "", "text": str(refusal.sentence)}]
    sheet = sheet_of(submission)
    context = frame(request, sheet) | {
        "form": form,
        "errors": errors,
        # The link from the summary passes its revision; without it the current one is used.
        "shown_revision": request.POST.get("revision") or request.GET.get("revision") or submission.revision,
        "obstacles": services.refusals(submission, services.submit_action(submission), request.user),
        **_chain(sheet),
    }
    return page(request, "survey/submissions/filing/submit.html", context, status=422 if errors else 200)


def _chain(sheet: Sheet) -> dict[str, Any]:
    """Context of the sequential sign-off, when it is enabled."""
    if not signing.chain_required():
        return {}
    return {
        "chain": signing.steps(sheet),
        "all_signed": signing.next_step(sheet) is None,
        "version_hash": signing.version_hash(sheet),
    }


@requires(Permission.RESPOND)
@require_GET
def sheet_receipt(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The latest filing: when, by whom, and its hash."""
    submission = load(request, pk)
    filing = latest_filing(submission)
    if filing is None:
        raise Http404
    filing.submission = submission
    context = frame(request, sheet_of(submission)) | {
        "filing": filing,
        "number": receipt_number(filing),
        "intact": is_intact(filing),
        "can_recall": services.can(submission, Action.RECALL, request.user),
    }
    return page(request, "survey/submissions/filing/receipt.html", context)


@requires(Permission.RESPOND)
@require_POST
def sheet_recall(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Take the sheet back before its review begins."""
    services.recall(load(request, pk), by=request.user)
    messages.success(request, _("The sheet is yours again. Submit it once more when you have finished."))
    return redirect("sheet_hub", pk)


@requires(Permission.RESPOND)
@require_GET
def sheet_filed(request: AuthenticatedRequest, pk: int, number: int) -> HttpResponse:
    """A filed version; ``?download`` gives the text that was hashed."""
    submission = load(request, pk)
    filing = get_object_or_404(
        submission.filings.select_related("version", "filed_by").defer("version__document"), number=number
    )
    filing.submission = submission
    if "download" in request.GET:
        response = HttpResponse(canonical_text(filing), content_type="application/json; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{receipt_number(filing)}.json"'
        return response
    sheet = sheet_of(submission).with_answers(filing.answers)
    sheet.computed = {code: c for code, c in filing.answers.items() if sheet.item(code).computed}
    builder = RowBuilder(sheet)
    context = frame(request, sheet) | {
        "filing": filing,
        "number": receipt_number(filing),
        "intact": is_intact(filing),
        "filings": submission.filings.defer("answers", "explanations").order_by("-number"),
        "sections": [(section, builder.section(section)) for section, _progress in sheet.sections],
    }
    return page(request, "survey/submissions/filing/filed.html", context)


@requires(Permission.RESPOND)
@require_POST
def sheet_reply(request: AuthenticatedRequest, pk: int, query: int) -> HttpResponse:
    """Answer a reviewer's comment."""
    user: Any = request.user
    services.reply(
        load(request, pk),
        by=user,
        query_id=query,
        text=request.POST.get("text", ""),
        corrected=request.POST.get("corrected") == "yes",
    )
    messages.success(request, _("Your answer to the comment has been saved."))
    where = request.POST.get("section", "")
    return redirect("sheet_section", pk, where) if where else redirect("sheet_hub", pk)


@requires(Permission.RESPOND)
@require_GET
def sheet_print(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The blank questionnaire with definitions, to prepare the figures on paper."""
    sheet = sheet_of(load(request, pk))
    context = frame(request, sheet) | {
        "blank_sections": items_by_section(sheet.definition, get_language() or "zh-hans")
    }
    return page(request, "survey/submissions/filing/print.html", context)


class SignatoryForm(PlainForm):
    """The recipient of a signature link."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    email = forms.EmailField(label=gettext_lazy("Work e-mail"))
    role = forms.ChoiceField(choices=[(role, role) for role in signing.BY_LINK])


@requires(Permission.RESPOND)
@require_POST
def sheet_sign(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The first step: whoever filled signs with their account."""
    signing.sign(
        load(request, pk),
        role="filler",
        name=request.POST.get("name", ""),
        seen_hash=request.POST.get("hash", ""),
        by=request.user,
    )
    messages.success(request, _("You have signed. Send the form to the head of statistics now."))
    return redirect("sheet_submit", pk)


@requires(Permission.RESPOND)
@require_POST
def sheet_ask_signature(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Send the link for the next step."""
    submission = load(request, pk)
    form = SignatoryForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Enter the name and the work e-mail of the person who signs."))
        return redirect("sheet_submit", pk)
    site = request.build_absolute_uri("/")
    invitation, secret = invitations.ask_signature(
        submission, by=request.user, site=site, **form.cleaned_data
    )
    link = invitations.link_to(site, secret)
    text = _("The link goes to %(email)s. Should you want to hand it on yourself: %(link)s")
    messages.success(request, text % {"email": invitation.email, "link": link})
    return redirect("sheet_submit", pk)
