"""Publishing: from checked YAML to an immutable version."""

from functools import lru_cache

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max

from survey import audit, locks
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import DefinitionError
from survey.questionnaires.definition import Questionnaire
from survey.questionnaires.loader import to_document
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.proof.checks import check_questionnaire

# The checks try every rule on samples, which takes a second a form; the same content has the same faults.
_faults = lru_cache(maxsize=64)(check_questionnaire)


@transaction.atomic
def publish_questionnaire(
    questionnaire: Questionnaire, *, year: int, by: User | None
) -> tuple[QuestionnaireVersion, bool]:
    """Freeze a questionnaire for a year. Publishing the same content again gives the same version.

    Returns the version and whether it is new. ``by`` None is an operator at the command line.
    Raises PermissionDenied, DefinitionError (with the first fault that the static checks find).
    """
    if by is not None and not may(by, Permission.DESIGN):
        raise PermissionDenied
    faults = _faults(questionnaire)
    if faults:
        first = faults[0]
        others = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise DefinitionError(first.code, first.where, first.message + others)
    locks.hold(f"questionnaire {questionnaire.category} of {year}")
    same = QuestionnaireVersion.objects.filter(category=questionnaire.category, year=year)
    existing = same.filter(content_hash=questionnaire.content_hash).first()
    if existing:
        return existing, False
    version = QuestionnaireVersion.objects.create(
        category=questionnaire.category,
        year=year,
        number=(same.aggregate(last=Max("number"))["last"] or 0) + 1,
        form_no=questionnaire.form_no,
        title_zh=questionnaire.title.zh,
        title_en=questionnaire.title.en,
        document=to_document(questionnaire),
        content_hash=questionnaire.content_hash,
        published_by=by,
    )
    audit.record(
        by=by,
        action="publish_questionnaire",
        subject=version,
        category=version.category,
        year=year,
        content_hash=version.content_hash,
    )
    return version, True
