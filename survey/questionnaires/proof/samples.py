"""Sample sheets: complete answers that pass the edits, and mutations that break a chosen edit.

Used by the static checks (does every rule run, is every section reachable, can the hard edits hold
together) and by tests. They are not survey data.
"""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

from survey.questionnaires.answering.answers import Cell
from survey.questionnaires.definition import Column, Edit, Item, Questionnaire, UnitContext
from survey.questionnaires.edits import INVALID, MISSING, REQUIRED, Finding, findings_of
from survey.questionnaires.proof.solver import Solver, number_cell
from survey.questionnaires.routing import evaluate_sheet, prefilled_cells
from survey.questionnaires.rules.plan import CompiledEdit, plan_of

ROUNDS = 120
PATIENCE = 12  # rounds without fewer soft findings, once nothing hard is left
SAMPLE_CODE = "91350100M000100Y43"  # the example of GB 32100-2015


def sample_context(category: str, **changes: Any) -> UnitContext:
    """A unit of the register for samples."""
    facts: dict[str, Any] = {
        "category": category,
        "year": 2025,
        "uscc": SAMPLE_CODE,
        "name": "样例单位",
        "region": "320000",
        "division_code": "320000",
        "industry": "3911",
        "section": "C",
        "institution_type": "10",
    }
    return UnitContext(**(facts | changes))


def sample_answers(
    questionnaire: Questionnaire,
    context: UnitContext,
    seed: int = 0,
    previous: dict[str, Any] | None = None,
    *,
    soft: bool = True,
) -> dict[str, Any]:
    """A complete sheet without hard findings, and with as few soft ones as could be reached.

    `soft` False is quicker: soft findings are not repaired.
    Seed 0 answers yes to every yes/no item, so that most of the form applies. If the hard edits
    cannot hold together, the sheet with the fewest hard findings is returned.
    """
    rng = random.Random(seed)  # noqa: S311 samples, not secrets
    answers = _first_guess(questionnaire, context, rng, all_yes=seed == 0)
    best, best_score, since = answers, (10**6, 10**6), 0
    for _ in range(ROUNDS):
        sheet = evaluate_sheet(questionnaire, answers, context, previous)
        findings = [finding for finding in findings_of(sheet) if finding.severity != "notice"]
        hard = [finding for finding in findings if finding.severity == "hard"]
        score = (len(hard), len(findings))
        since += 1
        if score < best_score:
            best, best_score, since = deepcopy(answers), score, 0
        if not findings or (not best_score[0] and (not soft or since > PATIENCE)):
            break
        solver = Solver(questionnaire, answers, context, rng, previous)
        for finding in hard or findings[:3]:
            _repair(solver, finding)
        answers = solver.answers
    return best


def break_hard_edit(
    questionnaire: Questionnaire,
    answers: dict[str, Any],
    edit: Edit | str,
    context: UnitContext | None = None,
    previous: dict[str, Any] | None = None,
) -> dict[str, Any] | None:
    """A copy of `answers` in which the edit (an Edit or a finding code such as REQ-P01) fails.

    None when no mutation was found, for example for rules about what the register fills in.
    """
    code = edit if isinstance(edit, str) else edit.code
    context = context or sample_context(questionnaire.category)
    for seed in range(24):
        solver = Solver(questionnaire, deepcopy(answers), context, random.Random(seed), previous)  # noqa: S311 samples, not secrets
        if code.startswith(REQUIRED):
            solver.answers.pop(code.removeprefix(REQUIRED), None)
        elif code.startswith(INVALID):
            solver.answers[code.removeprefix(INVALID)] = {"value": "x", "entered": 1}
        else:
            compiled = _compiled(questionnaire, code)
            if compiled.when is not None:
                solver.force(compiled.when.tree, True)
            solver.force(compiled.rule.tree, False)
        sheet = evaluate_sheet(questionnaire, solver.answers, context, previous)
        if any(finding.edit == code for finding in findings_of(sheet)):
            return solver.answers
    return None


def _compiled(questionnaire: Questionnaire, code: str) -> CompiledEdit:
    for compiled in plan_of(questionnaire).edits:
        if compiled.edit.code == code:
            return compiled
    raise KeyError(code)


def _repair(solver: Solver, finding: Finding) -> None:
    for prefix in (REQUIRED, INVALID, MISSING):
        if finding.edit.startswith(prefix):
            item = solver.questionnaire.items[finding.edit.removeprefix(prefix)]
            solver.answers[item.code] = first_cell(item, solver.rng)
            return
    compiled = _compiled(solver.questionnaire, finding.edit)
    if not solver.force(compiled.rule.tree, True) and compiled.when is not None:
        solver.force(compiled.when.tree, False)


def _first_guess(
    questionnaire: Questionnaire, context: UnitContext, rng: random.Random, *, all_yes: bool
) -> dict[str, Any]:
    answers: dict[str, Any] = dict(prefilled_cells(questionnaire, context))
    for code, item in questionnaire.items.items():
        if item.computed or code in answers or (item.read_only and item.prefilled):
            continue
        if not item.required and (item.type in {"text", "table", "date"} or rng.random() < 0.5):
            continue
        answers[code] = {"value": True} if all_yes and item.type == "yesno" else first_cell(item, rng)
    return answers


def first_cell(item: Item | Column, rng: random.Random) -> Cell:
    """Some valid answer of an item."""
    if isinstance(item, Item) and item.type == "table":
        return _first_table(item, rng)
    if item.type == "yesno":
        return {"value": rng.random() < 0.7}
    if item.type in {"choice", "multi"}:
        codes = [entry.code for entry in item.choices.entries] if item.choices else ["1"]
        code = rng.choice(codes)
        return {"value": [code]} if item.type == "multi" else {"value": code}
    if item.type == "date":
        return {"value": f"{rng.randint(1995, 2022)}-{rng.randint(1, 12):02d}"}
    if item.type == "text":
        return {"value": "样例"}
    top = {"count": 400, "ratio": 100, "money": 5000}.get(item.type, 900)
    return number_cell(item, rng.uniform(1, top))


def _first_table(item: Item, rng: random.Random) -> Cell:
    grid = item.rows
    ids = list(grid.ids) if grid is not None and grid.kind == "fixed" else ["1", "2"]
    chosen = ids if len(ids) <= 12 else sorted(rng.sample(ids, 3))
    columns = list(item.columns)
    square = [column for column in columns if column.code.lstrip("p") in ids]
    rows: dict[str, dict[str, Cell]] = {}
    for row_id in chosen:
        # A square table (origin x destination) has no diagonal cells.
        filled = [c for c in square if c.code.lstrip("p") != row_id][:2] if square else columns
        rows[row_id] = {column.code: first_cell(column, rng) for column in filled}
    return {"rows": rows}
