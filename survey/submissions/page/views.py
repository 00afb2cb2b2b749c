"""The respondent's pages: tasks, hub, section, autosave."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from survey.access.decorators import reporting_characters, requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.questionnaires.definition import Section
from survey.questionnaires.edits import affected
from survey.questionnaires.selectors import definition_for
from survey.submissions import cells
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.states import EDITABLE, Action, State
from survey.submissions.models import Submission
from survey.submissions.page.forms import (
    NOTE,
    discarded,
    new_row_ids,
    read_bases,
    read_cells,
    read_notes,
    read_revision,
)
from survey.submissions.page.presentation import RowBuilder
from survey.submissions.page.selectors import refused_values
from survey.submissions.paradata.selectors import usual_minutes
from survey.submissions.selectors import (
    Sheet,
    colleagues,
    days_left,
    deadline,
    latest_filing,
    sheet_of,
    sheets_of,
    tasks_of,
)


def load(request: AuthenticatedRequest, pk: int) -> Submission:
    """One sheet of the signed-in respondent, or 404."""
    return get_object_or_404(sheets_of(request.user), pk=pk)


def frame(request: AuthenticatedRequest, sheet: Sheet) -> dict[str, Any]:
    """Context that every page of a sheet shares."""
    submission = sheet.submission
    obstacles = services.refusals(submission, Action.SAVE, request.user)
    return {
        "sheet": sheet,
        "submission": submission,
        "definition": sheet.definition,
        "deadline": deadline(submission),
        "days_left": days_left(submission),
        "editable": not obstacles,
        # The state of a filed sheet is shown anyway; other obstacles need a message.
        "obstacle": obstacles[0] if obstacles and submission.state in EDITABLE else "",
        "refused_values": refused_values(sheet),
    }


@requires(Permission.RESPOND)
@require_GET
def tasks(request: AuthenticatedRequest) -> HttpResponse:
    """The task list of the user."""
    rows = tasks_of(request.user)
    for row in rows:
        row.deadline = deadline(row)  # type: ignore[attr-defined]  # for the template
        row.days_left = days_left(row)  # type: ignore[attr-defined]  # for the template
        row.can_save = services.can(row, Action.SAVE, request.user)  # type: ignore[attr-defined]  # for the template
    todo = [row for row in rows if row.state in EDITABLE and row.can_save]  # type: ignore[attr-defined]  # set above
    rest = [row for row in rows if row not in todo]
    return page(request, "survey/submissions/page/tasks.html", {"todo": todo, "rest": rest})


@requires(Permission.RESPOND)
@require_POST
def sheet_start(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Start the sheet and open the hub."""
    submission = load(request, pk)
    if submission.state == State.NOT_STARTED:
        services.start_sheet(submission, by=request.user)
    return redirect("sheet_hub", pk)


@requires(Permission.RESPOND)
@require_GET
def sheet_hub(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """All sections of a sheet with their progress."""
    submission = load(request, pk)
    sheet = sheet_of(submission)
    todo = next((section for section, progress in sheet.sections if not progress.is_complete), None)
    context = frame(request, sheet) | {
        "overall": sheet.progress(),
        "words": (words := request.GET.get("q", "").strip()[:60]),
        "matches": sheet.find_items(words),
        "next_section": todo,
        "colleagues": colleagues(submission),
        "filing": latest_filing(submission) if submission.filed_at else None,
        "can_recall": services.can(submission, Action.RECALL, request.user),
        "queries": [query for query in sheet.delivered_queries if query.state != ReviewQuery.State.CLOSED],
        "started": submission.state != State.NOT_STARTED,
        "steps": _steps(sheet),
    }
    return page(request, "survey/submissions/page/hub.html", context)


def _steps(sheet: Sheet) -> dict[str, Any]:
    """Sections with their progress and the minutes that they took others."""
    submission = sheet.submission
    minutes = usual_minutes(submission.unit.category, submission.round.year)
    rest = [minutes.get(section.code, 0) for section, progress in sheet.sections if not progress.is_complete]
    return {
        "sections": [(section, progress, minutes.get(section.code)) for section, progress in sheet.sections],
        "whole": minutes.get(""),
        "left": sum(rest),
    }


@reporting_characters
@requires(Permission.RESPOND)
@require_http_methods(["GET", "POST"])
def sheet_section(request: AuthenticatedRequest, pk: int, code: str) -> HttpResponse:
    """One section. Without JavaScript a POST saves all its cells and shows errors at their cells."""
    submission = load(request, pk)
    section = section_or_404(sheet_of(submission), code)
    if request.method == "GET":
        return _show(request, sheet_of(submission), section, {})
    changes = read_cells(request.POST, sheet_of(submission).definition)
    result = services.autosave(
        submission,
        by=request.user,
        changes=changes,
        base_revision=read_revision(request.POST),
        bases=read_bases(request.POST),
        discard=discarded(request.POST),
    )
    services.note_items(submission, by=request.user, notes=read_notes(request.POST))
    if not result.is_clean:
        typed = {"typed": changes, "errors": result.errors, "conflicts": result.conflicts}
        return _show(request, result.sheet, section, typed, status=422)
    return _after_save(request, result.sheet, section)


def section_or_404(sheet: Sheet, code: str) -> Section:
    """A section with relevant items."""
    for section, _progress in sheet.sections:
        if section.code == code:
            return section
    raise Http404


def _after_save(request: AuthenticatedRequest, sheet: Sheet, section: Section) -> HttpResponse:
    url = reverse("sheet_section", args=[sheet.submission.pk, section.code])
    if given_up := discarded(request.POST):
        return redirect(f"{url}#row-{cells.item_of(given_up[0])}")
    table = request.POST.get("add_row", "")
    if table in section.items:
        return redirect(f"{url}?add_row={table}#row-{table}")
    if request.POST.get("go") == "findings":
        return redirect("sheet_findings", sheet.submission.pk)
    anchor, _bar, _unit = request.POST.get("suggest", "").partition("|")
    if anchor:
        return redirect(f"{url}#row-{cells.element_id(anchor)}")
    messages.success(request, _("Saved."))
    if request.POST.get("go") == "stay":
        return redirect(url)
    following = neighbours(sheet, section)[1]
    if request.POST.get("go") == "next" and following:
        return redirect("sheet_section", sheet.submission.pk, following.code)
    return redirect(
        "sheet_findings" if request.POST.get("go") == "next" else "sheet_hub", sheet.submission.pk
    )


def neighbours(sheet: Sheet, section: Section) -> tuple[Section | None, Section | None]:
    """The sections before and after."""
    shown = [other for other, _progress in sheet.sections]
    index = shown.index(section)
    return (shown[index - 1] if index else None), (shown[index + 1] if index + 1 < len(shown) else None)


def _show(
    request: AuthenticatedRequest, sheet: Sheet, section: Section, typed: dict[str, Any], status: int = 200
) -> HttpResponse:
    before, after = neighbours(sheet, section)
    context = frame(request, sheet) | section_context(request, sheet, section, typed)
    context |= {"before": before, "after": after}
    return page(request, "survey/submissions/page/section.html", context, status=status)


def section_context(
    request: HttpRequest, sheet: Sheet, section: Section, typed: dict[str, Any]
) -> dict[str, Any]:
    """The rows of a section, with refused input, and blank rows of open tables."""
    blank = {
        code: [*_posted_rows(typed, code), *new_row_ids(3 if request.GET.get("add_row") == code else 1)]
        for code in section.items
        if sheet.item(code).type == "table"
    }
    reader = request.user if request.user.is_authenticated else None  # guests have no remarks
    builder = RowBuilder(
        sheet, blank_rows=blank, with_required="check" in request.GET, reader=reader, **typed
    )
    rows = builder.section(section)
    return {
        "section": section,
        "rows": rows,
        "progress": sheet.progress(section),
        "errors": _summary(rows),
    }


def _posted_rows(typed: dict[str, Any], code: str) -> list[str]:
    """Rows of an open table that were posted and not stored."""
    rows = [cells.split(key)[1] for key in typed.get("typed", {}) if key.startswith(f"{code}/")]
    return [row for row in dict.fromkeys(rows) if row]


def _summary(rows: list[Any]) -> list[dict[str, str]]:
    errors = []
    for row in rows:
        name = f"{row.item.code} {row.item.label.get(get_language() or '')}"
        errors += [
            {"href": f"#cell-{anchor}", "text": f"{name}: {message}"} for anchor, message in row.errors
        ]
        errors += [
            {
                "href": f"#cell-{field.id}",
                "text": _("%(item)s: somebody else changed this value") % {"item": name},
            }
            for field in row.conflicts
        ]
    return errors


@requires(Permission.RESPOND)
@require_POST
def sheet_discard(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Give up refused values; what was stored before stays."""
    submission = load(request, pk)
    services.autosave(
        submission,
        by=request.user,
        changes={},
        base_revision=submission.revision,
        discard=discarded(request.POST),
    )
    messages.success(request, _("The text was discarded. The value stored before it counts."))
    origin = request.POST.get("origin", "")
    return redirect(origin if origin in ("sheet_findings", "sheet_summary") else "sheet_hub", pk)


@reporting_characters
@requires(Permission.RESPOND)
@require_POST
def sheet_save(request: AuthenticatedRequest, pk: int, code: str) -> HttpResponseBase:
    """Autosave of changed cells: responds with the rows that changed."""
    if not getattr(request, "htmx", False):  # without htmx, save as the form of the page does
        return sheet_section(request, pk, code)
    if request.POST.get("as", str(request.user.pk)) != str(request.user.pk):
        # Another user has signed in in another tab and must not save the input of this page.
        sentence = _("Another person is signed in now. Sign in as yourself; your entries are kept here.")
        return page(request, "survey/submissions/page/section.html", {"refusal": sentence}, "refusal", 409)
    submission = load(request, pk)
    definition = definition_for(submission.assignment.version)
    if code not in {section.code for section in definition.sections}:
        raise Http404
    changes = read_cells(request.POST, definition)
    try:
        result = services.autosave(
            submission,
            by=request.user,
            changes=changes,
            base_revision=read_revision(request.POST),
            bases=read_bases(request.POST),
        )
        services.note_items(submission, by=request.user, notes=read_notes(request.POST))
    except PolicyDenied as refusal:
        return closed_sheet(request, refusal)
    context = fragment_context(request, result, definition.section(code), changes)
    response = page(request, "survey/submissions/page/section.html", context, "saved")
    response.headers["Sheet-Revision"] = str(result.revision)
    response.headers["Sheet-Refused"] = " ".join([*result.errors, *result.conflicts])
    return response


def closed_sheet(request: HttpRequest, refusal: PolicyDenied) -> HttpResponse:
    """The answer to a save of a sheet that takes no answers now."""
    context = {"refusal": refusal.sentence}
    response = page(request, "survey/submissions/page/section.html", context, "refusal", 409)
    response.headers["Sheet-Closed"] = "yes"
    return response


@reporting_characters
@requires(Permission.RESPOND)
@require_POST
def sheet_leftover(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Stores an entry that came too late for the answers as a comment for the reviewer."""
    if request.POST.get("as", str(request.user.pk)) != str(request.user.pk):
        return HttpResponse(status=409)  # typed by another person at the same computer
    text = request.POST.get("text", "").strip()
    services.note_leftover(
        load(request, pk),
        by=request.user,
        item=cells.item_of(request.POST.get("key", "").removeprefix(NOTE)),
        # The remark is the person's own, in the language in which the button was pressed.
        text=_("Entered but not sent before the form was filed: %(text)s") % {"text": text} if text else "",
    )
    return HttpResponse(status=201)


def fragment_context(
    request: HttpRequest, result: Any, section: Section, changes: dict[str, Any]
) -> dict[str, Any]:
    """Context of the fragments that htmx swaps after a save.

    Rows whose answer changed are rendered completely; of rows that share a rule with them, only the remarks.
    """
    sheet = result.sheet
    touched = {cells.item_of(key) for key in [*changes, *result.elsewhere, *request.POST.getlist("refresh")]}
    full = (touched | result.appeared | result.disappeared | result.recomputed) & set(section.items)
    reached = affected(sheet.definition, touched | result.recomputed)
    near = {code for edit in sheet.definition.edits if edit.code in reached for code in edit.items}
    builder = RowBuilder(
        sheet,
        typed=changes,
        errors=result.errors,
        conflicts=result.conflicts,
        blank_rows={code: new_row_ids(1) for code in full if sheet.item(code).type == "table"},
        reader=request.user if request.user.is_authenticated else None,
    )
    remarks = (near & set(section.items) & sheet.relevant) - full
    return {
        "sheet": sheet,
        "submission": sheet.submission,
        "section": section,
        "editable": True,
        "oob": True,
        "rows": builder.section(section, full),
        "remarks": builder.section(section, remarks),
        "progress": sheet.progress(section),
    }
