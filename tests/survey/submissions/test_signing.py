"""The sequential sign-off: order, content hash, invalidation, and submission."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from survey.exceptions import PolicyDenied, StaleRevision
from survey.jobs.models import Job
from survey.submissions.invitations import services as invitations
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.signing import services as signing
from survey.submissions.lifecycle.states import State
from survey.submissions.models import SubmissionEvent
from survey.submissions.selectors import latest_filing, sheet
from tests.factories import SIGNATORIES, make_sheet


@pytest.fixture(autouse=True)
def chain(settings):
    settings.SIGN_OFF_CHAIN = True


@pytest.fixture
def row(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def by(world):
    return world.users["respondent"]


def fresh(row):
    row.refresh_from_db()
    return sheet(row)


def sign(row, role, name="甲", by=None):
    return signing.sign(row, role=role, name=name, seen_hash=signing.version_hash(fresh(row)), by=by)


def sign_all(row, by):
    for role, name, who in (
        ("filler", "填表人", by),
        ("stat_head", "统计负责人", None),
        ("unit_head", "单位负责人", None),
    ):
        sign(row, role, name, who)


def test_signatures_are_sequential_with_name_time_and_hash(row, by):
    with pytest.raises(PolicyDenied):
        sign(row, "stat_head")
    event = sign(row, "filler", " 填表人 ", by)
    assert (event.new["name"], event.actor, len(event.new["hash"])) == ("填表人", by, 64)
    with pytest.raises(PolicyDenied):
        sign(row, "filler", by=by)
    head = sign(row, "stat_head")
    sign(row, "unit_head")
    assert (event.channel, head.channel, head.actor) == ("page", "guest", None)
    assert signing.next_step(fresh(row)) is None


def test_changed_answer_invalidates_signatures_until_reverted(row, by):
    sign_all(row, by)
    before = row.answers["P01"]
    for value, steps in (("123456", "filler"), (before["entered"], None)):
        services.autosave(
            row,
            by=by,
            changes={"P01": {"value": value, "unit": before["unit"]}},
            base_revision=fresh(row).submission.revision,
        )
        assert signing.next_step(fresh(row)) == steps
    services.autosave(
        row,
        by=by,
        changes={"P01": {"value": "9", "unit": "TB"}},
        base_revision=fresh(row).submission.revision,
    )
    undone = {step.role: step.undone for step in signing.steps(fresh(row))}
    assert undone == {"filler": True, "stat_head": True, "unit_head": True}


def test_signature_requires_the_hash_of_the_shown_content(row, by):
    with pytest.raises(StaleRevision):
        signing.sign(row, role="filler", name="甲", seen_hash="0" * 64, by=by)


def test_signing_requires_a_name_and_no_findings(row, by):
    with pytest.raises(PolicyDenied):
        sign(row, "filler", "  ", by)
    del row.answers["P01"]
    row.save()
    with pytest.raises(PolicyDenied):
        sign(row, "filler", "甲", by)


def test_names_have_at_most_sixty_characters(row, by, settings):
    assert sign(row, "filler", "名" * 61, by).new["name"] == "名" * 60
    settings.SIGN_OFF_CHAIN = False
    names = dict.fromkeys(SIGNATORIES, "名" * 61)
    filing = services.submit(row, by=by, signatories=names, shown_revision=fresh(row).submission.revision)
    assert set(filing.signatories.values()) == {"名" * 60}


@pytest.mark.parametrize(("language", "stored"), [("en", "en"), (None, "zh-hans")])
def test_the_receipt_is_in_the_language_of_whoever_files(row, by, settings, language, stored):
    settings.SIGN_OFF_CHAIN = False
    with override(language):
        services.submit(row, by=by, signatories=SIGNATORIES, shown_revision=row.revision)
    assert Job.objects.get(kind="receipt").arguments == {"language": stored}


def test_submission_requires_all_signatures_and_uses_their_names(row, by):
    arguments = {"signatories": {"phone": "010-12345678", "unit_head": "somebody else"}, "by": by}
    with pytest.raises(PolicyDenied):
        services.submit(row, shown_revision=row.revision, **arguments)
    sign_all(row, by)
    filing = services.submit(row, shown_revision=fresh(row).submission.revision, **arguments)
    assert filing.signatories["unit_head"] == "单位负责人"
    assert filing.signatories["filler"] == "填表人"


def test_without_the_chain_names_suffice(row, by, settings):
    settings.SIGN_OFF_CHAIN = False
    assert services.submit(row, signatories=SIGNATORIES, by=by, shown_revision=row.revision)


def test_heads_sign_by_link_without_an_account(client, row, by):
    client.force_login(by)
    page = client.get(reverse("sheet_submit", args=[row.pk]))
    assert page.context["chain"][0].is_next and 'name="statement"' not in page.content.decode()
    client.post(
        reverse("sheet_sign", args=[row.pk]), {"name": "填表人", "hash": page.context["version_hash"]}
    )
    for role, name in (("stat_head", "统计甲"), ("unit_head", "负责乙")):
        _invitation, secret = invitations.ask_signature(
            row, by=by, role=role, name=name, email="h@example.org"
        )
        head = Client()
        url = head.get(reverse("guest_open", args=[secret]), follow=True).redirect_chain[-1][0]
        assert url.endswith("/sign/")
        shown = head.get(url)
        assert row.answers["P01"]["value"] and "P01" in shown.content.decode() and shown.context["mine"]
        body = {"name": name, "hash": shown.context["hash"]}
        assert head.post(url, body).status_code == 422  # the statement is not confirmed
        assert head.post(url, body | {"statement": "on"}).status_code == 302
        assert not head.get(url).context["mine"]
        assert head.get(reverse("sheet_hub", args=[row.pk])).status_code == 302
    # Browsers do not send disabled fields, and the names of signatures are disabled.
    done = client.post(
        reverse("sheet_submit", args=[row.pk]),
        {"phone": "010-12345678", "statement": "on", "revision": fresh(row).submission.revision},
    )
    assert done.url == reverse("sheet_receipt", args=[row.pk])
    assert latest_filing(row).signatories["stat_head"] == "统计甲"
    events = SubmissionEvent.objects.filter(submission=row, action="sign_step").values_list(
        "new__role", flat=True
    )
    assert list(events) == ["filler", "stat_head", "unit_head"]


def test_new_signature_link_replaces_the_earlier_link(world, row, by):
    arguments = {"role": "stat_head", "name": "甲", "email": "a@example.org"}
    _first, secret = invitations.ask_signature(row, by=by, **arguments)
    invited = {step.role: step.invitation and step.invitation.email for step in signing.steps(fresh(row))}
    assert invited == {"filler": None, "stat_head": "a@example.org", "unit_head": None}
    invitations.ask_signature(row, by=by, **arguments)
    assert invitations.by_secret(secret) is None
    with pytest.raises(PermissionDenied):
        invitations.ask_signature(row, by=world.users["outside_respondent"], **arguments)
    with pytest.raises(PolicyDenied):
        invitations.ask_signature(row, by=by, **(arguments | {"role": "filler"}))
