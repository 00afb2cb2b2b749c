"""Findings of one slip stand together with its repair, and one reason answers those that ask the same."""

import pytest
from django.urls import reverse

from survey.questionnaires.answering import units
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Explanation, Submission
from survey.submissions.page.selectors import causes_of, without
from survey.submissions.selectors import sheet
from tests.factories import make_sheet
from tests.survey.submissions.test_filing import last_year

REASON = {"reason_code": "business_change", "text": "新建两座数据中心于六月投入使用"}


@pytest.fixture
def slipped(world):
    """A sheet that is like last year's but for one amount, entered in a unit that is 1,024 times larger."""
    last_year(world.unit, State.ACCEPTED)
    row = make_sheet(world.unit, State.IN_PROGRESS)
    number = row.answers["P01"]["value"]
    services.autosave(
        row,
        by=world.users["respondent"],
        changes={"P01": {"value": number, "unit": "PB"}},
        base_revision=row.revision,
    )
    return Submission.objects.get(pk=row.pk)


@pytest.fixture
def browser(client, world):
    client.force_login(world.users["respondent"])
    return client


def test_the_findings_of_a_slip_are_those_that_its_correction_removes(slipped):
    current = sheet(slipped)
    (cause,) = causes_of(current)
    assert cause.item.code == "P01" and cause.likely.unit == "TB"
    assert len(cause.findings) > 1
    corrected = services.autosave(
        slipped,
        by=None,
        changes={"P01": {"value": units.plain(cause.likely.entered), "unit": "TB"}},
        base_revision=slipped.revision,
        channel="rehearsal",
    ).sheet
    left = {finding.edit for finding in corrected.findings}
    assert left == {finding.edit for finding in without(current.findings, [cause])}


def test_a_sheet_without_a_slip_has_no_cause(world):
    last_year(world.unit, State.ACCEPTED)
    assert causes_of(sheet(make_sheet(world.unit, State.IN_PROGRESS))) == []


def test_the_page_groups_the_findings_and_repairs_the_value(browser, slipped):
    address = reverse("sheet_findings", args=[slipped.pk])
    page = browser.get(address).content.decode()
    assert 'id="cause-P01"' in page
    section = reverse("sheet_section", args=[slipped.pk, "P"])
    figure = units.plain(causes_of(sheet(slipped))[0].likely.entered)
    post = {"revision": slipped.revision, "go": "findings", "cell": "P01", "suggest": f"P01|TB|{figure}"}
    assert browser.post(section, post).url == address
    assert 'id="cause-P01"' not in browser.get(address).content.decode()


def test_one_reason_answers_all_findings_of_the_value(browser, slipped):
    soft = [finding for finding in causes_of(sheet(slipped))[0].findings if finding.severity == "soft"]
    post = {
        "edit": [finding.edit for finding in soft],
        "fingerprint": [finding.fingerprint for finding in soft],
        **REASON,
    }
    assert browser.post(reverse("sheet_explain", args=[slipped.pk]), post).status_code == 302
    assert Explanation.objects.filter(submission=slipped).count() == len(soft) > 0


def test_a_refused_reason_stores_none_of_them_and_keeps_the_text(browser, slipped):
    soft = [finding for finding in causes_of(sheet(slipped))[0].findings if finding.severity == "soft"]
    post = {
        "edit": [finding.edit for finding in soft],
        "fingerprint": [*(finding.fingerprint for finding in soft[:-1]), "outdated"],
        **REASON,
    }
    answer = browser.post(reverse("sheet_explain", args=[slipped.pk]), post)
    assert answer.status_code == 422 and REASON["text"] in answer.content.decode()
    assert not Explanation.objects.filter(submission=slipped).exists()
