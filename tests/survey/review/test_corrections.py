"""Proposed corrections and their answers, the history of an item, and comparison of filed versions."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from survey.exceptions import PolicyDenied
from survey.review import services
from survey.review.corrections import services as corrections
from survey.review.sheet import selectors as reading
from survey.review.sheet.past import selectors as past
from survey.review.sheet.versions import presentation as versions
from survey.submissions.comments.models import CorrectionSlip, ReviewQuery
from survey.submissions.corrections.services import answer_correction
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission, SubmissionEvent
from survey.submissions.selectors import sheet as sheet_of
from tests.factories import make_sheet, make_unit, make_user
from tests.survey.review.conftest import last_year

pytestmark = pytest.mark.django_db
DUE = dt.timedelta(days=5)


@pytest.fixture
def respondent(filed: Any) -> Any:
    return make_user("respondent", unit=filed.unit)


def proposed(sheet: Any, by: Any, value: str = "3.2", unit: str = "PB") -> CorrectionSlip:
    return corrections.propose_correction(sheet, by=by, item="P01", value=value, unit=unit, text="疑为PB")


def returned(sheet: Any, by: Any) -> Submission:
    services.return_submission(sheet, by=by, reason="请看更正建议", due_at=timezone.now() + DUE)
    return Submission.objects.get(pk=sheet.pk)


def test_confirmed_value_is_saved_by_the_respondent(filed: Any, province: Any, respondent: Any) -> None:
    slip = proposed(filed, province)
    assert slip.proposed == {"value": "3276.8", "entered": "3.2", "unit": "PB"}
    with pytest.raises(PolicyDenied):  # an open proposal is an open comment
        services.accept_submission(filed, by=province)
    row = returned(filed, province)
    done = answer_correction(row, by=respondent, slip_id=slip.pk, confirm=True)
    assert (done.outcome, done.answered_by) == ("confirmed", respondent)
    row.refresh_from_db()
    assert row.answers["P01"] == slip.proposed
    event = SubmissionEvent.objects.filter(submission=row, kind="value", item="P01").latest("pk")
    assert event.actor == respondent
    query = ReviewQuery.objects.get(pk=slip.query_id)
    assert (query.state, query.corrected, query.reply_code) == ("answered", True, "confirmed")
    with pytest.raises(PolicyDenied):
        answer_correction(row, by=respondent, slip_id=slip.pk, confirm=False, text="改主意了")


def test_refused_value_changes_nothing_and_needs_a_reason(filed: Any, province: Any, respondent: Any) -> None:
    slip = proposed(filed, province)
    row = returned(filed, province)
    before = dict(row.answers)
    with pytest.raises(PolicyDenied):
        answer_correction(row, by=respondent, slip_id=slip.pk, confirm=False, text=" ")
    answer_correction(row, by=respondent, slip_id=slip.pk, confirm=False, text="就是TB")
    row.refresh_from_db()
    assert row.answers == before
    assert ReviewQuery.objects.get(pk=slip.query_id).reply == "就是TB"
    assert CorrectionSlip.objects.get(pk=slip.pk).outcome == "refused"


def test_only_the_respondent_of_a_returned_sheet_answers_a_proposal(
    filed: Any, province: Any, respondent: Any
) -> None:
    slip = proposed(filed, province)
    before = dict(Submission.objects.get(pk=filed.pk).answers)
    with pytest.raises(PermissionDenied):
        answer_correction(filed, by=province, slip_id=slip.pk, confirm=True)
    with pytest.raises((PolicyDenied, PermissionDenied)):
        answer_correction(filed, by=respondent, slip_id=slip.pk, confirm=True)
    assert Submission.objects.get(pk=filed.pk).answers == before
    assert CorrectionSlip.objects.get(pk=slip.pk).outcome == ""


@pytest.mark.parametrize(("item", "value"), [("B02", "名称"), ("P01", "many"), ("P01", ""), ("NOPE", "1")])
def test_invalid_proposal_creates_no_comment(filed: Any, province: Any, item: str, value: str) -> None:
    with pytest.raises(PolicyDenied):
        corrections.propose_correction(filed, by=province, item=item, value=value, unit="TB", text="核实")
    assert not ReviewQuery.objects.exists()


def test_filed_value_cannot_be_proposed(filed: Any, province: Any) -> None:
    cell = filed.answers["P01"]
    with pytest.raises(PolicyDenied):
        proposed(filed, province, cell["value"], "TB")


def test_invalid_proposal_or_comment_is_redisplayed(filed: Any, province: Any, client: Any) -> None:
    client.force_login(province)
    values = {"item": "P01", "value": "many", "unit": "PB", "text": "疑为PB"}
    answer = client.post(f"/review/{filed.pk}/propose/", values)
    page = answer.content.decode()
    assert answer.status_code == 422 and 'value="many"' in page and "疑为PB</textarea>" in page
    assert '<option value="PB" selected>' in page and 'href="#value-P01"' in page
    answer = client.post(f"/review/{filed.pk}/query/", {"item": "P01", "text": " "})
    assert answer.status_code == 422 and 'href="#ask-P01"' in answer.content.decode()
    assert not ReviewQuery.objects.exists()


def test_pages_of_both_sides(filed: Any, province: Any, respondent: Any, client: Any) -> None:
    client.force_login(province)
    client.cookies["django_language"] = "en"
    assert 'name="value"' in client.get(f"/review/{filed.pk}/").content.decode()
    body = {"item": "P01", "value": "3.2", "unit": "PB", "text": "PB, not TB?"}
    answer = client.post(f"/review/{filed.pk}/propose/?order=oldest", body)
    assert answer["Location"] == f"/review/{filed.pk}/?order=oldest#item-P01"
    page = " ".join(client.get(f"/review/{filed.pk}/").content.decode().split())
    assert "Proposed value: <strong> 3.2 PB </strong>" in page
    client.force_login(respondent)
    client.cookies["django_language"] = "en"
    for early in ("", "sections/P/", "corrections/"):
        page = client.get(f"/sheets/{filed.pk}/{early}").content.decode()
        assert "PB, not TB?" not in page and "3,276.8" not in page  # delivered when the sheet is returned
    returned(filed, province)
    assert "PB, not TB?" in client.get(f"/sheets/{filed.pk}/sections/P/").content.decode()
    page = client.get(f"/sheets/{filed.pk}/corrections/").content.decode()
    assert "3,276.8 TB" in page
    slip = CorrectionSlip.objects.get()
    refused = client.post(f"/sheets/{filed.pk}/corrections/", {"slip": slip.pk, "answer": "refuse"})
    assert refused.status_code == 409
    assert f'href="#slip-{slip.pk}"' in refused.content.decode()
    client.post(f"/sheets/{filed.pk}/corrections/", {"slip": slip.pk, "answer": "confirm"})
    assert CorrectionSlip.objects.get().outcome == "confirmed"


def test_past_of_an_item_over_rounds_and_filings(filed: Any, province: Any, respondent: Any) -> None:
    before = last_year(filed.unit)
    before.filings.update(answers={**before.answers, "P01": {"value": "100"}})
    slip = proposed(filed, province)
    row = returned(filed, province)
    answer_correction(row, by=respondent, slip_id=slip.pk, confirm=True)
    again = filed.filings.get()
    again.pk, again.number, again.answers = None, 2, {**again.answers, "P01": slip.proposed}
    again._state.adding = True
    again.save(force_insert=True)
    row = Submission.objects.get(pk=filed.pk)
    history = past.of_item(row, sheet_of(row).item("P01"))
    assert [(version.year, version.value) for version in history.rounds] == [(2025, "3,276.8"), (2024, "100")]
    assert float(history.rounds[0].change or 0) == pytest.approx(31.768)
    assert [version.number for version in history.versions] == [2, 1]
    assert any(event.kind == "value" for event in history.events)
    assert [thread.query.pk for thread in history.threads] == [slip.query_id]


def test_any_two_filed_versions_can_be_compared(world: Any) -> None:
    sheet = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    first = sheet.filings.get()
    for number, value in ((2, "5"), (3, "7")):
        first.pk, first.number = None, number
        first.answers = {**first.answers, "P01": {"value": value}}
        first._state.adding = True
        first.save(force_insert=True)
    content = reading.read(sheet)
    last = versions.compared(sheet, content)
    assert (last.older, last.newer) == (2, 3)
    assert [(difference.code, difference.before, difference.after) for difference in last.changed] == [
        ("P01", "5", "7")
    ]
    first_to_last = versions.compared(sheet, content, 1, 3)
    assert (first_to_last.older, first_to_last.newer, first_to_last.changed[0].after) == (1, 3, "7")
    odd = versions.compared(sheet, content, 3, 1)  # invalid numbers fall back to the default
    assert (odd.older, odd.newer) == (2, 3)
