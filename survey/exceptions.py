"""The ways in which a request can be refused, each with a sentence for the person who made it. Pure."""

from collections.abc import Mapping
from typing import Any

from survey.sentences import Sentence, as_written

# What can be shown: a text, a lazily translated text (``str()`` makes it), a stored sentence.
type Shown = object


class SurveyError(Exception):
    """Base of all; ``sentence`` is shown as it is, in the language of the reader.

    A refusal that a worker may meet carries a ``Sentence``: its ``code`` and ``params`` can be stored.
    """

    status = 400

    def __init__(self, sentence: Shown) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence
        self.code: str = getattr(sentence, "code", "")
        self.params: Mapping[str, Any] = getattr(sentence, "params", {})

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def stored(self) -> Sentence:
        """What is written into the database when nobody is there to read the sentence now."""
        return self.sentence if isinstance(self.sentence, Sentence) else as_written(text=str(self.sentence))


class PolicyDenied(SurveyError):
    """The person may do this in general, but the state of the record does not allow it now."""

    status = 409


class StaleRevision(SurveyError):
    """Somebody else changed the same cell first; ``conflicts`` holds mine, theirs and base per item."""

    status = 409

    def __init__(self, sentence: Shown, conflicts: dict[str, dict[str, object]] | None = None) -> None:
        super().__init__(sentence)
        self.conflicts = conflicts or {}


class Overloaded(SurveyError):
    """The site cannot do this at the moment; the same request may succeed after ``retry_after`` seconds."""

    status = 503
    retry_after = 5


class FileRefused(SurveyError):
    """An uploaded file that cannot be read, or is not what was asked for."""

    status = 422


class DefinitionError(SurveyError):
    """A definition that cannot be used: of a questionnaire, or of the published numbers.

    ``code`` names the fault, ``where`` the file, item or text that has it, ``message`` says what is wrong (in
    English, for its author).
    """

    status = 422

    def __init__(self, code: str, where: str, message: str) -> None:
        super().__init__(f"{where}: {message} [{code}]")
        self.code = code
        self.where = where
        self.message = message
        self.params = {"where": where, "message": message}
