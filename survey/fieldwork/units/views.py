"""The list of units, and the page of a unit in a round: register, state, contacts, actions of the desk."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from survey.access.activation.services import issue_activation_code
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.collection import services
from survey.collection.forms import ContactNoteForm, DispositionForm, ExemptionForm, ExtensionForm
from survey.collection.models import Assignment, CollectionRound, Disposition
from survey.collection.selectors import respondents_of
from survey.exceptions import PolicyDenied, SurveyError
from survey.fieldwork.units.selectors import PAGE_SIZE, log_of, search_units, units_of
from survey.frame.contacts.services import contacts_of
from survey.questionnaires.loader import load_codelist
from survey.request_values import listed_number, row_key
from survey.submissions.evidence import selectors as evidence_files
from survey.submissions.evidence import services as evidence
from survey.submissions.evidence.selectors import DESK
from survey.submissions.lifecycle.services import transition
from survey.submissions.lifecycle.states import Action, State


def _load(request: AuthenticatedRequest, pk: int) -> Assignment:
    """An assignment in the user's scope, or 404."""
    return get_object_or_404(units_of(request.user), pk=pk)


@requires(Permission.MANAGE_UNITS)
@require_GET
def unit_list(request: AuthenticatedRequest) -> HttpResponse:
    """The units in the user's scope, filtered; the filter is in the address and can be bookmarked."""
    years = list(CollectionRound.objects.values_list("year", flat=True))
    filters = {
        name: request.GET.get(name, "").strip() for name in ("query", "category", "state", "disposition")
    }
    year = listed_number(request.GET.get("year"), years or [0])
    assignments = search_units(request.user, year=year, **filters)
    context = {
        "page_obj": Paginator(assignments, PAGE_SIZE).get_page(request.GET.get("page")),
        "filters": filters,
        "year": year,
        "years": years,
        "states": [state.value for state in State],
        "dispositions": Disposition.choices,
        "categories": load_codelist("categories").entries,
    }
    return page(request, "survey/fieldwork/units/units.html", context)


@requires(Permission.MANAGE_UNITS)
@require_GET
def unit_detail(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The page of a unit in a round."""
    return _show(request, _load(request, pk))


def _show(request: AuthenticatedRequest, assignment: Assignment, **extra: Any) -> HttpResponse:
    user = request.user
    context = {
        "assignment": assignment,
        "unit": assignment.unit,
        "sheet": assignment.submission,
        "people": respondents_of(assignment),
        "contacts": contacts_of(assignment.unit),
        "log": log_of(user, assignment),
        "files": evidence_files.attachments_of(assignment.submission, evidence_files.DESK).select_related(
            "uploaded_by"
        ),
        "largest": settings.ATTACHMENT_LARGEST // 2**20,
        "others": units_of(user).filter(unit_id=assignment.unit_id),
        "disposition_form": DispositionForm(initial={"disposition": assignment.disposition}, auto_id="d_%s"),
        "extension_form": ExtensionForm(auto_id="e_%s"),
        "note_form": ContactNoteForm(auto_id="n_%s"),
        "exemption_form": _exemption_form(),
        "errors": [],
    }
    return page(
        request,
        "survey/fieldwork/units/unit.html",
        context | extra,
        status=422 if extra.get("errors") else 200,
    )


def _exemption_form(data: Any = None) -> ExemptionForm:
    entries = load_codelist("exempt_reasons").entries
    codes = [(entry.code, entry.label.get(get_language() or "")) for entry in entries]
    return ExemptionForm(data, codes=[("", _("Choose …")), *codes], auto_id="x_%s")


def _store_file(request: AuthenticatedRequest, assignment: Assignment) -> bool:
    """Store the file uploaded with a form. Returns False without a file. Raises PolicyDenied."""
    file = request.FILES.get("file")
    if file is None:
        return False
    if (file.size or 0) > settings.ATTACHMENT_LARGEST:
        raise PolicyDenied(_("The file is too large."))
    evidence.attach(
        assignment.submission,
        by=request.user,
        name=file.name or "",
        data=file.read(),
        note=request.POST.get("note", ""),
        purpose=DESK,
    )
    return True


@requires(Permission.MANAGE_UNITS)
@require_POST
def unit_disposition(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Record the disposition of a unit."""
    assignment, form = _load(request, pk), DispositionForm(request.POST, auto_id="d_%s")
    if not form.is_valid():
        return _show(request, assignment, disposition_form=form, errors=form.summary())
    try:
        _store_file(request, assignment)
        services.record_disposition(assignment, by=request.user, **form.cleaned_data)
    except SurveyError as refusal:
        errors = [{"href": "#d_evidence", "text": refusal.sentence}]
        return _show(request, assignment, disposition_form=form, errors=errors)
    messages.success(request, _("The disposition has been recorded."))
    return redirect("unit_detail", pk)


@requires(Permission.MANAGE_UNITS)
@require_POST
def unit_extend(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Extend the deadline of a unit."""
    assignment, form = _load(request, pk), ExtensionForm(request.POST, auto_id="e_%s")
    if not form.is_valid():
        return _show(request, assignment, extension_form=form, errors=form.summary())
    try:
        services.extend(
            assignment, by=request.user, until=form.until_moment(), reason=form.cleaned_data["reason"]
        )
    except SurveyError as refusal:
        errors = [{"href": "#e_until", "text": refusal.sentence}]
        return _show(request, assignment, extension_form=form, errors=errors)
    messages.success(request, _("The unit has been given more time."))
    return redirect("unit_detail", pk)


@requires(Permission.MANAGE_UNITS)
@require_POST
def unit_exempt(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Exempt the sheet with a coded reason and, where the code requires it, a document; or revoke the exemption."""
    assignment = _load(request, pk)
    take_back = assignment.submission.state == State.EXEMPTED
    values: dict[str, Any] = {name: request.POST.get(name, "")[:300] for name in ("reason_code", "reason")}
    try:
        _store_file(request, assignment)
        transition(
            assignment.submission, Action.UNEXEMPT if take_back else Action.EXEMPT, by=request.user, **values
        )
    except SurveyError as refusal:
        errors = [{"href": "#x_reason_code", "text": refusal.sentence}]
        return _show(request, assignment, exemption_form=_exemption_form(request.POST), errors=errors)
    message = _("The exemption has been taken back.") if take_back else _("The exemption has been recorded.")
    messages.success(request, message)
    return redirect("unit_detail", pk)


@requires(Permission.MANAGE_UNITS)
@require_POST
def unit_code(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Issue an activation code, which is shown in this response only."""
    assignment = _load(request, pk)
    code = issue_activation_code(unit=assignment.unit, by=request.user)
    return _show(request, assignment, activation_code=code)


@requires(Permission.MANAGE_UNITS)
@require_POST
def unit_note(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Record a contact with the unit."""
    assignment, form = _load(request, pk), ContactNoteForm(request.POST, auto_id="n_%s")
    if not form.is_valid():
        return _show(request, assignment, note_form=form, errors=form.summary())
    try:
        services.record_contact(assignment, by=request.user, **form.cleaned_data)
    except SurveyError as refusal:
        errors = [{"href": "#n_channel", "text": refusal.sentence}]
        return _show(request, assignment, note_form=form, errors=errors)
    messages.success(request, _("The contact has been written down."))
    return redirect("unit_detail", pk)


@requires(Permission.MANAGE_UNITS)
@require_POST
def unit_evidence(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Attach a document of the desk to the sheet, or remove one."""
    assignment = _load(request, pk)
    removed = row_key(request.POST.get("remove"))
    try:
        if removed is not None:
            evidence.remove(assignment.submission, by=request.user, attachment_id=removed, purpose=DESK)
        elif not _store_file(request, assignment):
            raise PolicyDenied(_("Choose a file."))
    except SurveyError as refusal:
        return _show(request, assignment, errors=[{"href": "#f-file", "text": refusal.sentence}])
    messages.success(
        request, _("The file has been removed.") if removed is not None else _("The file is stored.")
    )
    return redirect("unit_detail", pk)
