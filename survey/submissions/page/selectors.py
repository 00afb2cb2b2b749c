"""What the pages of a sheet list: values that could not be read, and findings by their cause.

A slip of one unit breaks every rule that reads the value. For each value that is probably off by a unit, the rules are
evaluated once more with the probable entry; what no longer fails is explained by the slip, and stands together at its cell.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import get_language

from survey.questionnaires.answering import units
from survey.questionnaires.answering.answers import AnswerError, format_cell, parse
from survey.questionnaires.definition import Item, Section
from survey.questionnaires.edits import Finding
from survey.submissions import cells
from survey.submissions.page.unit_errors import LikelyEntry, likely_entry
from survey.submissions.selectors import Sheet

MOST_SUSPECTS = 20  # values of one sheet that are tried; a sheet with more has another problem than a slip


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


@dataclass(frozen=True, slots=True)
class Cause:
    """A value that is probably a slip, the probable entry, and the findings that its correction removes."""

    item: Item
    likely: LikelyEntry
    findings: tuple[Finding, ...]


def causes_of(sheet: Sheet) -> list[Cause]:
    """Causes of the findings of a sheet, those of most findings first; a finding belongs to one cause at most."""
    trials = [(item, likely, _removed(sheet, item, likely)) for item, likely in _suspects(sheet)]
    trials.sort(key=lambda trial: -len(trial[2]))
    assigned: set[str] = set()
    causes = []
    for item, likely, removed in trials:
        findings = tuple(finding for finding in removed if finding.edit not in assigned)
        if findings:
            assigned.update(finding.edit for finding in findings)
            causes.append(Cause(item, likely, findings))
    return causes


def _suspects(sheet: Sheet) -> list[tuple[Item, LikelyEntry]]:
    """Values that are far from last year's, with the entry that was probably meant."""
    suspects = []
    for code, last in (sheet.previous or {}).items():
        item = sheet.definition.items.get(code)
        if item is None or code not in sheet.relevant or item.computed or item.type == "table":
            continue
        likely = likely_entry(item, sheet.cell(code), last)
        if likely is not None:
            suspects.append((item, likely))
    return suspects[:MOST_SUSPECTS]


def _removed(sheet: Sheet, item: Item, likely: LikelyEntry) -> list[Finding]:
    """Findings that no longer hold with the probable entry; none when it would make new ones."""
    try:
        cell = parse(item, units.plain(likely.entered), likely.unit or None)
    except AnswerError:
        return []
    corrected = sheet.with_answers(cells.patched(sheet.answers, {item.code: cell}), sheet.refused)
    after = {finding.edit for finding in corrected.findings}
    before = {finding.edit for finding in sheet.findings}
    return [] if after - before else [finding for finding in sheet.findings if finding.edit not in after]


def without(findings: Iterable[Finding], causes: Iterable[Cause]) -> list[Finding]:
    """Findings that no cause explains."""
    explained = {finding.edit for cause in causes for finding in cause.findings}
    return [finding for finding in findings if finding.edit not in explained]
