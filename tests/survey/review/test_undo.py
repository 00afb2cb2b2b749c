"""Undo of bulk acceptances, limited to unchanged sheets."""

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from survey.access.models import RoleAssignment
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from survey.microdata.services import freeze_version
from survey.review import services
from survey.review.bulk import services as bulk
from survey.review.bulk.models import BulkAcceptance
from survey.review.bulk.undo import services as undo
from survey.review.filters import QueueFilter
from survey.submissions.lifecycle.states import Action, State
from survey.submissions.lifecycle.transitions import refusals
from survey.submissions.models import Submission, SubmissionEvent
from tests.factories import make_sheet, make_unit, make_user

pytestmark = pytest.mark.django_db
CAT12 = QueueFilter(category="CAT12")


def accepted(user: Any, state: State, count: int = 3) -> tuple[BulkAcceptance, list[Submission]]:
    sheets = [make_sheet(make_unit("CAT12", "320000"), state) for _ in range(count)]
    act = bulk.bulk_accept(by=user, round=sheets[0].round, setting=CAT12, expected=count)
    return act, sheets


def states(sheets: list[Submission]) -> list[str]:
    return [Submission.objects.get(pk=sheet.pk).state for sheet in sheets]


@pytest.mark.parametrize("state", [State.SUBMITTED, State.NATIONAL_REVIEW])
def test_undo_restores_the_earlier_state_of_all_sheets(province: Any, nation: Any, state: State) -> None:
    by = province if state is State.SUBMITTED else nation
    act, sheets = accepted(by, state)
    done = undo.undo_acceptance(act, by=by, reason="选错了筛选条件")
    assert states(sheets) == [state.value] * 3
    assert (done.undone, done.undone_by, done.undo_reason) == (3, by, "选错了筛选条件")
    for sheet in sheets:
        row = Submission.objects.get(pk=sheet.pk)
        event = SubmissionEvent.objects.filter(submission=row).latest("pk")
        assert (event.action, event.new, event.actor) == ("undo_accept", state.value, by)
        assert event.reason == f"#{act.pk} 选错了筛选条件"
        assert row.decided_at is None
    assert AuditEvent.objects.filter(action="sheet_undo_accept").count() == 3
    assert AuditEvent.objects.get(action="bulk_undo").details["undone"] == 3
    with pytest.raises(PolicyDenied):
        undo.undo_acceptance(act, by=by, reason="再来一次")


def test_undo_skips_sheets_that_moved_on(province: Any, nation: Any) -> None:
    act, sheets = accepted(province, State.SUBMITTED)
    services.accept_submission(sheets[0], by=nation)
    seen = undo.undo_status(act, province)
    assert (seen.total, seen.reversible, seen.moved_on) == (3, 2, 1)
    assert undo.undo_acceptance(act, by=province, reason="选错了").undone == 2
    assert states(sheets) == ["accepted", "submitted", "submitted"]


def test_sheet_accepted_again_counts_as_moved_on(province: Any, nation: Any) -> None:
    act, sheets = accepted(province, State.SUBMITTED, count=1)
    services.send_back(sheets[0], by=nation, reason="请再看")
    services.accept_submission(sheets[0], by=province)
    with pytest.raises(PolicyDenied, match=r"."):
        undo.undo_acceptance(act, by=province, reason="选错了")
    assert states(sheets) == ["national_review"]


def test_undo_is_refused_too_late_without_reason_or_permission(province: Any) -> None:
    act, sheets = accepted(province, State.SUBMITTED, count=1)
    elsewhere = make_user("provincial_administrator", "330000")
    assert not undo.acts_of(elsewhere).exists()
    for by, reason in ((province, "  "), (elsewhere, "不是我的")):
        with pytest.raises(PolicyDenied):
            undo.undo_acceptance(act, by=by, reason=reason)
    BulkAcceptance.objects.update(undo_until=timezone.now() - dt.timedelta(seconds=1))
    assert not undo.undo_status(BulkAcceptance.objects.get(), province).is_open
    with pytest.raises(PolicyDenied):
        undo.undo_acceptance(act, by=province, reason="太晚了")
    assert states(sheets) == ["national_review"]


def test_province_cannot_undo_a_national_acceptance(province: Any, nation: Any) -> None:
    act, sheets = accepted(nation, State.NATIONAL_REVIEW, count=1)
    with pytest.raises(PolicyDenied):
        undo.undo_acceptance(act, by=province, reason="不同意")
    assert states(sheets) == ["accepted"]


def test_undone_sheets_leave_the_valid_sample(nation: Any) -> None:
    act, sheets = accepted(nation, State.NATIONAL_REVIEW)
    before = freeze_version(round=sheets[0].round, by=None).size
    undo.undo_acceptance(act, by=nation, reason="选错了")
    assert freeze_version(round=sheets[0].round, by=None).size == before - 3


def test_single_acceptance_cannot_be_undone(province: Any) -> None:
    sheet = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    services.accept_submission(sheet, by=province)
    assert refusals(Submission.objects.get(pk=sheet.pk), Action.UNDO_ACCEPT, province)


def test_page_undoes_a_bulk_acceptance(province: Any, client: Any) -> None:
    act, sheets = accepted(province, State.SUBMITTED, count=2)
    client.force_login(province)
    client.cookies["django_language"] = "en"
    assert f"/review/bulk/acts/{act.pk}/" in client.get("/review/bulk/acts/").content.decode()
    page = client.get(f"/review/bulk/acts/{act.pk}/").content.decode()
    assert "Take 2 acceptances back" in page
    refused = client.post(f"/review/bulk/acts/{act.pk}/", {"reason": ""})
    assert refused.status_code == 409
    assert 'href="#undo-reason"' in refused.content.decode()
    client.post(f"/review/bulk/acts/{act.pk}/", {"reason": "wrong filter"})
    assert states(sheets) == ["submitted", "submitted"]
    assert "Taken back on" in client.get(f"/review/bulk/acts/{act.pk}/").content.decode()


def act_of_two_categories(nation: Any) -> tuple[BulkAcceptance, list[Submission], list[Any]]:
    """A national act over two categories, and a reviewer for each of them."""
    sheets = [
        make_sheet(make_unit(category, "320000"), State.NATIONAL_REVIEW)
        for category in ("CAT12", "CAT12", "CAT11")
    ]
    act = bulk.bulk_accept(by=nation, round=sheets[0].round, setting=QueueFilter(), expected=3)
    reviewers = [make_user("reviewer"), make_user("reviewer")]
    for reviewer, category in zip(reviewers, ("CAT12", "CAT11"), strict=True):
        RoleAssignment.objects.filter(user=reviewer).update(category=category)
    return act, sheets, reviewers


def test_partial_scope_undoes_its_part_and_the_rest_stays_undoable(nation: Any, client: Any) -> None:
    act, sheets, (reviewer, other) = act_of_two_categories(nation)
    seen = undo.undo_status(act, reviewer)
    assert (seen.reversible, seen.for_others, seen.moved_on) == (2, 1, 0)
    assert [(part.category, part.count, part.own) for part in seen.left] == [("CAT11", 1, 0), ("CAT12", 2, 2)]
    assert undo.undo_acceptance(act, by=reviewer, reason="甲").undone == 2
    assert states(sheets) == ["national_review"] * 2 + ["accepted"]
    with pytest.raises(PolicyDenied):
        undo.undo_acceptance(act, by=reviewer, reason="再来")
    seen = undo.undo_status(act, other)
    assert (seen.reversible, seen.for_others, [(part.by, part.count) for part in seen.undone]) == (
        1,
        0,
        [(reviewer.username, 2)],
    )
    client.force_login(other)
    client.cookies["django_language"] = "en"
    url = f"/review/bulk/acts/{act.pk}/"
    page = client.get(url).content.decode()
    assert "Take 1 acceptances back" in page and reviewer.username in page
    client.post(url, {"reason": "乙"})
    assert states(sheets) == ["national_review"] * 3
    members = act.members.order_by("pk").values_list("undone_by__username", "undo_reason")
    assert set(members) == {(reviewer.username, "甲"), (other.username, "乙")}
    assert "Nothing of this acceptance can be taken back" in client.get(url).content.decode()


def test_undone_sheet_accepted_alone_is_no_part_of_the_act(nation: Any) -> None:
    act, sheets, (reviewer, other) = act_of_two_categories(nation)
    undo.undo_acceptance(act, by=reviewer, reason="甲")
    services.accept_submission(sheets[0], by=nation)
    assert refusals(Submission.objects.get(pk=sheets[0].pk), Action.UNDO_ACCEPT, nation)
    assert not refusals(Submission.objects.get(pk=sheets[2].pk), Action.UNDO_ACCEPT, other)


def test_earlier_undos_reach_their_members(nation: Any, province: Any) -> None:
    act, sheets = accepted(province, State.SUBMITTED)
    services.accept_submission(sheets[0], by=nation)
    undo.undo_acceptance(act, by=province, reason="选错了")
    before = list(act.members.order_by("pk").values_list("undone_at", "undone_by", "undo_reason"))
    act.members.update(undone_at=None, undone_by=None, undo_reason="")
    migration = import_module("survey.migrations.0034_bulk_members_of_earlier_undos")
    with connection.cursor() as cursor:
        cursor.execute(migration.FORWARD)
    assert list(act.members.order_by("pk").values_list("undone_at", "undone_by", "undo_reason")) == before
    assert before[0] == (None, None, "") and before[1][2] == "选错了"
