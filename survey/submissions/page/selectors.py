"""The refused values of a sheet as a list: on the hub, among the findings and on the summary."""

from dataclasses import dataclass

from django.utils.translation import get_language

from survey.questionnaires.answering.answers import format_cell
from survey.questionnaires.definition import Section
from survey.submissions import cells
from survey.submissions.selectors import Sheet


@dataclass(frozen=True, slots=True)
class RefusedView:
    """One value that could not be read, in the language of the page; ``stored`` is what counts meanwhile."""

    key: str
    anchor: str
    section: Section
    label: str
    text: str
    error: str
    stored: str


def refused_values(sheet: Sheet) -> list[RefusedView]:
    """Values that could not be read and belong to items that apply, in form order."""
    language = get_language() or ""
    definition = sheet.definition
    order = {code: position for position, code in enumerate(definition.items)}
    views = []
    for key, value in sorted(sheet.refused.items(), key=lambda entry: order[cells.item_of(entry[0])]):
        code, field = cells.item_of(key), cells.field_of(definition, key)
        if code not in sheet.relevant or field is None:
            continue
        views.append(
            RefusedView(
                key,
                cells.element_id(key),
                definition.section_of(code),
                cells.label_of(definition, key).get(language),
                value.text,
                value.error.message(language),
                format_cell(field, cells.get(sheet.answers, key), language),
            )
        )
    return views
