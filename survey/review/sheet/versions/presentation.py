"""How two filed versions of one sheet differ."""

from dataclasses import dataclass
from typing import Any

from survey.questionnaires.definition import Item
from survey.review.sheet.selectors import Reading
from survey.submissions.models import Filing, Submission
from survey.submissions.page.figures import shown
from survey.submissions.selectors import Sheet


@dataclass(frozen=True, slots=True)
class Difference:
    """One item that two filed versions answer differently."""

    code: str
    item: Item
    before: str
    after: str


def differences(current: Sheet, older: Filing, newer: Filing) -> list[Difference]:
    """Items whose answers differ between two filed versions, in the order of the form."""
    result = []
    for code, item in current.definition.items.items():
        before, after = older.answers.get(code), newer.answers.get(code)
        if before == after:
            continue
        if item.type == "table":
            result.extend(_table_differences(item, before, after))
        else:
            result.append(Difference(code, item, shown(item, before), shown(item, after)))
    return result


def _table_differences(item: Item, before: Any, after: Any) -> list[Difference]:
    old, new = (before or {}).get("rows", {}), (after or {}).get("rows", {})
    result = []
    for row in dict.fromkeys([*old, *new]):
        for column in item.columns:
            old_cell, new_cell = old.get(row, {}).get(column.code), new.get(row, {}).get(column.code)
            if old_cell != new_cell:
                key = f"{item.code}/{row}/{column.code}"
                result.append(Difference(key, item, shown(column, old_cell), shown(column, new_cell)))
    return result


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two filed versions side by side; numbers are None while there is only one."""

    filings: list[Filing]
    changed: list[Difference]
    older: int | None
    newer: int | None


def compared(
    submission: Submission, reading: Reading, older: int | None = None, newer: int | None = None
) -> Comparison:
    """The filed versions, newest first without their answers, and how two of them differ.

    Without valid numbers the last version is compared with the one before it.
    """
    filings = list(
        submission.filings.select_related("filed_by").defer("answers", "explanations").order_by("-number")
    )
    if len(filings) < 2:
        return Comparison(filings, [], None, None)
    numbers = {filing.number for filing in filings}
    last = newer if newer in numbers and newer != min(numbers) else filings[0].number
    first = older if older in numbers and older < last else max(n for n in numbers if n < last)
    rows = {
        row.number: row
        for row in submission.filings.filter(number__in=[first, last]).only("answers", "number")
    }
    return Comparison(filings, differences(reading.sheet, rows[first], rows[last]), first, last)
