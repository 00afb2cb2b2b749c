"""The credit code of a unit. It is implemented in ``questionnaires``, because edit rules use it too."""

from survey.questionnaires.credit_code import (
    ALPHABET,
    check_character,
    is_valid,
    organisation_check_character,
)

__all__ = ["ALPHABET", "check_character", "is_valid", "organisation_check_character"]
