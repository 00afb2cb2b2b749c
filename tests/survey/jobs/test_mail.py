"""A mail of a job is sent at least once; a copy has the Message-ID of the first."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from survey.access.recovery.services import ask_link
from survey.fieldwork.reminders.services import request_reminders
from survey.jobs.mail.services import message_id, message_of
from survey.jobs.models import Job
from survey.jobs.services import Work, enqueue, run, sweep
from survey.submissions.invitations.services import invite
from survey.submissions.lifecycle.states import State
from survey.submissions.selectors import latest_filing
from tests.architecture.test_layout import ROOT, tracked
from tests.background import do_waiting
from tests.factories import World, make_sheet

pytestmark = pytest.mark.django_db


def respondent(world: World) -> Any:
    """A respondent who has an address."""
    person = world.users["respondent"]
    person.email = "filler@example.org"
    person.save()
    return person


def password_link(world: World) -> None:
    ask_link(respondent(world).username, site="https://survey.example/")


def receipt(world: World) -> None:
    filing = latest_filing(make_sheet(world.unit, State.SUBMITTED))
    assert filing is not None
    filing.filed_by = respondent(world)
    filing.save()
    enqueue("receipt", filing.pk, arguments={"language": "en"})


def invitation(world: World) -> None:
    arguments: dict[str, Any] = {"name": "乙", "email": "b@example.org", "sections": ["P"], "days": 3}
    sheet = make_sheet(world.unit, State.IN_PROGRESS)
    invite(sheet, by=respondent(world), site="https://survey.example/", **arguments)


def reminder_message(world: World) -> None:
    respondent(world)
    sheet = make_sheet(world.unit, State.IN_PROGRESS)
    by = world.users["provincial_administrator"]
    request_reminders(by=by, round_=sheet.round, group="in_progress", category=sheet.unit.category)
    do_waiting("reminders")


KINDS = (password_link, receipt, invitation, reminder_message)


@pytest.mark.parametrize("ask", KINDS)
def test_a_copy_sent_after_a_killed_worker_has_the_same_message_id(
    ask: Callable[[World], None], world: World, mailoutbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(world)
    job = Job.objects.get(kind=ask.__name__)

    def killed(work: Work) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Work, "store", killed)
        with pytest.raises(SystemExit):
            run(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING and len(mail.outbox) == 1  # sent, and nobody knows
    Job.objects.filter(pk=job.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    sweep()
    assert run(job.pk)
    assert [str(message.message()["Message-ID"]) for message in mail.outbox] == [message_id(job)] * 2
    job.refresh_from_db()
    assert job.state == Job.State.DONE


def test_two_requests_are_two_mails(world: World, mailoutbox: Any) -> None:
    for _again in range(2):
        password_link(world)
        do_waiting("password_link")
    first, second = (str(message.message()["Message-ID"]) for message in mail.outbox)
    assert first != second


def test_a_job_of_an_earlier_database_with_the_same_number_has_another_message_id() -> None:
    first, other = Job(pk=7), Job(pk=7)
    assert re.fullmatch(r"<job-7\.\d+@[\w.-]+>", message_id(first))
    other.requested_at = first.requested_at + timedelta(microseconds=1)
    assert message_id(first) != message_id(other)


@pytest.mark.parametrize("address", ["Survey <survey@stats.example>", "survey@stats.example"])
def test_the_message_id_has_the_domain_of_the_sender(address: str, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = address
    assert message_id(Job(pk=7)).endswith("@stats.example>")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("part", ["subject", "address"])
def test_no_line_break_gets_into_the_headers_of_a_mail(end: str, part: str) -> None:
    parts = {"subject": "a", "address": "a@example.org"}
    assert "Bcc" not in message_of(Job(pk=7), parts["subject"], "text", parts["address"]).message()
    parts[part] += f"{end}Bcc: b@example.org"
    with pytest.raises(ValueError, match=r"newline|linefeed|carriage"):
        message_of(Job(pk=7), parts["subject"], "text", parts["address"]).message()


def senders(paths: list[Path]) -> list[str]:
    """Files that make an e-mail themselves."""
    return [str(path) for path in paths if "django.core.mail" in path.read_text(encoding="utf-8")]


def test_mails_are_created_in_one_module(tmp_path: Path) -> None:
    owner = ROOT / "survey/jobs/mail/services.py"
    test_mail = ROOT / "survey/management/commands/send_test_mail.py"  # sent by a person, not by a job
    assert {Path(path) for path in senders(tracked("survey/*.py", "estimation/*.py"))} == {owner, test_mail}
    planted = tmp_path / "planted.py"
    planted.write_text("from django.core.mail import send_mail\n")
    assert senders([planted]) == [str(planted)]
