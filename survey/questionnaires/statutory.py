"""The header that the law asks for on every form: number, authority, approval, validity."""

from django.conf import settings
from django.utils.translation import gettext as _

from survey.questionnaires.definition import Questionnaire
from survey.questionnaires.document import text_from


def authority(language: str) -> str:
    """The formulating authority as the office names it in a language, empty when the settings name none."""
    named = settings.SURVEY_AUTHORITY_EN if language.startswith("en") else ""
    return str(named or settings.SURVEY_AUTHORITY)


def statutory_header(definition: Questionnaire, language: str) -> list[tuple[str, str]]:
    """(name, text) of what is known. The office's settings win over what the definition proposes."""
    header = definition.header
    given = {"authority": authority(language), "approval_no": settings.SURVEY_APPROVAL_NUMBER}
    names = {
        "authority": _("Authority"),
        "approving_authority": _("Approving authority"),
        "approval_no": _("Approval no."),
        "valid_until": _("Valid until"),
    }
    found = [(_("Form"), definition.form_no)]
    for key, name in names.items():
        text = given.get(key) or text_from(header.get(key)).get(language)
        if text:
            found.append((name, text))
    return found
