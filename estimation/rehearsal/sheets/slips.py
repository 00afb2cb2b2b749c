"""Response errors of sheets in process: a whole block typed in the wrong unit or for the wrong period.

Only sheets that no frozen file holds get them, so that the true values and the estimates stay what they
are while the review desk has something to find. A slip that would break a hard edit is not made: such a
sheet could not have been filed.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from estimation.rehearsal.sheets.filing_rows import canonical
from survey.questionnaires.definition import Questionnaire, UnitContext
from survey.questionnaires.edits import Finding, run_edits

BLOCKS = ("F", "P", "V", "S", "T")  # sections whose amounts are added up among themselves only
FACTORS = (7, 12, 9)
SHARE = 0.45  # of the sheets in process that can be compared with a year before


def slipped(
    form: Questionnaire,
    text: str,
    previous: str,
    context: UnitContext,
    serial: int,
    *,
    blocks: Sequence[str] = BLOCKS,
) -> tuple[str, tuple[Finding, ...]]:
    """The sheet with one of `blocks` multiplied, and its findings; as it was when no slip is possible."""
    answers, before = json.loads(text), json.loads(previous)
    for step in range(len(blocks)):
        block = blocks[(serial + step) % len(blocks)]
        wrong = multiplied(form, answers, block, FACTORS[serial % len(FACTORS)])
        findings = run_edits(form, wrong, previous=before, context=context)
        severities = {finding.severity for finding in findings}
        if "soft" in severities and "hard" not in severities:
            return canonical(wrong), findings
    return text, run_edits(form, answers, previous=before, context=context)


def multiplied(form: Questionnaire, answers: Mapping[str, Any], block: str, factor: int) -> dict[str, Any]:
    """Answers whose amounts and money of one section are `factor` times as large."""
    wrong = dict(answers)
    for code, cell in answers.items():
        if code.rstrip("0123456789abc") == block and form.items[code].type in ("quantity", "money", "table"):
            wrong[code] = _times(cell, factor)
    return wrong


def _times(cell: Any, factor: int) -> Any:
    if isinstance(cell, Mapping):
        return {
            key: _product(part, factor) if key in ("value", "entered") else _times(part, factor)
            for key, part in cell.items()
        }
    return cell


def _product(number: Any, factor: int) -> Any:
    try:
        return format(Decimal(number) * factor, "f") if isinstance(number, str) else number
    except ArithmeticError:  # a code or a text inside a table
        return number
