"""Invitations: what a guest may see and fill, and how an invitation ends."""

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.exceptions import PolicyDenied
from survey.jobs.models import Job
from survey.jobs.services import run
from survey.submissions.invitations import services as invitations
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.states import State
from survey.submissions.models import SectionInvitation, SubmissionEvent
from tests.background import do_waiting
from tests.factories import make_sheet


@pytest.fixture
def row(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def invited(world, row):
    return invitations.invite(
        row,
        by=world.users["respondent"],
        name="机房同事",
        email="it@example.org",
        sections=["P", "S"],
        days=7,
    )


@pytest.fixture
def guest(client, invited):
    """A browser that has opened the link."""
    answer = client.get(reverse("guest_open", args=[invited[1]]))
    assert answer.url == reverse("guest_home", args=[invited[0].pk])
    return client


def url(name, invited, *rest):
    return reverse(name, args=[invited[0].pk, *rest])


def cell(row, key, value):
    row.refresh_from_db()
    return {"revision": row.revision, "cell": [key], f"{key}.value": value, f"{key}.unit": "TB"}


def test_guest_saves_invited_sections_and_the_event_names_the_guest(guest, invited, row):
    home = guest.get(url("guest_home", invited)).content.decode()
    assert "机房同事" in home and url("guest_section", invited, "P") in home
    assert url("guest_section", invited, "V") not in home
    answer = guest.post(
        url("guest_save", invited, "P"), cell(row, "P01", "41"), headers={"HX-Request": "true"}
    )
    assert answer.headers["Sheet-Refused"] == ""
    row.refresh_from_db()
    assert row.answers["P01"]["value"] == "41"
    event = SubmissionEvent.objects.get(submission=row, item="P01", kind="value")
    assert (event.actor, event.channel, event.guest) == (None, "guest", "机房同事")
    assert "it@example.org" not in event.reason


def test_other_sections_are_neither_shown_nor_saved(guest, invited, row):
    before = row.answers["V01"]
    page = guest.get(url("guest_section", invited, "V"))
    assert page.status_code == 302 and page.url == url("guest_home", invited)
    refused = guest.post(
        url("guest_save", invited, "V"), cell(row, "V01", "1"), headers={"HX-Request": "true"}
    )
    assert refused.status_code == 409
    guest.post(url("guest_save", invited, "P"), cell(row, "V01", "1"), headers={"HX-Request": "true"})
    row.refresh_from_db()
    assert row.answers["V01"] == before


def test_findings_about_other_sections_stay_hidden(invited, row):
    row.answers |= {"S01": {"value": "900000000", "entered": "900000000", "unit": "TB"}}
    row.save()
    invitation = invitations.by_session(invited[0].pk, invited[0].secret_hash)
    shown = invitations.guest_sheet(invitation)
    allowed = invitations.items_of(invitation, shown)
    assert all(set(finding.items) <= allowed for finding in shown.findings)


@pytest.mark.parametrize("name", ["sheet_hub", "sheet_submit", "sheet_summary", "sheet_share"])
def test_guest_has_no_access_to_other_pages(guest, row, name):
    assert guest.get(reverse(name, args=[row.pk])).status_code == 302


def test_without_script_the_page_saves_as_a_form(guest, invited, row):
    done = guest.post(url("guest_section", invited, "P"), cell(row, "P01", "42") | {"go": "next"})
    assert done.status_code == 302
    wrong = guest.post(url("guest_section", invited, "P"), cell(row, "P01", "-4"))
    assert wrong.status_code == 422 and "不能填写负数" in wrong.content.decode()
    row.refresh_from_db()
    assert row.answers["P01"]["value"] == "42"


def test_guest_edit_of_a_changed_cell_conflicts(world, guest, invited, row):
    old = row.revision
    services.autosave(
        row, by=world.users["respondent"], changes={"P01": {"value": "5", "unit": "TB"}}, base_revision=old
    )
    data = cell(row, "P01", "7") | {"revision": old}
    answer = guest.post(url("guest_save", invited, "P"), data, headers={"HX-Request": "true"})
    assert answer.headers["Sheet-Refused"] == "P01"
    row.refresh_from_db()
    assert row.answers["P01"]["value"] == "5"


def ended(client, invited):
    page = client.get(url("guest_home", invited)).content.decode()
    return "邀请已失效" in page


def test_withdrawn_or_expired_invitation_stops_working(world, guest, invited, row):
    assert not ended(guest, invited)
    SectionInvitation.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert ended(guest, invited)
    SectionInvitation.objects.update(expires_at=timezone.now() + dt.timedelta(days=1))
    invitations.withdraw(row, by=world.users["respondent"], invitation_id=invited[0].pk)
    assert ended(guest, invited)
    assert invitations.by_secret(invited[1]) is None
    refused = guest.post(
        url("guest_save", invited, "P"), cell(row, "P01", "1"), headers={"HX-Request": "true"}
    )
    assert refused.status_code == 409
    with pytest.raises(PolicyDenied):
        invitations.withdraw(row, by=world.users["respondent"], invitation_id=invited[0].pk)


def test_an_invitation_ends_with_the_submission(world, guest, invited, row):
    services.transition(row, services.submit_action(row), by=None, shown_revision=row.revision)
    assert ended(guest, invited)


def test_invitation_requires_its_link(invited):
    other = Client()
    assert ended(other, invited)
    assert "邀请已失效" in other.get(reverse("guest_open", args=["made-up"])).content.decode()


def test_invite_checks_permission_and_sections(world, row):
    arguments: dict[str, Any] = {"name": "甲", "email": "a@example.org", "days": 7}
    with pytest.raises(PermissionDenied):
        invitations.invite(row, by=world.users["outside_respondent"], sections=["P"], **arguments)
    with pytest.raises(PolicyDenied):
        invitations.invite(row, by=world.users["respondent"], sections=["nope"], **arguments)
    filed = make_sheet(world.bureau, State.SUBMITTED)
    with pytest.raises(PermissionDenied):
        invitations.invite(filed, by=world.users["respondent"], sections=["P"], **arguments)


def test_link_is_shown_once_mailed_and_stored_as_a_hash(world, row, mailoutbox):
    browser = Client()
    browser.force_login(world.users["respondent"])
    page = browser.post(
        reverse("sheet_share", args=[row.pk]),
        {"name": "乙", "email": "b@example.org", "days": "3", "sections": ["P"]},
    )
    link = page.context["link"]
    invitation = SectionInvitation.objects.get()
    assert invitation.email == "b@example.org"
    assert invitation.secret_hash not in link
    assert link not in browser.get(reverse("sheet_share", args=[row.pk])).content.decode()
    do_waiting("invitation")
    assert mail.outbox[0].to == ["b@example.org"] and link in mail.outbox[0].body
    assert browser.post(reverse("sheet_share", args=[row.pk]), {"name": "x"}).status_code == 422


def test_queued_mail_does_not_contain_the_secret(world, row, mailoutbox, settings):
    arguments: dict[str, Any] = {"name": "乙", "email": "b@example.org", "sections": ["P"], "days": 3}
    invitation, secret = invitations.invite(
        row, by=world.users["respondent"], site="https://survey.example/", **arguments
    )
    job = Job.objects.get(kind="invitation", key=invitation.pk)
    assert secret not in str(job.arguments) and job.not_after == invitation.expires_at
    settings.SECRET_KEY = "another"
    assert run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error.code, mail.outbox) == (Job.State.FAILED, "invitation_secret_key_changed", [])
