"""Concurrent actions on a sheet: no stored value is lost, and only one transition succeeds.

Each scenario is a function that asserts the correct outcome. The second test runs the scenarios that depend on the
lock of the sheet's row without that lock and expects the assertion to fail.
"""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from survey.exceptions import PolicyDenied, StaleRevision
from survey.review.services import (
    accept_submission,
    begin_review,
    raise_query,
    return_submission,
)
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.signing import services as signing
from survey.submissions.lifecycle.states import Action, State
from survey.submissions.models import Filing, Submission, SubmissionEvent
from survey.submissions.selectors import sheet
from tests.concurrency import Outcome, race, without_row_locks
from tests.factories import SIGNATORIES, make_sheet, make_user

type Scenario = Callable[[Any], None]


def stored(row: Submission) -> Submission:
    return Submission.objects.get(pk=row.pk)


def save(row: Submission, by: Any, **values: str) -> Any:
    """Autosave on the revision of ``row``."""
    changes = {key: {"value": value} for key, value in values.items()}
    return partial(services.autosave, row, by=by, changes=changes, base_revision=row.revision)


def submit(row: Submission, by: Any) -> Any:
    return partial(services.submit, row, by=by, signatories=SIGNATORIES, shown_revision=row.revision)


def returning(row: Submission, by: Any) -> Any:
    due = timezone.now() + dt.timedelta(days=7)
    return partial(return_submission, row, by=by, reason="请核实", due_at=due)


def moves(row: Submission, *actions: Action) -> list[str]:
    """The given actions that the events of the sheet contain, in order."""
    events = SubmissionEvent.objects.filter(submission=row, kind="state", action__in=actions)
    return list(events.order_by("pk").values_list("action", flat=True))


def assert_refused(outcome: Outcome, *kinds: type[Exception]) -> None:
    assert isinstance(outcome.error, kinds), outcome
    assert outcome.waited, "it did not wait for the other transaction"


def assert_done(outcome: Outcome) -> None:
    assert outcome.error is None, outcome


# Filling -------------------------------------------------------------------------------------------------
def two_cells_are_saved(world: Any) -> None:
    row = make_sheet(world.unit, State.IN_PROGRESS)
    colleague = make_user("respondent", unit=world.unit)
    outcomes = race(save(row, world.users["respondent"], B09="191"), save(row, colleague, P01="7"))
    for outcome in outcomes:
        assert_done(outcome)
    after = stored(row)
    assert (after.answers["B09"]["value"], after.answers["P01"]["value"]) == ("191", "7")
    assert after.revision == row.revision + 2
    assert (after.item_revisions["B09"], after.item_revisions["P01"]) == (row.revision + 1, row.revision + 2)


def same_cell_is_saved_twice(world: Any) -> None:
    row = make_sheet(world.unit, State.IN_PROGRESS)
    colleague = make_user("respondent", unit=world.unit)
    first, second = race(save(row, world.users["respondent"], B09="191"), save(row, colleague, B09="192"))
    assert_done(first)
    assert_done(second)
    assert list(second.value.conflicts) == ["B09"]
    conflict = second.value.conflicts["B09"]
    assert (conflict.mine["value"], conflict.theirs["value"]) == ("192", "191")
    assert conflict.by_id == world.users["respondent"].pk
    after = stored(row)
    assert (after.answers["B09"]["value"], after.revision) == ("191", row.revision + 1)


def first_touch_by_two(world: Any) -> None:
    row, colleague = world.sheet, make_user("respondent", unit=world.unit)
    outcomes = race(
        partial(services.start_sheet, row, by=world.users["respondent"]),
        partial(services.start_sheet, row, by=colleague),
    )
    for outcome in outcomes:
        assert_done(outcome)
    assert stored(row).revision == 1
    assert moves(row, Action.SAVE) == ["save"]


def saved_while_it_is_filed(world: Any) -> None:
    """The sheet is filed first: the save is refused, and the filing equals the sheet."""
    row, by = make_sheet(world.unit, State.IN_PROGRESS), world.users["respondent"]
    colleague = make_user("respondent", unit=world.unit)
    first, second = race(submit(row, by), save(row, colleague, B09="191"))
    assert_done(first)
    assert_refused(second, PolicyDenied)
    after = stored(row)
    assert after.state == State.SUBMITTED
    assert Filing.objects.get(submission=row).answers == sheet(after).effective


def filed_while_it_is_saved(world: Any) -> None:
    """The cell is saved first: the shown revision is stale."""
    row, by = make_sheet(world.unit, State.IN_PROGRESS), world.users["respondent"]
    colleague = make_user("respondent", unit=world.unit)
    first, second = race(save(row, colleague, B09="191"), submit(row, by))
    assert_done(first)
    assert_refused(second, StaleRevision)
    after = stored(row)
    assert (after.state, after.answers["B09"]["value"]) == (State.IN_PROGRESS, "191")
    assert not Filing.objects.filter(submission=row).exists()


def moved_while_it_is_saved(world: Any) -> None:
    """The same with the transition alone, which saves the complete row."""
    row, by = make_sheet(world.unit, State.IN_PROGRESS), world.users["respondent"]
    move = partial(services.transition, row, Action.SUBMIT, by=by, shown_revision=row.revision)
    first, second = race(save(row, by, B09="191"), move)
    assert_done(first)
    assert_refused(second, StaleRevision)
    assert (stored(row).state, stored(row).answers["B09"]["value"]) == (State.IN_PROGRESS, "191")


def _assert_single_filing(row: Submission, outcomes: tuple[Outcome, Outcome]) -> None:
    first, second = outcomes
    assert_done(first)
    assert_refused(second, PolicyDenied, StaleRevision)
    assert moves(row, Action.SUBMIT) == ["submit"]
    assert list(row.filings.values_list("number", flat=True)) == [1]


def filed_twice(world: Any) -> None:
    row, by = make_sheet(world.unit, State.IN_PROGRESS), world.users["respondent"]
    colleague = make_user("respondent", unit=world.unit)
    _assert_single_filing(row, race(submit(row, by), submit(row, colleague)))


def moved_twice(world: Any) -> None:
    row, by = make_sheet(world.unit, State.IN_PROGRESS), world.users["respondent"]
    move = partial(services.transition, row, Action.SUBMIT, by=by, shown_revision=row.revision)
    _assert_single_filing(row, race(move, move))


def signed_twice(world: Any) -> None:
    row = make_sheet(world.unit, State.IN_PROGRESS)
    seen = signing.version_hash(sheet(row))
    act = partial(signing.sign, row, role="filler", seen_hash=seen)
    first, second = race(partial(act, name="甲"), partial(act, name="乙"))
    assert_done(first)
    assert_refused(second, PolicyDenied)
    assert [event.new["name"] for event in row.events.filter(action=signing.ACTION)] == ["甲"]


def signed_while_it_is_saved(world: Any) -> None:
    """No signature covers an answer that was changed during signing."""
    row = make_sheet(world.unit, State.IN_PROGRESS)
    act = partial(signing.sign, row, role="filler", name="甲", seen_hash=signing.version_hash(sheet(row)))
    first, second = race(save(row, world.users["respondent"], B09="191"), act)
    assert_done(first)
    assert_refused(second, StaleRevision)
    assert not row.events.filter(action=signing.ACTION).exists()


# Deciding -------------------------------------------------------------------------------------------------
def returned_while_it_is_accepted(world: Any) -> None:
    row, by = make_sheet(world.unit, State.SUBMITTED), world.users["provincial_administrator"]
    colleague = make_user("provincial_administrator", "320000")
    first, second = race(partial(accept_submission, row, by=by), returning(row, colleague))
    assert_done(first)
    assert_refused(second, PermissionDenied, PolicyDenied)
    assert stored(row).state == State.NATIONAL_REVIEW
    assert moves(row, Action.ACCEPT, Action.RETURN) == ["accept"]


def accepted_while_it_is_returned(world: Any) -> None:
    row, by = make_sheet(world.unit, State.SUBMITTED), world.users["provincial_administrator"]
    colleague = make_user("provincial_administrator", "320000")
    first, second = race(returning(row, by), partial(accept_submission, row, by=colleague))
    assert_done(first)
    assert_refused(second, PermissionDenied, PolicyDenied)
    assert (stored(row).state, stored(row).return_reason) == (State.RETURNED, "请核实")
    assert moves(row, Action.ACCEPT, Action.RETURN) == ["return"]


def accepted_twice(world: Any) -> None:
    """Two national reviewers: one decision, one observation."""
    row, by = make_sheet(world.unit, State.NATIONAL_REVIEW), world.users["reviewer"]
    act = partial(accept_submission, row)
    first, second = race(partial(act, by=by), partial(act, by=make_user("reviewer")))
    assert_done(first)
    assert_refused(second, PermissionDenied, PolicyDenied)
    assert moves(row, Action.ACCEPT_FINALLY) == ["accept_finally"]
    assert stored(row).state == State.ACCEPTED


def accepted_while_it_is_recalled(world: Any) -> None:
    row = make_sheet(world.unit, State.SUBMITTED)
    recall = partial(services.recall, row, by=world.users["respondent"])
    accept = partial(accept_submission, row, by=world.users["provincial_administrator"])
    first, second = race(recall, accept)
    assert_done(first)
    assert_refused(second, PermissionDenied, PolicyDenied)
    assert stored(row).state == State.IN_PROGRESS
    assert moves(row, Action.ACCEPT, Action.RECALL) == ["recall"]


def recalled_while_it_is_opened(world: Any) -> None:
    row = make_sheet(world.unit, State.SUBMITTED)
    opened = partial(begin_review, stored(row), by=world.users["provincial_administrator"])
    first, second = race(opened, partial(services.recall, row, by=world.users["respondent"]))
    assert first.value is True
    assert_refused(second, PolicyDenied)
    assert stored(row).state == State.SUBMITTED and stored(row).review_started_at is not None


def opened_while_it_is_recalled(world: Any) -> None:
    row = make_sheet(world.unit, State.SUBMITTED)
    opened = partial(begin_review, stored(row), by=world.users["provincial_administrator"])
    first, second = race(partial(services.recall, row, by=world.users["respondent"]), opened)
    assert_done(first)
    assert (second.value, second.error, second.waited) == (False, None, True)
    assert stored(row).review_started_at is None


def accepted_while_a_comment_is_raised(world: Any) -> None:
    """A sheet with an open comment is not accepted."""
    row, by = make_sheet(world.unit, State.SUBMITTED), world.users["provincial_administrator"]
    colleague = make_user("provincial_administrator", "320000")
    comment = partial(raise_query, row, by=by, text="请核实", item="B09")
    first, second = race(comment, partial(accept_submission, row, by=colleague))
    assert_done(first)
    assert_refused(second, PolicyDenied)
    assert stored(row).state == State.SUBMITTED


def commented_while_it_is_accepted(world: Any) -> None:
    row, by = make_sheet(world.unit, State.SUBMITTED), world.users["provincial_administrator"]
    colleague = make_user("provincial_administrator", "320000")
    comment = partial(raise_query, row, by=colleague, text="请核实", item="B09")
    first, second = race(partial(accept_submission, row, by=by), comment)
    assert_done(first)
    assert_refused(second, PermissionDenied, PolicyDenied)
    assert stored(row).state == State.NATIONAL_REVIEW and not row.queries.exists()


PROTECTED_BY_LOCK: tuple[Scenario, ...] = (
    two_cells_are_saved,
    same_cell_is_saved_twice,
    first_touch_by_two,
    saved_while_it_is_filed,
    moved_while_it_is_saved,
    moved_twice,
    signed_twice,
    signed_while_it_is_saved,
    returned_while_it_is_accepted,
    accepted_while_it_is_returned,
    accepted_twice,
    accepted_while_it_is_recalled,
    recalled_while_it_is_opened,
    accepted_while_a_comment_is_raised,
    commented_while_it_is_accepted,
)
# Protected by more than the lock: a signature or an opening is an UPDATE that waits and reads the row again.
ALSO_PROTECTED: tuple[Scenario, ...] = (filed_while_it_is_saved, filed_twice, opened_while_it_is_recalled)


@pytest.mark.parametrize("scenario", [*PROTECTED_BY_LOCK, *ALSO_PROTECTED])
def test_two_connections(committed_world: Any, scenario: Scenario) -> None:
    scenario(committed_world)


@pytest.mark.parametrize("scenario", PROTECTED_BY_LOCK)
def test_scenario_fails_without_the_row_lock(committed_world: Any, scenario: Scenario) -> None:
    with without_row_locks(Submission), pytest.raises(AssertionError):
        scenario(committed_world)


@pytest.mark.parametrize("scenario", ALSO_PROTECTED)
def test_scenario_passes_without_the_row_lock(committed_world: Any, scenario: Scenario) -> None:
    with without_row_locks(Submission):
        scenario(committed_world)
