"""Bulk acceptance concurrent with other actions: every sheet is decided once, by one of them."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext

from survey.access.models import RoleAssignment
from survey.exceptions import PolicyDenied, StaleRevision
from survey.microdata.models import Observation
from survey.review.bulk import services as bulk
from survey.review.bulk.models import BulkAcceptance, BulkMember
from survey.review.bulk.undo import services as undo
from survey.review.filters import QueueFilter
from survey.review.services import (
    accept_submission,
    invalidate,
    judge_explanation,
    raise_query,
    return_submission,
)
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission, SubmissionEvent
from tests.concurrency import Outcome, race, without_row_locks
from tests.factories import make_sheet, make_unit, make_user
from tests.survey.review.test_verdicts import filed_with_reason

type Scenario = Callable[[Any], None]
CAT12 = QueueFilter(category="CAT12")


def sheets_of(state: State, count: int = 3, region: str = "320000") -> list[Submission]:
    return [make_sheet(make_unit("CAT12", region), state) for _ in range(count)]


def accept_all(by: Any, sheets: list[Submission]) -> Any:
    """Bulk acceptance of all CAT12 sheets that ``by`` decides on, which are ``sheets``."""
    seen = bulk.preview(by, sheets[0].round, CAT12)
    assert seen.expected == len(sheets)
    return partial(
        bulk.bulk_accept, by=by, round=seen.round, setting=CAT12, expected=seen.expected, mark=seen.mark
    )


def returning(row: Submission, by: Any) -> Any:
    due = timezone.now() + dt.timedelta(days=7)
    return partial(return_submission, row, by=by, reason="请核实", due_at=due)


def states(sheets: list[Submission]) -> list[str]:
    return [Submission.objects.get(pk=row.pk).state for row in sheets]


def decisions(row: Submission) -> list[str]:
    """Transitions since the sheet was filed."""
    events = SubmissionEvent.objects.filter(submission=row, kind="state").order_by("pk")
    return [event.action for event in events if event.action not in {"save", "submit"}]


def assert_refused(outcome: Outcome, *kinds: type[Exception]) -> None:
    assert isinstance(outcome.error, kinds), outcome
    assert outcome.waited, "it did not wait for the other transaction"


def assert_done(outcome: Outcome) -> None:
    assert outcome.error is None, outcome


def bulk_accepted_twice(world: Any) -> None:
    """The same filter confirmed by two people: one bulk acceptance, one decision per sheet."""
    sheets = sheets_of(State.SUBMITTED)
    acts = [
        accept_all(by, sheets)
        for by in (
            world.users["provincial_administrator"],
            make_user("provincial_administrator", "320000"),
        )
    ]
    first, second = race(*acts)
    assert_done(first)
    assert_refused(second, PolicyDenied)
    assert BulkAcceptance.objects.count() == 1 and BulkMember.objects.count() == 3
    assert [decisions(row) for row in sheets] == [["accept"]] * 3


def bulk_accepted_by_overlapping_reviewers(world: Any) -> None:
    """One preview covers two provinces, a colleague's one of them: the larger acceptance is refused."""
    jiangsu, zhejiang = sheets_of(State.NATIONAL_REVIEW), sheets_of(State.NATIONAL_REVIEW, 2, "330000")
    by, colleague = world.users["reviewer"], make_user("reviewer")
    smaller = CAT12.but(region="320000")
    part = partial(bulk.bulk_accept, by=by, round=jiangsu[0].round, setting=smaller, expected=3)
    first, second = race(part, accept_all(colleague, [*jiangsu, *zhejiang]))
    assert_done(first)
    assert_refused(second, StaleRevision)
    assert states([*jiangsu, *zhejiang]) == ["accepted"] * 3 + ["national_review"] * 2
    assert BulkAcceptance.objects.count() == 1 and BulkMember.objects.count() == 3
    assert Observation.objects.filter(filing__submission__in=[*jiangsu, *zhejiang]).count() == 3


def bulk_accepted_while_a_sheet_is_returned(world: Any) -> None:
    sheets, by = sheets_of(State.SUBMITTED), world.users["provincial_administrator"]
    first, second = race(returning(sheets[0], by), accept_all(by, sheets))
    assert_done(first)
    assert_refused(second, StaleRevision)
    assert states(sheets) == ["returned", "submitted", "submitted"]
    assert not BulkAcceptance.objects.exists()


def sheet_returned_while_bulk_accepted(world: Any) -> None:
    sheets, by = sheets_of(State.SUBMITTED), world.users["provincial_administrator"]
    first, second = race(accept_all(by, sheets), returning(sheets[1], by))
    assert_done(first)
    assert_refused(second, PermissionDenied, PolicyDenied)
    assert states(sheets) == ["national_review"] * 3
    assert [decisions(row) for row in sheets] == [["accept"]] * 3


def bulk_accepted_while_a_comment_is_raised(world: Any) -> None:
    """A sheet with an open comment is not accepted in bulk."""
    sheets, by = sheets_of(State.SUBMITTED), world.users["provincial_administrator"]
    comment = partial(raise_query, sheets[0], by=by, text="请核实", item="B09")
    first, second = race(comment, accept_all(by, sheets))
    assert_done(first)
    assert_refused(second, StaleRevision)
    assert states(sheets) == ["submitted"] * 3


def bulk_accepted_while_a_second_comment_is_raised(world: Any) -> None:
    """The same after the review has begun, so that the comment does not change the sheet's row."""
    sheets, by = sheets_of(State.SUBMITTED), world.users["provincial_administrator"]
    Submission.objects.filter(pk=sheets[0].pk).update(review_started_at=timezone.now())
    comment = partial(raise_query, sheets[0], by=by, text="请核实", item="B09")
    first, second = race(comment, accept_all(by, sheets))
    assert_done(first)
    assert_refused(second, StaleRevision)
    assert states(sheets) == ["submitted"] * 3


def bulk_accepted_while_a_reason_is_refused(world: Any) -> None:
    sheets, by = (
        [filed_with_reason(), *sheets_of(State.SUBMITTED, 2)],
        world.users["provincial_administrator"],
    )
    refused = sheets[0].explanations.latest("pk")
    refuse = partial(judge_explanation, sheets[0], by=by, edit=refused.edit, verdict="refused")
    first, second = race(refuse, accept_all(by, sheets))
    assert_done(first)
    assert_refused(second, StaleRevision)
    assert states(sheets) == ["submitted"] * 3
    assert set(sheets[0].explanations.values_list("verdict", flat=True)) <= {"", "refused"}


def undone_twice(world: Any) -> None:
    sheets, by = sheets_of(State.SUBMITTED), world.users["provincial_administrator"]
    act = accept_all(by, sheets)()
    back = partial(undo.undo_acceptance, act, by=by, reason="选错了")
    first, second = race(back, back)
    assert_done(first)
    assert_refused(second, PolicyDenied)
    assert str(second.error) == gettext("This acceptance has been taken back already.")
    assert [decisions(row) for row in sheets] == [["accept", "undo_accept"]] * 3


def two_parts_undone(world: Any) -> None:
    """Two reviewers, each for a category, undo their parts of one act at the same time."""
    sheets = [
        *sheets_of(State.NATIONAL_REVIEW, 2),
        make_sheet(make_unit("CAT11", "320000"), State.NATIONAL_REVIEW),
    ]
    act = bulk.bulk_accept(
        by=world.users["reviewer"], round=sheets[0].round, setting=QueueFilter(), expected=3
    )
    first_reviewer, second_reviewer = make_user("reviewer"), make_user("reviewer")
    for reviewer, category in ((first_reviewer, "CAT12"), (second_reviewer, "CAT11")):
        RoleAssignment.objects.filter(user=reviewer).update(category=category)
    first, second = race(
        partial(undo.undo_acceptance, act, by=first_reviewer, reason="甲"),
        partial(undo.undo_acceptance, act, by=second_reviewer, reason="乙"),
    )
    assert_done(first)
    assert_done(second)
    assert second.waited and BulkAcceptance.objects.get().undone == 3
    assert states(sheets) == ["national_review"] * 3
    assert sorted(BulkMember.objects.values_list("undo_reason", flat=True)) == sorted(["甲", "甲", "乙"])


def undone_while_a_sheet_is_accepted(world: Any) -> None:
    sheets, by = sheets_of(State.SUBMITTED), world.users["provincial_administrator"]
    act = accept_all(by, sheets)()
    onward = partial(accept_submission, sheets[0], by=world.users["reviewer"])
    first, second = race(onward, partial(undo.undo_acceptance, act, by=by, reason="选错了"))
    assert_done(first)
    assert_done(second)
    assert (second.waited, second.value.undone) == (True, 2)
    assert states(sheets) == ["accepted", "submitted", "submitted"]


def sheet_invalidated_while_undone(world: Any) -> None:
    """Both succeed in sequence: the invalidation applies to the sheet after the undo."""
    sheets, by = sheets_of(State.NATIONAL_REVIEW), world.users["reviewer"]
    act = accept_all(by, sheets)()
    ruling = partial(invalidate, sheets[0], by=make_user("reviewer"), reason_code="not_credible")
    first, second = race(partial(undo.undo_acceptance, act, by=by, reason="选错了"), ruling)
    assert_done(first)
    assert_done(second)
    assert second.waited
    assert states(sheets) == ["invalidated", "national_review", "national_review"]
    last = SubmissionEvent.objects.filter(submission=sheets[0]).latest("pk")
    assert (last.action, last.old, last.new) == ("invalidate", "national_review", "invalidated")


def bulk_accepted_while_undone(world: Any) -> None:
    """The province undoes its acceptance while the nation accepts the same sheets."""
    sheets, by = sheets_of(State.SUBMITTED), world.users["provincial_administrator"]
    act = accept_all(by, sheets)()
    onward = accept_all(world.users["reviewer"], sheets)
    first, second = race(partial(undo.undo_acceptance, act, by=by, reason="选错了"), onward)
    assert_done(first)
    assert_refused(second, PolicyDenied)
    assert states(sheets) == ["submitted"] * 3
    assert not Observation.objects.filter(filing__submission__in=sheets).exists()


def undone_while_bulk_accepted(world: Any) -> None:
    sheets, by = sheets_of(State.SUBMITTED), world.users["provincial_administrator"]
    act = accept_all(by, sheets)()
    onward = accept_all(world.users["reviewer"], sheets)
    first, second = race(onward, partial(undo.undo_acceptance, act, by=by, reason="选错了"))
    assert_done(first)
    assert_refused(second, PolicyDenied)
    assert states(sheets) == ["accepted"] * 3
    assert Observation.objects.filter(filing__submission__in=sheets).count() == 3


PROTECTED_BY_LOCK: tuple[Scenario, ...] = (
    bulk_accepted_twice,
    sheet_returned_while_bulk_accepted,
    bulk_accepted_while_a_comment_is_raised,
    bulk_accepted_while_a_second_comment_is_raised,
    bulk_accepted_while_a_reason_is_refused,
    undone_twice,
    two_parts_undone,
    undone_while_a_sheet_is_accepted,
    sheet_invalidated_while_undone,
    bulk_accepted_while_undone,
    undone_while_bulk_accepted,
)
# Protected by more than the lock: the UPDATE of a set of sheets has a condition on their state.
ALSO_PROTECTED: tuple[Scenario, ...] = (
    bulk_accepted_by_overlapping_reviewers,
    bulk_accepted_while_a_sheet_is_returned,
)


@pytest.mark.parametrize("scenario", [*PROTECTED_BY_LOCK, *ALSO_PROTECTED])
def test_two_connections(committed_world: Any, scenario: Scenario) -> None:
    scenario(committed_world)


@pytest.mark.parametrize("scenario", PROTECTED_BY_LOCK)
def test_scenario_fails_without_the_row_lock(committed_world: Any, scenario: Scenario) -> None:
    with without_row_locks(Submission, BulkAcceptance), pytest.raises(AssertionError):
        scenario(committed_world)
