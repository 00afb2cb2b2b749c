"""The questionnaire browser for designers."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from survey.access.decorators import public, requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.questionnaires.lists.lookup import lookup_in
from survey.questionnaires.messages import message_with_names
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.selectors import definition_for, items_by_section, published_versions

MOST_ENTRIES = 20
LONGEST_QUERY = 60


@requires(Permission.DESIGN)
@require_GET
def questionnaires(request: HttpRequest) -> HttpResponse:
    """Every published version, by year."""
    rows = []
    for version in published_versions().order_by("-year", "category", "-number"):
        definition = definition_for(version)
        rows.append((version, len(definition.sections), len(definition.items), len(definition.edits)))
    return page(request, "survey/questionnaires/list.html", {"rows": rows})


@requires(Permission.DESIGN)
@require_GET
def questionnaire_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One version: items with definitions, rules, code lists, hash; or as it prints."""
    version = get_object_or_404(QuestionnaireVersion.objects.defer("document"), pk=pk)
    definition = definition_for(version)
    severities = {"hard": _("Hard"), "soft": _("Soft"), "notice": _("Notice")}
    context = {
        "version": version,
        "definition": definition,
        "blank_sections": items_by_section(definition, get_language() or "zh-hans"),
        "edits": [
            (edit, severities[edit.severity], message_with_names(definition, edit))
            for edit in definition.edits
        ],
        "lists": sorted(definition.codelists.values(), key=lambda codelist: codelist.name),
    }
    return page(request, "survey/questionnaires/detail.html", context)


@public
@require_GET
def codelist_search(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Entries of a code list that fit ``q``, the best first: a list is too long to be sent with a page.

    Public, since guests fill in sections and the lists are published classifications.
    """
    version = get_object_or_404(QuestionnaireVersion.objects.defer("document"), pk=pk)
    codelist = definition_for(version).codelists.get(name)
    if codelist is None:
        raise Http404
    language = get_language() or "zh-hans"
    matches = lookup_in(codelist).search(request.GET.get("q", "")[:LONGEST_QUERY], MOST_ENTRIES)
    entries = [
        {
            "code": entry.code,
            "name": codelist.name_of(entry, language),
            "above": ""
            if codelist.path
            else " › ".join(up.label.get(language) for up in codelist.above(entry)),
        }
        for entry in matches
    ]
    return JsonResponse({"entries": entries})
