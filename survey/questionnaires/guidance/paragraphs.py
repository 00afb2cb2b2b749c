"""What a respondent reads about an item, as headed paragraphs in one language: page, print and workbook show them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from survey.questionnaires.definition import Item, Questionnaire, Text
from survey.questionnaires.guidance.formulas import formula_in_words
from survey.questionnaires.guidance.worked_examples import sentence

DEFINITION = Text("指标解释", "Definition")
INCLUDES = Text("包括", "Includes")
EXCLUDES = Text("不包括", "Excludes")
EXAMPLE = Text("填报示例", "Example")
WHERE = Text("去哪里找这个数", "Where to find it")
USED_FOR = Text("用于", "Used for")
_SEMICOLON = Text("；", "; ")
_COLON = Text("：", ": ")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph with its heading."""

    heading: str
    text: str
    colon: str = ": "

    @property
    def lead(self) -> str:
        """The heading as the beginning of a line."""
        return self.heading + self.colon


@dataclass(frozen=True, slots=True)
class ItemTexts:
    """An item with the texts that stand with it, in one language."""

    item: Item
    heading: str  # of the breakdown that begins at the item
    is_part: bool  # of a breakdown
    paragraphs: list[Paragraph]
    formula: str


def texts_of(questionnaire: Questionnaire, item: Item, shown: Collection[str], language: str) -> ItemTexts:
    """The texts of an item on a form of which the items in ``shown`` are visible."""
    return ItemTexts(
        item,
        heading_before(questionnaire, item, shown, language),
        questionnaire.breakdown_of(item.code) is not None,
        paragraphs(questionnaire, item, language),
        formula_in_words(questionnaire, item, language),
    )


def paragraphs(questionnaire: Questionnaire, item: Item, language: str) -> list[Paragraph]:
    """Definition, what is included and excluded, worked example, where to find the number, what it is used for."""
    example = sentence(item.example, language) if item.example else ""
    uses = _SEMICOLON.get(language).join(text.get(language) for text in questionnaire.uses_of(item))
    texts = (
        (DEFINITION, item.definition.get(language)),
        (INCLUDES, item.includes.get(language)),
        (EXCLUDES, item.excludes.get(language)),
        (EXAMPLE, example),
        (WHERE, item.where.get(language)),
        (USED_FOR, uses),
    )
    colon = _COLON.get(language)
    return [Paragraph(heading.get(language), text, colon) for heading, text in texts if text]


def heading_before(questionnaire: Questionnaire, item: Item, shown: Collection[str], language: str) -> str:
    """The heading of the breakdown that begins at an item, the first of its parts in ``shown``; may be empty."""
    breakdown = questionnaire.breakdown_of(item.code)
    if breakdown is None:
        return ""
    first = next((code for code in breakdown.items if code in shown), None)
    return breakdown.heading.get(language) if first == item.code else ""
