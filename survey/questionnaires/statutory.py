"""The statutory header of a form: form number, authorities, approval number, validity."""

from django.conf import settings
from django.utils.translation import gettext as _

from survey.questionnaires.definition import Questionnaire
from survey.questionnaires.document_parts import text_from


def authority(language: str) -> str:
    """The formulating authority as the office names it in a language, empty when the settings name none."""
    named = settings.SURVEY_AUTHORITY_EN if language.startswith("en") else ""
    return str(named or settings.SURVEY_AUTHORITY)


def statutory_header(definition: Questionnaire, language: str) -> list[tuple[str, str]]:
    """(name, text) of the fields with a value. Settings take precedence over the definition's header."""
    header = definition.header
    configured = {"authority": authority(language), "approval_no": settings.SURVEY_APPROVAL_NUMBER}
    names = {
        "authority": _("Authority"),
        "approving_authority": _("Approving authority"),
        "approval_no": _("Approval no."),
        "valid_until": _("Valid until"),
    }
    rows = [(_("Form"), definition.form_no)]
    for key, name in names.items():
        text = configured.get(key) or text_from(header.get(key)).get(language)
        if text:
            rows.append((name, text))
    return rows
