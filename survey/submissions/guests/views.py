"""Pages for the holder of an invitation: only the invited sections, without signing in."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from survey.access.decorators import public, reporting_characters
from survey.access.pages import page
from survey.exceptions import PolicyDenied, SurveyError
from survey.questionnaires.definition import Section
from survey.submissions.invitations import services as invitations
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.signing import services as signing
from survey.submissions.lifecycle.signing.signatories import STEPS
from survey.submissions.lifecycle.states import Action
from survey.submissions.models import SectionInvitation
from survey.submissions.page.forms import discarded, read_bases, read_cells, read_revision
from survey.submissions.page.presentation import RowBuilder
from survey.submissions.page.views import closed_sheet, fragment_context, section_context
from survey.submissions.selectors import Sheet, days_left, deadline, sheet_of

SESSION_KEY = "guest"  # session key: invitation id -> hash of its secret


@public
@never_cache
@require_GET
def guest_open(request: HttpRequest, secret: str) -> HttpResponse:
    """Opens the link of an invitation: stores its hash in the session and redirects to a URL without the secret."""
    invitation = invitations.by_secret(secret)
    if invitation is None:
        return page(request, "survey/submissions/guests/guest.html", {"ended": True})
    hashes = dict(request.session.get(SESSION_KEY, {}))
    hashes[str(invitation.pk)] = invitation.secret_hash
    request.session[SESSION_KEY] = hashes
    return redirect("guest_home", invitation.pk)


def invitation_of(request: HttpRequest, pk: int) -> SectionInvitation | None:
    """The invitation that this session has opened, while it is valid."""
    proof = request.session.get(SESSION_KEY, {}).get(str(pk))
    return invitations.by_session(pk, proof) if proof else None


def _sections(invitation: SectionInvitation, sheet: Sheet) -> list[tuple[Section, Any]]:
    return [
        (section, progress) for section, progress in sheet.sections if section.code in invitation.sections
    ]


def guest_frame(invitation: SectionInvitation, sheet: Sheet) -> dict[str, Any]:
    """Context that every page of a guest shares."""
    obstacles = services.refusals(sheet.submission, Action.SAVE, None)
    return {
        "guest": invitation,
        "sheet": sheet,
        "submission": sheet.submission,
        "definition": sheet.definition,
        "deadline": deadline(sheet.submission),
        "days_left": days_left(sheet.submission),
        "editable": not obstacles,
        "obstacle": obstacles[0] if obstacles else "",
    }


@public
@never_cache
@require_GET
def guest_home(request: HttpRequest, pk: int) -> HttpResponse:
    """The invited sections with their progress."""
    invitation = invitation_of(request, pk)
    if invitation is None:
        return page(request, "survey/submissions/guests/guest.html", {"ended": True})
    if invitation.role:
        return redirect("guest_sign", pk)
    sheet = invitations.guest_sheet(invitation)
    context = guest_frame(invitation, sheet) | {"sections": _sections(invitation, sheet)}
    return page(request, "survey/submissions/guests/guest.html", context)


@reporting_characters
@public
@never_cache
@require_http_methods(["GET", "POST"])
def guest_section(request: HttpRequest, pk: int, code: str) -> HttpResponseBase:
    """One invited section; without script a POST saves it as a whole."""
    invitation = invitation_of(request, pk)
    if invitation is None:
        return page(request, "survey/submissions/guests/guest.html", {"ended": True})
    sheet = invitations.guest_sheet(invitation)
    section = next((shown for shown, _progress in _sections(invitation, sheet) if shown.code == code), None)
    if section is None:
        return redirect("guest_home", pk)
    typed: dict[str, Any] = {}
    if request.method == "POST":
        result, changes = _save(request, invitation, sheet)
        if result.is_clean:
            messages.success(request, _("Saved."))
            add = request.POST.get("add_row", "")
            url = reverse("guest_section", args=[pk, code])
            return redirect(f"{url}?add_row={add}#row-{add}" if add in section.items else url)
        typed = {"typed": changes, "errors": result.errors, "conflicts": result.conflicts}
        sheet = invitations.guest_sheet(invitation, result.sheet)
    context = guest_frame(invitation, sheet) | section_context(request, sheet, section, typed)
    return page(request, "survey/submissions/page/section.html", context, status=422 if typed else 200)


@reporting_characters
@public
@require_POST
def guest_save(request: HttpRequest, pk: int, code: str) -> HttpResponseBase:
    """Autosave of changed cells."""
    if not getattr(request, "htmx", False):
        return guest_section(request, pk, code)
    invitation = invitation_of(request, pk)
    if invitation is None or code not in invitation.sections:
        ended = PolicyDenied(_("This invitation has ended. What you have saved is kept."))
        return closed_sheet(request, ended)
    try:
        result, changes = _save(request, invitation, invitations.guest_sheet(invitation))
    except PolicyDenied as refusal:
        return closed_sheet(request, refusal)
    result.sheet = invitations.guest_sheet(invitation, result.sheet)
    section = result.sheet.definition.section(code)
    context = fragment_context(request, result, section, changes) | {"guest": invitation}
    response = page(request, "survey/submissions/page/section.html", context, "saved")
    response.headers["Sheet-Revision"] = str(result.revision)
    response.headers["Sheet-Refused"] = " ".join([*result.errors, *result.conflicts])
    return response


def _save(request: HttpRequest, invitation: SectionInvitation, sheet: Sheet) -> tuple[Any, dict[str, Any]]:
    changes = read_cells(request.POST, sheet.definition)
    result = invitations.save_as_guest(
        invitation,
        changes=changes,
        base_revision=read_revision(request.POST),
        bases=read_bases(request.POST),
        discard=discarded(request.POST),
    )
    return result, changes


@public
@never_cache
@require_http_methods(["GET", "POST"])
def guest_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """The page where a head reads the content of the filing and signs it."""
    invitation = invitation_of(request, pk)
    if invitation is None or not invitation.role:
        return page(request, "survey/submissions/guests/guest.html", {"ended": True})
    submission = invitation.submission
    errors = []
    if request.method == "POST":
        try:
            if request.POST.get("statement") != "on":
                raise PolicyDenied(_("Confirm the statement before you sign."))
            signing.sign(
                submission,
                role=invitation.role,
                name=request.POST.get("name", ""),
                seen_hash=request.POST.get("hash", ""),
            )
            messages.success(request, _("You have signed. Thank you; nothing more is to be done."))
            return redirect("guest_sign", pk)
        except SurveyError as refusal:
            errors = [{"href": "#id_name", "text": str(refusal.sentence)}]
    sheet = sheet_of(submission)
    builder = RowBuilder(sheet)
    context = guest_frame(invitation, sheet) | {
        "editable": False,
        "errors": errors,
        "steps": signing.steps(sheet),
        "mine": signing.next_step(sheet) == invitation.role,
        "role": STEPS[invitation.role],
        "hash": signing.version_hash(sheet),
        "sections": [(section, builder.section(section)) for section, _progress in sheet.sections],
    }
    return page(request, "survey/submissions/guests/sign.html", context, status=422 if errors else 200)
