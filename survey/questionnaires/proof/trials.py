"""Runs a questionnaire on sample answers and reports the faults that only show then."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from survey.exceptions import DefinitionError
from survey.questionnaires.definition import Questionnaire, UnitContext
from survey.questionnaires.edits import findings_of, run_edits
from survey.questionnaires.proof.samples import sample_answers, sample_context
from survey.questionnaires.proof.solver import Solver
from survey.questionnaires.routing import evaluate_sheet
from survey.questionnaires.rules.expressions import evaluate
from survey.questionnaires.rules.plan import plan_of

_ATTEMPTS = 5
_INDUSTRIES = (("C", "3911"), ("A", "0111"), ("I", "6511"), ("G", "5412"))


def trial_contexts(category: str) -> tuple[UnitContext, ...]:
    """Units of several industries and regions, tagged and untagged."""
    return tuple(
        sample_context(
            category,
            section=section,
            industry=industry,
            region="660000" if section == "A" else "320000",
            division_code="660000" if section == "A" else "320000",
            is_head_platform=section == "I",
            is_pilot_space=section == "I",
        )
        for section, industry in _INDUSTRIES
    )


def trial_faults(questionnaire: Questionnaire) -> Iterator[tuple[str, str, str]]:
    """Yields (code, location, message): rules that cannot run, unreachable items, contradictory edits."""
    contexts = trial_contexts(questionnaire.category)
    try:
        samples = [
            (context, sample_answers(questionnaire, context, seed, soft=False))
            for seed, context in enumerate(contexts[:3])
        ]
        _run_everywhere(questionnaire, samples)
        yield from _contradictions(questionnaire, samples)
        yield from _unreachable(questionnaire, samples)
    except DefinitionError as error:
        yield error.code, error.where, error.message


def _run_everywhere(questionnaire: Questionnaire, samples: list[tuple[UnitContext, dict[str, Any]]]) -> None:
    """Run every expression on samples, a blank sheet and a sheet of zeros. Raises DefinitionError."""
    plan = plan_of(questionnaire)
    last_year = samples[-1][1]
    zero = {
        code: {**cell, "value": "0", "entered": "0"} if "entered" in cell else cell
        for code, cell in samples[0][1].items()
    }
    for context, answers in (*samples, (samples[0][0], zero), (samples[0][0], {})):
        for previous in (None, last_year):
            sheet = evaluate_sheet(questionnaire, answers, context, previous)
            findings_of(sheet)
            for compiled in plan.edits:
                for _, value in compiled.values:
                    evaluate(value, sheet.environment)


def _contradictions(
    questionnaire: Questionnaire, samples: list[tuple[UnitContext, dict[str, Any]]]
) -> Iterator[tuple[str, str, str]]:
    """Hard edits that fail on the samples, when no sample is free of hard findings."""
    failing: set[str] = set()
    for context, answers in samples:
        findings = run_edits(questionnaire, answers, context=context)
        hard = {finding.edit for finding in findings if finding.severity == "hard"}
        if not hard:
            return
        failing |= hard
    for code in sorted(failing):
        yield "unsatisfiable", code, f"no sample sheet could be filled so that {code} holds"


def _unreachable(
    questionnaire: Questionnaire, samples: list[tuple[UnitContext, dict[str, Any]]]
) -> Iterator[tuple[str, str, str]]:
    reached: set[str] = set()
    for context, answers in samples:
        reached |= evaluate_sheet(questionnaire, answers, context).relevant
    for code in questionnaire.items:
        if code not in reached and _can_be_reached(questionnaire, code, samples):
            reached.add(code)
    for section in questionnaire.sections:
        missing = [code for code in section.items if code not in reached]
        if len(missing) == len(section.items):
            yield "unreachable_section", section.code, f"section {section.code} never applies to any sample"
        else:
            for code in missing:
                yield "unreachable_item", code, f"item {code} never applies to any sample"


def _can_be_reached(
    questionnaire: Questionnaire, code: str, samples: list[tuple[UnitContext, dict[str, Any]]]
) -> bool:
    """Whether some change of a sample makes an item apply."""
    rule = plan_of(questionnaire).relevance.get(code)
    if rule is None:
        return True
    for context in trial_contexts(questionnaire.category):
        for seed in range(_ATTEMPTS):
            answers = {key: dict(cell) for key, cell in samples[0][1].items()}
            solver = Solver(questionnaire, answers, context, random.Random(seed))  # noqa: S311 samples, not secrets
            for upstream in (
                *(plan_of(questionnaire).relevance[c] for c in _above(questionnaire, code)),
                rule,
            ):
                solver.force(upstream.tree, True)
            if code in evaluate_sheet(questionnaire, answers, context).relevant:
                return True
    return False


def _above(questionnaire: Questionnaire, code: str) -> list[str]:
    """Items whose relevance decides about `code`, outermost first."""
    plan = plan_of(questionnaire)
    upstream: list[str] = []
    stack = [code]
    while stack:
        for name in plan.relevance[stack.pop()].current_items:
            if name in plan.relevance and name not in upstream:
                upstream.append(name)
                stack.append(name)
    return [name for name in plan.order if name in upstream]
