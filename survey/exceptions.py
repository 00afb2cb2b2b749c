"""The three ways in which a request can be refused, each with a sentence for the person who made it."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise

from survey.sentences import Sentence, as_written

type Shown = str | Promise | Sentence


class SurveyError(Exception):
    """Base of the three; ``sentence`` is shown as it is, in the language of the reader.

    A refusal that a worker may meet carries a ``Sentence``: its code and parameters can be stored.
    """

    status = 400

    def __init__(self, sentence: Shown) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def code(self) -> str:
        """The code of the sentence; empty when it has none."""
        return self.sentence.code if isinstance(self.sentence, Sentence) else ""

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the sentence."""
        return self.sentence.params if isinstance(self.sentence, Sentence) else {}

    @property
    def stored(self) -> Sentence:
        """What is written into the database when nobody is there to read the sentence now."""
        return self.sentence if isinstance(self.sentence, Sentence) else as_written(text=str(self.sentence))


class PolicyDenied(SurveyError):
    """The person may do this in general, but the state of the thing does not allow it now."""

    status = 409


class StaleRevision(SurveyError):
    """Somebody else changed the same cell first; ``conflicts`` holds mine, theirs and base per item."""

    status = 409

    def __init__(
        self,
        sentence: Shown,
        conflicts: dict[str, dict[str, object]] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.conflicts = conflicts or {}


class DefinitionError(SurveyError):
    """A questionnaire definition or a value that contradicts it."""

    status = 422
