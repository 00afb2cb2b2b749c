"""Exceptions of refused requests, each with a message for the user. Pure."""

from collections.abc import Mapping
from typing import Any

from survey.sentences import Sentence, as_written

# A message: a text, a lazily translated text, or a stored sentence.
type Shown = object


class SurveyError(Exception):
    """Base class; ``sentence`` is shown to the user in the active language.

    Exceptions that are raised in workers have a ``Sentence``, whose ``code`` and ``params`` can be stored.
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
        """The sentence to store."""
        return self.sentence if isinstance(self.sentence, Sentence) else as_written(text=str(self.sentence))


class PolicyDenied(SurveyError):
    """The user has the permission, but the state of the record does not allow the action."""

    status = 409


class StaleRevision(SurveyError):
    """Another user changed the same cell first; ``conflicts`` has mine, theirs and base by item."""

    status = 409

    def __init__(self, sentence: Shown, conflicts: dict[str, dict[str, object]] | None = None) -> None:
        super().__init__(sentence)
        self.conflicts = conflicts or {}


class Overloaded(SurveyError):
    """The site cannot do this at the moment; the same request may succeed after ``retry_after`` seconds."""

    status = 503

    def __init__(self, sentence: Shown, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class FileRefused(SurveyError):
    """An uploaded file cannot be read or is of another kind."""

    status = 422


class FileMissing(SurveyError):
    """The row of a file exists, its content does not."""

    status = 410


class StorageFull(SurveyError):
    """The disk or a quota is full; nothing was stored."""

    status = 507


class DefinitionError(SurveyError):
    """An invalid definition of a questionnaire or of the published numbers.

    ``code`` is the kind of fault, ``where`` the file, item or text, ``message`` the description in English for its
    author.
    """

    status = 422

    def __init__(self, code: str, where: str, message: str) -> None:
        super().__init__(f"{where}: {message} [{code}]")
        self.code = code
        self.where = where
        self.message = message
        self.params = {"where": where, "message": message}
