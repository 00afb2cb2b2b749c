"""Limits hold when two requests meet: they are counted under the lock that grants.

Each scenario lets two actors use the last place of a limit at the same time and asserts that one gets it. The second
test runs the scenarios without their lock and sees the assertion fail.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from estimation.design.approval.services import approve_design
from estimation.design.models import SampleDesign
from survey import locks
from survey.access.activation import services as activation
from survey.access.models import ActivationCode, User
from survey.access.recovery import services as recovery
from survey.access.services import create_account
from survey.collection.models import CollectionRound
from survey.collection.services import plan_round
from survey.exceptions import PolicyDenied
from survey.fieldwork.exports import services as exports
from survey.fieldwork.models import DeskJob
from survey.review.filters import QueueFilter
from survey.submissions.evidence import services as evidence
from survey.submissions.invitations import services as invitations
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Attachment, SectionInvitation, Submission
from tests.concurrency import connection_pool, race, without_row_locks
from tests.factories import make_sheet, make_user

type Scenario = Callable[[Any], None]
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


@pytest.fixture(autouse=True)
def _folders(settings: Any, tmp_path: Any) -> None:
    settings.ATTACHMENT_ROOT = str(tmp_path / "attachments")


def assert_second_is_refused(*acts: Any) -> None:
    """Run both acts; the second waits for the first and is refused."""
    first, second = race(*acts)
    assert first.error is None, first
    assert isinstance(second.error, PolicyDenied), second
    assert second.waited


def files_of_a_person(world: Any) -> None:
    round_ = CollectionRound.objects.get(year=2025)
    act = partial(
        exports.request_job,
        by=world.users["reviewer"],
        kind="export_csv",
        round_=round_,
        setting=QueueFilter.read({}),
    )
    for _number in range(exports.MAX_OPEN_JOBS - 1):
        act()
    assert_second_is_refused(act, act)
    assert DeskJob.objects.filter(by=world.users["reviewer"]).count() == exports.MAX_OPEN_JOBS


def account_names(world: Any) -> None:
    by = world.users["system_administrator"]
    create = partial(create_account, name="演练", by=by)
    assert_second_is_refused(partial(create, username="limits"), partial(create, username="Limits"))
    assert User.objects.filter(username__iexact="limits").count() == 1


def activation_codes(world: Any) -> None:
    """One code of a unit is valid: the later one ends the earlier."""
    by = make_user("provincial_administrator", "320000")
    issue = partial(activation.issue_activation_code, unit=world.unit, by=by)
    first, second = race(issue, issue)
    assert (first.error, second.error) == (None, None), (first, second)
    assert ActivationCode.objects.filter(unit=world.unit, expires_at__gt=timezone.now()).count() == 1


def approved_designs(world: Any) -> None:
    round_ = CollectionRound.objects.get(year=2025)
    drawn = [
        SampleDesign.objects.create(
            round=round_,
            number=900 + number,
            content_hash=f"limits {number}",
            state="drawn",
            drawn_by=make_user("designer"),
            drawn_at=timezone.now(),
        )
        for number in range(2)
    ]
    by = world.users["designer"]
    assert_second_is_refused(
        *(partial(approve_design, row, by=by, content_hash=row.content_hash) for row in drawn)
    )
    assert SampleDesign.objects.filter(round=round_, state="approved").count() == 1


def rounds_of_a_year(world: Any) -> None:
    now = timezone.now()
    plan = partial(
        plan_round,
        by=world.users["designer"],
        year=2031,
        reference_date=dt.date(2031, 12, 31),
        opens_at=now,
        due_at=now + dt.timedelta(days=1),
        closes_at=now + dt.timedelta(days=2),
    )
    assert_second_is_refused(plan, plan)
    assert CollectionRound.objects.filter(year=2031).count() == 1


def invitations_of_a_sheet(world: Any) -> None:
    row = make_sheet(world.unit, State.IN_PROGRESS)
    invite = partial(
        invitations.invite, row, by=world.users["respondent"], name="同事", email="", sections=["P"], days=7
    )
    for _number in range(invitations.MOST - 1):
        invite()
    assert_second_is_refused(invite, invite)
    assert SectionInvitation.objects.filter(submission=row).count() == invitations.MOST


def bytes_of_a_sheet(world: Any) -> None:
    row = make_sheet(world.unit, State.IN_PROGRESS)
    attach = partial(evidence.attach, row, by=world.users["respondent"], name="a.pdf", data=PDF)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.ATTACHMENT_QUOTA", len(PDF) * 2 - 1)
        assert_second_is_refused(attach, attach)
    assert Attachment.objects.filter(submission=row).count() == 1


def bytes_of_a_unit(world: Any) -> None:
    """Two sheets of one unit, of two open rounds."""
    by = world.users["respondent"]
    now = timezone.now()
    CollectionRound.objects.filter(year=2024).update(
        state="open", opens_at=now - dt.timedelta(days=1), due_at=now, closes_at=now + dt.timedelta(days=1)
    )
    rows = [make_sheet(world.unit, State.IN_PROGRESS, year=year) for year in (2024, 2025)]
    attach = [partial(evidence.attach, row, by=by, name="a.pdf", data=PDF) for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.ATTACHMENT_UNIT_QUOTA", len(PDF) * 2 - 1)
        assert_second_is_refused(*attach)
    assert Attachment.objects.filter(submission__in=rows).count() == 1


def requests_of_a_network(world: Any) -> None:
    ask = partial(recovery.may_ask, "192.0.2.7")
    for _number in range(recovery.MAX_REQUESTS_PER_ADDRESS - 1):
        assert ask()
    first, second = race(ask, ask)
    assert (first.value, second.value, second.waited) == (True, False, True), (first, second)


@contextmanager
def without_named_locks() -> Iterator[None]:
    """``locks.hold`` does not wait, as if somebody had removed it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locks, "hold", lambda name: None)
        yield


BY_NAME: tuple[Scenario, ...] = (
    files_of_a_person,
    account_names,
    activation_codes,
    approved_designs,
    rounds_of_a_year,
    bytes_of_a_unit,
    requests_of_a_network,
)
BY_THE_SHEET: tuple[Scenario, ...] = (invitations_of_a_sheet, bytes_of_a_sheet)


@pytest.mark.parametrize("scenario", [*BY_NAME, *BY_THE_SHEET])
def test_two_requests_meet_at_a_limit(committed_world: Any, scenario: Scenario) -> None:
    scenario(committed_world)


@pytest.mark.parametrize("scenario", BY_NAME)
def test_without_the_named_lock_the_limit_is_passed(committed_world: Any, scenario: Scenario) -> None:
    with without_named_locks(), pytest.raises(AssertionError):
        scenario(committed_world)


@pytest.mark.parametrize("scenario", BY_THE_SHEET)
def test_without_the_lock_of_the_sheet_the_limit_is_passed(committed_world: Any, scenario: Scenario) -> None:
    with without_row_locks(Submission), pytest.raises(AssertionError):
        scenario(committed_world)


def test_ten_requests_at_once_get_no_more_than_is_left(committed_world: Any) -> None:
    """Ten threads start together, when three of the hour's requests are left."""
    for _number in range(recovery.MAX_REQUESTS_PER_ADDRESS - 3):
        assert recovery.may_ask("192.0.2.7")
    start = Barrier(10)

    def ask(_number: int) -> bool:
        try:
            connection.ensure_connection()
            start.wait(30)
            return recovery.may_ask("192.0.2.7")
        finally:
            connection.close()

    with connection_pool(max_size=11), ThreadPoolExecutor(10) as threads:
        assert sorted(threads.map(ask, range(10))) == [False] * 7 + [True] * 3
