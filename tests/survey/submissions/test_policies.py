"""Each policy of the transition table by itself, its limits to the microsecond, and the effects of the actions."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.translation import override

from survey import clock
from survey.access.roles import Role
from survey.classification import NATIONAL_CATEGORIES
from survey.collection.models import CollectionRound, Disposition
from survey.submissions.lifecycle import policies
from survey.submissions.lifecycle.policies import Request
from survey.submissions.lifecycle.states import Action, State
from survey.submissions.lifecycle.transitions import EFFECTS
from survey.submissions.models import Submission

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
MOMENT = dt.timedelta(microseconds=1)
OPEN, CLOSED = CollectionRound.State.OPEN, CollectionRound.State.CLOSED
ENDED = "The period for answering has ended. Ask your provincial office for an extension."
NOT_YET = "The 2025 round has not opened yet."


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(clock, "present", lambda: NOW)
    with override("en"):
        yield


def sheet(**values: Any) -> Any:
    """A sheet of an open round with the default of every field that a policy reads."""
    defaults = {
        "state": OPEN,
        "opens_at": NOW - MOMENT,
        "closes_at": NOW + MOMENT,
        "disposition": Disposition.ELIGIBLE,
        "extended_until": None,
        "sheet_state": State.IN_PROGRESS,
        "return_due_at": None,
    }
    row = SimpleNamespace(**(defaults | values))
    return SimpleNamespace(
        assignment=row,
        round=SimpleNamespace(year=2025, state=row.state, opens_at=row.opens_at, closes_at=row.closes_at),
        state=row.sheet_state,
        return_due_at=row.return_due_at,
    )


def sentence_of(policy: Any, submission: Any, **request: Any) -> str | None:
    """The sentence of a refusal, None without one."""
    action = request.pop("action", Action.SAVE)
    sentence = policy(submission, Request(request.pop("by", None), action, **request))
    return None if sentence is None else str(sentence)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, None),
        ({"state": CLOSED}, "The 2025 round is closed. Answers can no longer be changed."),
        ({"disposition": Disposition.CLOSED}, "This unit is not asked in this round."),
        ({"opens_at": NOW}, None),
        ({"opens_at": NOW + MOMENT}, NOT_YET),
        ({"closes_at": NOW}, ENDED),
        ({"closes_at": NOW, "extended_until": NOW}, ENDED),
        ({"closes_at": NOW, "extended_until": NOW + MOMENT}, None),
        ({"extended_until": NOW}, None),  # an extension never shortens the period
        ({"closes_at": NOW, "return_due_at": NOW + MOMENT, "sheet_state": State.RETURNED}, None),
        ({"closes_at": NOW, "return_due_at": NOW, "sheet_state": State.RETURNED}, ENDED),
        ({"closes_at": NOW, "return_due_at": NOW + MOMENT}, ENDED),  # returned earlier, no longer
    ],
)
def test_answers_are_accepted_from_the_opening_until_the_last_end(
    values: dict[str, Any], sentence: str | None
) -> None:
    assert sentence_of(policies.accepts_answers, sheet(**values)) == sentence


def test_a_round_is_open_or_closed() -> None:
    assert sentence_of(policies.round_open, sheet()) is None
    assert sentence_of(policies.round_open, sheet(state=CLOSED)) == "The 2025 round is closed."


@pytest.mark.parametrize(
    ("due_at", "sentence"),
    [
        (None, "Give a date until which the sheet is to be corrected."),
        (NOW, "The date must lie in the future."),
        (NOW + MOMENT, None),
    ],
)
def test_a_due_date_lies_in_the_future(due_at: dt.datetime | None, sentence: str | None) -> None:
    assert sentence_of(policies.due_date_given, None, due_at=due_at) == sentence


def test_a_reason_is_more_than_spaces() -> None:
    assert [sentence_of(policies.reason_given, None, reason=text) for text in ("核实", " \n")] == [
        None,
        "Give a reason.",
    ]


def test_the_list_of_reasons_is_that_of_the_action() -> None:
    exempt, invalid = (policies.reason_codes(name) for name in ("exempt_reasons", "invalid_reasons"))
    assert not set(exempt) & set(invalid)
    for action, codes, others in ((Action.EXEMPT, exempt, invalid), (Action.INVALIDATE, invalid, exempt)):
        for code in (*codes, *others, ""):
            sentence = sentence_of(policies.reason_coded, None, action=action, reason_code=code)
            assert sentence == (None if code in codes else "Choose a reason from the list.")


def test_the_filed_revision_is_the_shown_one() -> None:
    shown = SimpleNamespace(revision=4)
    changed = "The answers were changed after this page was shown. Read the summary again, then submit."
    assert [
        sentence_of(policies.revision_shown, shown, shown_revision=number) for number in (3, 4, 5, None)
    ] == [
        changed,
        None,
        changed,
        changed,
    ]


@pytest.mark.parametrize(("category", "national"), [("CAT12", False), ("CAT14", True)])
def test_a_category_is_reviewed_by_its_province_or_by_the_nation(category: str, national: bool) -> None:
    assert (category in NATIONAL_CATEGORIES) is national
    row = SimpleNamespace(unit=SimpleNamespace(category=category))
    by_province = sentence_of(policies.reviewed_by_province, row)
    by_nation = sentence_of(policies.reviewed_by_nation, row)
    assert (by_province, by_nation) == (
        ("Sheets of this category are reviewed nationally, not by a province.", None)
        if national
        else (None, "Sheets of this category are reviewed by the province first.")
    )


def test_a_sheet_under_review_is_not_taken_back() -> None:
    begun = sentence_of(policies.review_not_begun, SimpleNamespace(review_started_at=NOW))
    assert begun == "The review of this sheet has begun. Ask your reviewer to return it."
    assert sentence_of(policies.review_not_begun, SimpleNamespace(review_started_at=None)) is None


@pytest.mark.parametrize(
    ("role", "unit", "own"),
    [(Role.RESPONDENT, 1, True), (Role.RESPONDENT, 2, False), (Role.REVIEWER, 1, False)],
)
def test_respondents_of_a_unit_do_not_decide_on_its_sheet(role: Role, unit: int, own: bool) -> None:
    grants = [SimpleNamespace(role=role, unit_id=unit)]
    by = SimpleNamespace(grants=lambda: grants)
    row = SimpleNamespace(unit_id=1)
    sentence = "You fill this sheet yourself, so somebody else must decide on it."
    assert sentence_of(policies.not_own_sheet, row, by=by) == (sentence if own else None)
    assert sentence_of(policies.not_own_sheet, row, by=None) is None  # the system itself


def changed(action: Action, state: State, request: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The fields of a sheet that the effect of an action has changed."""
    row = Submission(state=state, **values)
    fields = [field.attname for field in Submission._meta.concrete_fields]
    before = {name: getattr(row, name) for name in fields}
    EFFECTS[action](row, Request(None, action, **request))
    return {name: getattr(row, name) for name in fields if getattr(row, name) != before[name]}


EARLIER = NOW - dt.timedelta(days=1)
FIELDS = {
    "hard_count": 3,
    "soft_count": 2,
    "unexplained_count": 1,
    "review_started_at": EARLIER,
    "decided_at": EARLIER,
    "return_due_at": EARLIER,
    "return_reason": "核实",
    "exempt_reason": "x",
    "invalid_reason": "y",
}
FILED = {
    "filed_at": NOW,
    "review_started_at": None,
    "decided_at": None,
    "return_due_at": None,
    "return_reason": "",
    "hard_count": 0,
    "unexplained_count": 0,
}
RETURN = {"reason": "单位", "due_at": NOW + MOMENT}
RETURNED = {"return_reason": "单位", "return_due_at": NOW + MOMENT, "decided_at": NOW}


@pytest.mark.parametrize(
    ("action", "request_", "expected"),
    [
        (Action.SUBMIT, {}, FILED),
        (Action.SUBMIT_NATIONAL, {}, FILED),
        (Action.RETURN, RETURN, RETURNED),
        (Action.REOPEN, RETURN, RETURNED),
        (Action.ACCEPT, {}, {"decided_at": NOW}),
        (Action.ACCEPT_FINALLY, {}, {"decided_at": NOW}),
        (Action.EXEMPT, {"reason_code": "moved"}, {"exempt_reason": "moved"}),
        (Action.UNEXEMPT, {}, {"exempt_reason": ""}),
        (Action.INVALIDATE, {"reason_code": "double"}, {"invalid_reason": "double", "decided_at": NOW}),
        (Action.REINSTATE, {}, {"invalid_reason": "", "decided_at": None}),
        (Action.UNDO_ACCEPT, {}, {"decided_at": None}),
        (Action.SAVE, {}, {}),  # only the first save of a sheet has an effect
    ],
)
def test_an_action_changes_its_fields_only(
    action: Action, request_: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert changed(action, State.IN_PROGRESS, request_, **FIELDS) == expected


def test_a_decision_begins_a_review_that_nobody_has_begun() -> None:
    expected = {"decided_at": NOW, "review_started_at": NOW}
    assert changed(Action.ACCEPT, State.SUBMITTED, {}) == expected
