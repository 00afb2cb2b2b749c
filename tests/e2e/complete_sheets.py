"""Runs inside the stack: what a complete sheet of each demonstration account looks like, as JSON.

The browser tests type these answers. They come from the same solver that the static checks use, so that a
form that cannot be filled fails here with its name.
"""

import json
from typing import Any

from estimation.rehearsal.storage.accounts import PROVINCES
from survey.access.models import User
from survey.access.roles import Permission
from survey.questionnaires.edits import run_edits
from survey.questionnaires.proof.samples import sample_answers
from survey.submissions.models import Submission
from survey.submissions.selectors import sheet_of
from tests.e2e.broken_sheets import Breaker, flat


def print_sheets() -> None:
    """{username: plan of the account's open sheet}."""
    accounts = User.objects.filter(username__regex="^cat[0-9]{2}$").order_by("username")
    print(json.dumps({user.get_username(): plan(user) for user in accounts}))


def plan(user: User) -> dict[str, Any]:
    """Sections, answers by cell key, ways to break every hard edit, and a finding that must be explained."""
    row = Submission.objects.visible_to(user, Permission.RESPOND).get(round__year=2025)
    sheet = sheet_of(row)
    form, context = sheet.definition, sheet.context
    previous = dict(sheet.previous_filing.answers) if sheet.previous_filing else None
    answers = sample_answers(form, context, 0, previous)
    findings = run_edits(form, answers, previous=previous, context=context)
    assert not [finding.edit for finding in findings if finding.severity == "hard"], row.unit.category
    return {
        "sheet": row.pk,
        "form": form.form_no,
        "desk": next(
            (name for name, code in PROVINCES.items() if code == row.unit.review_region_id), "reviewer"
        ),
        "sections": {section.code: list(section.items) for section in form.sections},
        "answers": flat(answers),
        "unknown": [
            code
            for code, item in form.items.items()
            if item.required
            and item.is_numeric
            and not item.computed
            and code in answers
            and code[0] not in "BP"
        ][:1],
        **Breaker(form, answers, context, previous).plan(),
    }
