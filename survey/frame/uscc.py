"""The credit code of a unit. The rule itself lives below the frame, because edit rules use it too."""

from survey.questionnaires.credit_code import (
    ALPHABET,
    check_character,
    is_valid,
    organisation_check_character,
)

__all__ = ["ALPHABET", "check_character", "is_valid", "organisation_check_character"]
