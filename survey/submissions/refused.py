"""Values that were typed and could not be read: kept as typed with the reason, until they are corrected or discarded. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from survey.notation.characters import storable
from survey.questionnaires.answering.errors import AnswerError
from survey.questionnaires.definition import Questionnaire, Text
from survey.questionnaires.edits import Finding
from survey.submissions import cells

REFUSED = "REF-"  # code of the finding, with the key of the cell
LONGEST = 200


@dataclass(frozen=True, slots=True)
class RefusedValue:
    """What was typed into a cell, the unit chosen beside it, and why it was not stored."""

    text: str
    unit: str
    error: AnswerError

    def as_json(self) -> dict[str, Any]:
        """The value as it is stored with the sheet."""
        params = {
            name: storable(value) if isinstance(value, str) else value
            for name, value in self.error.stored_params().items()
        }
        return {
            "text": storable(self.text),
            "unit": storable(self.unit),
            "code": self.error.code,
            "params": params,
        }

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> "RefusedValue":
        """The value of ``as_json``."""
        error = AnswerError.restored(stored["code"], stored["params"])
        return cls(stored["text"], stored["unit"], error)

    @classmethod
    def of(cls, raw: Any, error: AnswerError) -> "RefusedValue":
        """The refused value of a raw form value."""
        values = raw if isinstance(raw, Mapping) else {}
        typed = values.get("value")
        text = ", ".join(map(str, typed)) if isinstance(typed, list | tuple) else str(typed or "")
        return cls(text.strip()[:LONGEST], str(values.get("unit") or "")[:20], error)


def restored(stored: Mapping[str, Any]) -> dict[str, RefusedValue]:
    """The refused values of a sheet by key of their cell."""
    return {key: RefusedValue.restored(value) for key, value in stored.items()}


def finding_of(definition: Questionnaire, key: str, value: RefusedValue) -> Finding:
    """The finding of a refused value: it stops a filing as a hard edit does."""
    code = cells.item_of(key)
    label = cells.label_of(definition, key)
    message = Text(
        f"{label.zh}：填写的“{value.text}”没有保存。{value.error.text.zh}",
        f"{label.en}: “{value.text}” was not stored. {value.error.text.en}",
    )
    return Finding(REFUSED + key, "hard", (code,), message, fingerprint="")
