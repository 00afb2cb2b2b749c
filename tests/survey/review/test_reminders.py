"""Reminders are sent to units that have not filed at sending time; every outcome is recorded."""

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import override_settings
from django.utils import timezone

from survey.collection.models import Disposition
from survey.exceptions import PolicyDenied
from survey.fieldwork.models import Reminder, ReminderBatch, SiteNotice
from survey.fieldwork.reminders import services as reminders
from survey.fieldwork.tasks import remind_by_calendar
from survey.sentences import as_written
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission
from tests.background import do, do_waiting
from tests.factories import make_sheet, make_unit, make_user

pytestmark = pytest.mark.django_db
SENT_TEXTS: list[tuple[str, str]] = []


def gateway(number: str, text: str) -> None:
    """A gateway that records messages and refuses one number."""
    if number == "000":
        raise ConnectionError("no route")
    SENT_TEXTS.append((number, text))


@pytest.fixture
def owing(world: Any) -> list[Submission]:
    """Two started sheets in Jiangsu with a respondent each, one in Zhejiang."""
    SENT_TEXTS.clear()
    sheets = []
    for number, region in enumerate(("320000", "320000", "330000")):
        sheet = make_sheet(make_unit("CAT12", region), State.IN_PROGRESS)
        person = make_user("respondent", unit=sheet.unit)
        person.email, person.phone = f"someone{number}@unit.example", f"1390000000{number}"
        person.save()
        sheets.append(sheet)
    return sheets


def requested(by: Any, sheets: list[Submission], group: str = "in_progress") -> ReminderBatch:
    return reminders.request_reminders(by=by, round_=sheets[0].round, group=group, category="CAT12")


def test_units_that_filed_meanwhile_are_not_reminded(owing: list[Submission], province: Any) -> None:
    batch = requested(province, owing)
    assert batch.reminders.count() == 2
    Submission.objects.filter(pk=owing[0].pk).update(state="submitted", filed_at=timezone.now())
    do_waiting()
    outcomes = dict(batch.reminders.values_list("submission", "outcome"))
    assert outcomes == {owing[0].pk: "not_owed", owing[1].pk: "sent"}
    assert [message.to for message in mail.outbox] == [["someone1@unit.example"]]
    notice = SiteNotice.objects.get()
    assert notice.submission_id == owing[1].pk and notice.message.code == "reminder_not_filed"
    assert notice.message.params["unit"] == owing[1].unit.name
    assert owing[1].unit.name in mail.outbox[0].body
    assert "尚未报送" in mail.outbox[0].subject


def test_sending_twice_reminds_once(owing: list[Submission], province: Any) -> None:
    batch = requested(province, owing)
    do_waiting()
    do("reminders", batch.pk)
    do_waiting()
    assert len(mail.outbox) == 2 and SiteNotice.objects.count() == 2
    assert set(batch.reminders.values_list("outcome", "emails")) == {("sent", 1)}
    batch.refresh_from_db()
    assert batch.finished_at is not None


def test_queued_message_is_not_sent_after_filing(owing: list[Submission], province: Any) -> None:
    batch = requested(province, owing)
    do_waiting("reminders")
    Submission.objects.filter(pk=owing[0].pk).update(state="submitted", filed_at=timezone.now())
    do_waiting("reminder_message")
    assert [message.to for message in mail.outbox] == [["someone1@unit.example"]]
    assert sorted(batch.reminders.values_list("outcome", "emails")) == [("sent", 0), ("sent", 1)]


def test_outcomes_of_ineligible_units_and_units_without_users(owing: list[Submission], province: Any) -> None:
    batch = requested(province, owing)
    assignment = owing[0].assignment
    assignment.disposition = Disposition.CLOSED
    assignment.save()
    owing[1].unit.pk  # noqa: B018 the unit whose respondent leaves
    for sheet in owing[1:2]:
        from survey.access.models import RoleAssignment

        RoleAssignment.objects.filter(unit=sheet.unit).update(ended_at=timezone.now())
    do_waiting()
    assert set(batch.reminders.values_list("outcome", flat=True)) == {"not_owed", "nobody"}
    assert mail.outbox == []


@override_settings(SMS_GATEWAY="tests.survey.review.test_reminders.gateway")
def test_failed_text_message_does_not_stop_the_batch(owing: list[Submission], province: Any) -> None:
    first = owing[0].unit
    from survey.access.models import User

    User.objects.filter(assignments__unit=first).update(phone="000")
    batch = requested(province, owing)
    do_waiting()
    assert [number for number, _text in SENT_TEXTS] == ["13900000001"]
    failed = batch.reminders.get(submission=owing[0])
    assert (failed.texts, failed.emails, failed.outcome) == (0, 1, "sent")
    assert failed.detail == "ConnectionError: no route"


def test_groups_select_by_state_and_days(owing: list[Submission], province: Any) -> None:
    round_ = owing[0].round
    day = timezone.localdate() + dt.timedelta(days=3)
    moment = timezone.make_aware(dt.datetime.combine(day, dt.time(23, 59)))
    owing[0].assignment.extended_until = moment
    owing[0].assignment.save()
    back = make_sheet(make_unit("CAT12", "320000"), State.RETURNED)
    Submission.objects.filter(pk=back.pk).update(return_due_at=moment)

    def candidates(group: str) -> set[int]:
        return set(reminders.candidates(province, round_, group, "CAT12").values_list("pk", flat=True))

    assert candidates("due_3") == {owing[0].pk, back.pk}
    assert candidates("due_1") == set()
    assert candidates("returned") == {back.pk}
    assert candidates("in_progress") == {owing[0].pk, owing[1].pk}


def test_calendar_is_off_by_default_and_sends_each_group_once(owing: list[Submission]) -> None:
    day = timezone.localdate() + dt.timedelta(days=1)
    owing[2].assignment.extended_until = timezone.make_aware(dt.datetime.combine(day, dt.time(12)))
    owing[2].assignment.save()
    remind_by_calendar()
    assert not ReminderBatch.objects.exists()
    with override_settings(REMINDERS_AUTOMATIC=True, CELERY_TASK_ALWAYS_EAGER=True):
        batches = reminders.calendar_batches()
        assert reminders.calendar_batches() == []
    assert len(batches) == 3
    assert list(Reminder.objects.values_list("batch__group", "submission")) == [("due_1", owing[2].pk)]


def test_requests_need_permission_group_and_recipients(
    owing: list[Submission], province: Any, world: Any
) -> None:
    with pytest.raises(PermissionDenied):
        requested(world.users["designer"], owing)
    for group in ("nonsense", "due_7"):
        with pytest.raises(PolicyDenied):
            requested(province, owing, group)


def test_pages_of_desk_and_respondent(owing: list[Submission], province: Any, client: Any) -> None:
    client.cookies["django_language"] = "en"
    client.force_login(province)
    page = client.get("/reminders/?category=CAT12").content.decode()
    assert "2 units get a notice" in page
    answer = client.post("/reminders/", {"group": "in_progress", "category": "CAT12", "year": "2025"})
    batch = ReminderBatch.objects.get()
    assert answer["Location"] == f"/reminders/{batch.pk}/"
    do_waiting()
    log = client.get(f"/reminders/{batch.pk}/").content.decode()
    assert owing[0].unit.name in log
    from survey.access.models import User

    (recipient,) = [user for user in User.objects.all() if user.email == "someone0@unit.example"]
    client.force_login(recipient)
    client.cookies["django_language"] = "en"
    english = client.get("/notices/").content.decode()
    assert "has not been filed yet" in english and "尚未报送" not in english
    client.cookies["django_language"] = "zh-hans"
    chinese = client.get("/notices/").content.decode()
    assert "尚未报送" in chinese and "has not been filed yet" not in chinese
    SiteNotice.objects.update(message=as_written(text="第一行\n第二行"))
    kept = client.get("/notices/").content.decode()
    assert "第一行<br>第二行" in kept and "请登录系统填报" not in kept
    client.post("/notices/")
    assert not SiteNotice.objects.filter(user=recipient, read_at=None).exists()
