"""Pages where staff edit the passages of the report: list, editor with preview, history."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from estimation.releases import selectors, services
from estimation.releases.content import notes
from estimation.releases.content import passages as blocks
from estimation.releases.content.content import Text
from estimation.releases.content.passages import Passage
from estimation.releases.forms import BlockForm
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied
from survey.request_values import whole_number


@requires(Permission.PUBLISH)
@require_GET
def block_list(request: HttpRequest, year: int) -> HttpResponse:
    """The passages of a round in the order of the document, with their faults."""
    round_ = get_object_or_404(CollectionRound, year=year)
    cells, passages = selectors.cells_for_text(round_), selectors.passages_of(round_)
    faults = notes.faults_of(passages, cells, year)
    rows = [(passage, _sentences(passage.code, faults, cells)) for passage in passages]
    return page(
        request,
        "estimation/releases/passages/blocks.html",
        {"round": round_, "rows": rows, "has_cells": bool(cells)},
    )


@requires(Permission.PUBLISH)
@require_http_methods(["GET", "POST"])
def block_edit(request: AuthenticatedRequest, year: int, code: str) -> HttpResponse:
    """Edit a passage; the preview shows it with the numbers of the newest release."""
    round_ = get_object_or_404(CollectionRound, year=year)
    current = next((passage for passage in selectors.passages_of(round_) if passage.code == code), None)
    if current is None:
        raise Http404
    number = whole_number(request.GET.get("version"))
    shown = current if number is None else selectors.passage_version(round_, current, number)
    form = BlockForm(request.POST or _initial(shown), initial=_initial(shown))
    passage, refused = shown, ""
    if request.method == "POST" and form.is_valid():
        passage = _typed(current, form)
        if "preview" not in request.POST:
            try:
                version = services.edit_block(
                    round=round_, code=code, heading=passage.heading, body=passage.body, by=request.user
                )
            except PolicyDenied as refusal:
                refused = str(refusal.sentence)
            else:
                messages.success(request, _("Saved as version %(number)s.") % {"number": version.number})
                return redirect("block_edit", year, code)
    cells = selectors.cells_for_text(round_)
    together = [passage if stored.code == code else stored for stored in selectors.passages_of(round_)]
    faults = notes.faults_of(together, cells, year)
    context: dict[str, Any] = {
        "round": round_,
        "passage": passage,
        "form": form,
        "refused": refused,
        "faults": _sentences(code, faults, cells),
        "preview": _preview(passage, cells, year),
        "history": selectors.versions_of_passage(round_, code),
        "has_cells": bool(cells),
    }
    invalid = request.method == "POST" and (bool(refused) or not form.is_valid())
    return page(
        request,
        "estimation/releases/passages/block.html",
        context,
        partial="preview",
        status=422 if invalid else 200,
    )


def _initial(passage: Passage) -> dict[str, str]:
    return {
        "heading_zh": passage.heading.zh,
        "heading_en": passage.heading.en,
        "body_zh": passage.body.zh,
        "body_en": passage.body.en,
    }


def _typed(current: Passage, form: BlockForm) -> Passage:
    data = form.cleaned_data
    return Passage(
        current.code,
        current.place,
        Text(data["heading_zh"], data["heading_en"]),
        Text(data["body_zh"], data["body_en"]),
        current.number,
    )


def _sentences(code: str, faults: list[tuple[str, str, str]], cells: Any) -> list[tuple[str, str]]:
    """(severity, sentence) of every fault. Before the first release no cells exist."""
    return [
        ("bad" if kind in notes.FATAL else "warn", selectors.FAULTS[kind] % {"detail": detail})
        for where, kind, detail in faults
        if where == code and (cells or kind != "unknown")
    ]


def _preview(passage: Passage, cells: Any, year: int) -> list[tuple[str, str, list[str]]]:
    """(language, heading, paragraphs), as plain text that the template escapes."""
    texts = []
    for language in ("zh", "en"):
        try:
            heading = blocks.fill(getattr(passage.heading, language), language, cells, year).text
            body = blocks.fill(getattr(passage.body, language), language, cells, year).text
        except blocks.UnknownField:
            continue
        texts.append((language, heading, body.split("\n\n")))
    return texts
