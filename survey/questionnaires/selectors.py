"""Reads published questionnaires; each definition is parsed once per process."""

from functools import lru_cache

from django.db.models import QuerySet

from survey.questionnaires.definition import Questionnaire, Section
from survey.questionnaires.guidance.paragraphs import ItemTexts, texts_of
from survey.questionnaires.loader import definition_of
from survey.questionnaires.models import QuestionnaireVersion


@lru_cache(maxsize=128)
def _definition(version_id: int, content_hash: str) -> Questionnaire:
    document = QuestionnaireVersion.objects.values_list("document", flat=True).get(pk=version_id)
    return definition_of(content_hash, document)


def definition_for(version: QuestionnaireVersion) -> Questionnaire:
    """The parsed questionnaire of a version whose ``document`` may be deferred.

    The document is some hundred kilobytes, so it is read once per process: a version never changes.
    """
    return _definition(version.pk, version.content_hash)


def published_versions() -> "QuerySet[QuestionnaireVersion]":
    """Every version without its document, newest year first."""
    return QuestionnaireVersion.objects.defer("document").select_related("published_by")


def current_versions(year: int) -> dict[str, QuestionnaireVersion]:
    """The latest version of each category for one year."""
    rows = published_versions().filter(year=year).order_by("category", "number")
    return {row.category: row for row in rows}


def items_by_section(definition: Questionnaire, language: str) -> list[tuple[Section, list[ItemTexts]]]:
    """Sections with their items and what explains them, in form order."""
    return [
        (
            section,
            [
                texts_of(definition, definition.item(code), definition.items, language)
                for code in section.items
            ],
        )
        for section in definition.sections
    ]
