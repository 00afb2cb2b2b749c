"""Each form filled completely, broken at every hard edit once, and repaired: generated from the definitions."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from survey.questionnaires.definition import Questionnaire, UnitContext
from survey.questionnaires.edits import run_edits
from survey.questionnaires.loader import load_all
from survey.questionnaires.proof.samples import break_hard_edit, sample_answers, sample_context

FORMS = load_all()
PAIRS = [
    pytest.param(category, edit.code, id=f"{form.form_no}-{edit.code}")
    for category, form in FORMS.items()
    for edit in form.edits
    if edit.severity == "hard"
]


def unbreakable(category: str, edit: str) -> bool:
    """Whether no answer can break a rule: it reads register values or applies to data enterprises only. The
    list is exact, so that a rule that can no longer be broken fails the test."""
    return edit in {"B01-H1", "B01-H2"} or (edit == "X06" and category != "CAT12")


@cache
def complete(category: str) -> tuple[Questionnaire, UnitContext, dict[str, Any]]:
    """A form, a unit and a complete sheet without hard findings."""
    form, context = FORMS[category], sample_context(category)
    return form, context, sample_answers(form, context, 0)


def hard(form: Questionnaire, context: UnitContext, answers: dict[str, Any]) -> set[str]:
    """Codes of the hard findings."""
    return {
        finding.edit for finding in run_edits(form, answers, context=context) if finding.severity == "hard"
    }


@pytest.mark.parametrize("category", FORMS)
def test_the_complete_sheet_can_be_filed(category: str) -> None:
    form, context, answers = complete(category)
    assert hard(form, context, answers) == set()


@pytest.mark.parametrize("category", FORMS)
def test_blank_required_item_blocks_filing(category: str) -> None:
    form, context, answers = complete(category)
    for code, item in form.items.items():
        must_be_answered = item.required and not item.computed and not item.read_only and code in answers
        if must_be_answered:
            without = {key: cell for key, cell in answers.items() if key != code}
            codes = hard(form, context, without)
            assert f"REQ-{code}" in codes or code not in answers, code
            assert hard(form, context, {**without, code: answers[code]}) == set()


@pytest.mark.parametrize(("category", "edit"), PAIRS)
def test_every_hard_edit_is_broken_once_and_repaired(category: str, edit: str) -> None:
    form, context, answers = complete(category)
    wrong = break_hard_edit(form, answers, edit, context)
    if unbreakable(category, edit):
        assert wrong is None
        return
    assert wrong is not None, f"{edit} cannot be broken"
    findings = {finding.edit: finding for finding in run_edits(form, wrong, context=context)}
    assert findings[edit].severity == "hard"
    assert findings[edit].message.zh and findings[edit].message.en
    assert "{" not in findings[edit].message.zh + findings[edit].message.en  # every number is filled in
    repaired = {**wrong, **answers}
    assert edit not in hard(form, context, {code: repaired[code] for code in answers})


@pytest.mark.parametrize("category", FORMS)
def test_wrong_credit_code_in_the_register_blocks_every_form(category: str) -> None:
    form, context, answers = complete(category)
    assert "B01-H1" in hard(form, replace(context, uscc="91350100M000100Y44"), answers)
