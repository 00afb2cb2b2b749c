"""Runs inside the stack: what a complete sheet of each demonstration account looks like, as JSON.

The browser tests type these answers. They come from the same solver that the static checks use, so that a
form that cannot be filled fails here with its name.
"""

import json
from collections.abc import Mapping
from typing import Any

from estimation.rehearsal.accounts import PROVINCES
from survey.access.models import User
from survey.access.roles import Permission
from survey.questionnaires.definition import Questionnaire, UnitContext
from survey.questionnaires.edits import run_edits
from survey.questionnaires.plan import plan_of
from survey.questionnaires.samples import break_hard_edit, sample_answers
from survey.submissions.cells import flatten
from survey.submissions.models import Submission
from survey.submissions.selectors import sheet_of

MOST_CHANGES = 2  # cells that are typed to break an edit


def print_sheets() -> None:
    """{username: plan of the account's open sheet}."""
    accounts = User.objects.filter(username__regex="^cat[0-9]{2}$").order_by("username")
    print(json.dumps({user.get_username(): plan(user) for user in accounts}))


def plan(user: User) -> dict[str, Any]:
    """Sections, answers by cell key, a way to break one hard edit, and the findings that must be explained."""
    row = Submission.objects.visible_to(user, Permission.RESPOND).get(round__year=2025)
    sheet = sheet_of(row)
    form, context = sheet.definition, sheet.context
    previous = dict(sheet.previous_filing.answers) if sheet.previous_filing else None
    answers = sample_answers(form, context, 0, previous)
    findings = run_edits(form, answers, previous=previous, context=context)
    assert not [one.edit for one in findings if one.severity == "hard"], row.unit.category
    return {
        "sheet": row.pk,
        "form": form.form_no,
        "desk": next(
            (name for name, code in PROVINCES.items() if code == row.unit.review_region_id), "reviewer"
        ),
        "sections": {section.code: list(section.items) for section in form.sections},
        "answers": cells_of(answers),
        "unknown": [
            code
            for code, item in form.items.items()
            if item.required
            and item.is_numeric
            and not item.computed
            and code in answers
            and code[0] not in "BP"
        ][:1],
        "broken": broken(form, answers, context, previous),
    }


def broken(
    form: Questionnaire, answers: dict[str, Any], context: UnitContext, previous: dict[str, Any] | None
) -> dict[str, Any]:
    """The first hard edit that fails after one or two cells are typed over: its code and these cells."""
    right = cells_of(answers)
    chosen = {code for code, item in form.items.items() if item.type in ("yesno", "choice", "multi")}
    for compiled in plan_of(form).edits:
        if compiled.edit.severity != "hard":
            continue
        wrong = break_hard_edit(form, answers, compiled.edit, context, previous)
        if wrong is None:
            continue
        typed = cells_of(wrong)
        changed = [key for key in {*typed, *right} if typed.get(key) != right.get(key)]
        touched = {key.split("/")[0] for key in changed}
        is_small = 0 < len(changed) <= MOST_CHANGES and len(touched) == 1
        if is_small and not touched & chosen and all(key in typed for key in changed):
            return {"edit": compiled.edit.code, "cells": {key: typed[key] for key in changed}}
    raise AssertionError(f"{form.form_no}: no hard edit can be broken by typing")


def cells_of(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Every filled cell by its key on the page."""
    return {key: cell for code, answer in answers.items() for key, cell in flatten(code, answer).items()}
