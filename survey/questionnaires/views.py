"""The questionnaire browser for designers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.roles import Permission
from survey.questionnaires.messages import message_with_names
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.selectors import definition_for, items_by_section, published_versions


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
