"""Sample sheets are complete, deterministic and pass; mutations break what they should."""

import pytest

from survey.questionnaires.answering.answers import normalise
from survey.questionnaires.edits import run_edits
from survey.questionnaires.loader import load_all, load_questionnaire
from survey.questionnaires.proof.samples import break_hard_edit, sample_answers, sample_context


@pytest.mark.parametrize("category", sorted(load_all()))
@pytest.mark.parametrize("seed", [1, 2])
def test_samples_pass_all_hard_edits(category, seed):
    form, context = (
        load_questionnaire(category),
        sample_context(category, region="660000", division_code="660000"),
    )
    answers = sample_answers(form, context, seed, soft=False)
    assert [f.edit for f in run_edits(form, answers, context=context) if f.severity == "hard"] == []
    assert all(normalise(form.items[code], cell) == cell for code, cell in answers.items())


def test_samples_are_the_same_for_the_same_seed(cat12, context):
    first, again, other = (sample_answers(cat12, context, seed, soft=False) for seed in (5, 5, 6))
    assert first == again != other


def test_sample_passes_edits_against_last_year(cat12, context):
    previous = sample_answers(cat12, context, 3)
    answers = sample_answers(cat12, context, 4, previous)
    hard = [
        f.edit for f in run_edits(cat12, answers, previous=previous, context=context) if f.severity == "hard"
    ]
    assert hard == []


def test_break_hard_edit_copies_the_answers(cat12, clean, context):
    before = {code: dict(cell) for code, cell in clean.items()}
    assert break_hard_edit(cat12, clean, "P01-H1", context) != clean
    assert clean == before


def test_built_in_findings_can_be_broken(cat12, clean, context):
    for code in ("REQ-P01", "INV-P01"):
        broken = break_hard_edit(cat12, clean, code, context)
        assert code in {finding.edit for finding in run_edits(cat12, broken, context=context)}


def test_rule_about_register_values_cannot_be_broken(cat12, clean, context):
    assert break_hard_edit(cat12, clean, cat12.edit("B01-H1"), context) is None
    with pytest.raises(KeyError):
        break_hard_edit(cat12, clean, "nothing", context)
