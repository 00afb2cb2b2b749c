"""Run the edits of a sheet: one engine for autosave, submission, bulk upload and review."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from survey.questionnaires.answering.answers import canonical_value
from survey.questionnaires.answering.explanations import explanation_problem
from survey.questionnaires.answering.special_values import missing_reasons_in_table
from survey.questionnaires.definition import Item, Questionnaire, Text, UnitContext
from survey.questionnaires.messages import (
    fill_message,
    invalid_message,
    missing_message,
    required_message,
    unknown_cells_message,
)
from survey.questionnaires.routing import Answers, Sheet, evaluate_sheet
from survey.questionnaires.rules.expressions import evaluate
from survey.questionnaires.rules.plan import CompiledEdit, plan_of

__all__ = ["Finding", "affected", "explanation_problem", "findings_of", "run_edits"]

REQUIRED, INVALID, MISSING = "REQ-", "INV-", "MIS-"


@dataclass(frozen=True, slots=True)
class Finding:
    """An edit that does not hold.

    `fingerprint` names the values that were judged: an explanation counts only for the same ones.
    """

    edit: str
    severity: str
    items: tuple[str, ...]
    message: Text
    fingerprint: str


def run_edits(
    questionnaire: Questionnaire,
    answers: Answers,
    *,
    previous: Answers | None = None,
    context: UnitContext,
) -> tuple[Finding, ...]:
    """All findings of a sheet: invalid and blank cells in form order, then failed edits.

    `previous` is last year's accepted answers; None for a unit that is new in the sample, whose
    comparisons with last year are then not made.
    """
    return findings_of(evaluate_sheet(questionnaire, answers, context, previous))


def findings_of(sheet: Sheet) -> tuple[Finding, ...]:
    """Findings of a sheet that is already routed."""
    findings: list[Finding] = []
    for section in sheet.questionnaire.sections:
        for code in section.items:
            finding = _cell_finding(sheet, sheet.questionnaire.items[code])
            if finding is not None:
                findings.append(finding)
    failed = (compiled for compiled in plan_of(sheet.questionnaire).edits if not _holds(sheet, compiled))
    findings.extend(_edit_finding(sheet, compiled) for compiled in failed)
    return tuple(findings)


def affected(questionnaire: Questionnaire, changed: Iterable[str]) -> frozenset[str]:
    """Codes of findings that may change when these items change, computed items followed.

    Includes the built-in codes (REQ-, INV-, MIS-) of every item reached.
    """
    plan = plan_of(questionnaire)
    reached = plan.dependants(changed)
    codes = {
        compiled.edit.code
        for compiled in plan.edits
        if compiled.reads_current & reached or compiled.rule.reads_sheet or set(compiled.edit.items) & reached
    }
    for code in reached:
        codes.update((REQUIRED + code, INVALID + code, MISSING + code))
    return frozenset(codes)


def _cell_finding(sheet: Sheet, item: Item) -> Finding | None:
    """The finding of a single cell, independent of the other cells."""
    code = item.code
    if code not in sheet.relevant:
        return None
    if code in sheet.invalid:
        message = invalid_message(item, sheet.invalid[code])
        return Finding(
            INVALID + code, "hard", (code,), message, _hash([INVALID + code, str(sheet.invalid[code])])
        )
    cell = sheet.cells.get(code)
    if item.read_only or item.computed:
        return None
    if unknown := unknown_cells(cell):
        fingerprint = _hash([MISSING + code, *unknown])
        return Finding(
            MISSING + code, "soft", (code,), unknown_cells_message(item, len(unknown)), fingerprint
        )
    if not item.required:
        return None
    if cell is None:
        return Finding(REQUIRED + code, "hard", (code,), required_message(item), _hash([REQUIRED + code]))
    if "missing" in cell:
        fingerprint = _hash([MISSING + code, cell["missing"]])
        return Finding(MISSING + code, "soft", (code,), missing_message(item, cell["missing"]), fingerprint)
    return None


def unknown_cells(cell: Any) -> list[str]:
    """Addresses of the table cells with the missing reason "not known"."""
    return sorted(
        address for address, reason in missing_reasons_in_table(cell).items() if reason == "unknown"
    )


def _holds(sheet: Sheet, compiled: CompiledEdit) -> bool:
    """Whether the edit holds or does not apply."""
    if compiled.when is not None and evaluate(compiled.when, sheet.environment) is not True:
        return True
    return evaluate(compiled.rule, sheet.environment) is not False


def _edit_finding(sheet: Sheet, compiled: CompiledEdit) -> Finding:
    edit = compiled.edit
    shown = tuple(code for code in edit.items if code in sheet.relevant)
    return Finding(
        edit.code,
        edit.severity,
        shown or edit.items,
        fill_message(sheet, compiled),
        _fingerprint(sheet, compiled),
    )


def _fingerprint(sheet: Sheet, compiled: CompiledEdit) -> str:
    involved = compiled.reads_current | set(compiled.edit.items)
    if compiled.rule.reads_sheet:
        involved |= sheet.cells.keys()
    items = sheet.questionnaire.items
    now = {code: canonical_value(items[code], sheet.cells.get(code)) for code in involved if code in items}
    before = {
        code: canonical_value(items[code], sheet.previous_cells.get(code))
        for code in compiled.reads_previous
        if code in items
    }
    unit = {name: sheet.environment.values.get(name) for name in compiled.reads_unit}
    return _hash([compiled.edit.code, now, before, unit])


def _hash(parts: list[Any]) -> str:
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
