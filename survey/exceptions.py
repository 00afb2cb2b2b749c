"""The three ways in which a request can be refused, each with a sentence for the person who made it."""

from django.utils.functional import Promise

type Sentence = str | Promise


class SurveyError(Exception):
    """Base of the three; ``sentence`` is shown as it is, in the language of the request."""

    status = 400

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


class PolicyDenied(SurveyError):
    """The person may do this in general, but the state of the thing does not allow it now."""

    status = 409


class StaleRevision(SurveyError):
    """Somebody else changed the same cell first; ``conflicts`` holds mine, theirs and base per item."""

    status = 409

    def __init__(self, sentence: Sentence, conflicts: dict[str, dict[str, object]] | None = None) -> None:
        super().__init__(sentence)
        self.conflicts = conflicts or {}


class DefinitionError(SurveyError):
    """A questionnaire definition or a value that contradicts it."""

    status = 422
