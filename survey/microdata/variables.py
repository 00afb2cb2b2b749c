"""Variables of the microdata: the columns of a row."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from survey.questionnaires.definition import Text

AMOUNTS = frozenset({"quantity", "money", "count"})


@dataclass(frozen=True, slots=True)
class Variable:
    """A column of the row. ``categories`` are the forms with the item; ``required`` says whether the form
    refuses a blank."""

    code: str
    unit: str
    period: str
    kind: str
    categories: tuple[str, ...]
    required: bool
    zh: str
    en: str

    @property
    def is_amount(self) -> bool:
        """True for quantities, money and counts: they add up; shares and yes/no do not."""
        return self.kind in AMOUNTS

    @property
    def label(self) -> Text:
        """The name in both languages."""
        return Text(self.zh, self.en)

    def to_json(self) -> dict[str, Any]:
        """As stored in a layout."""
        return {**asdict(self), "categories": list(self.categories)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Variable":
        """As read from a layout."""
        return cls(**{**document, "categories": tuple(document["categories"])})
