"""The reviewer's pages: content, refusals, and redirects after decisions."""

import datetime as dt

import pytest
from django.urls import resolve, reverse
from django.utils import timezone

from survey.review import services
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission
from tests.factories import make_sheet, make_unit

pytestmark = pytest.mark.django_db
TOMORROW = timezone.localdate() + dt.timedelta(days=1)


def _page(client, sheet, query=""):
    return client.get(f"/review/{sheet.pk}/{query}")


def test_sheet_page_shows_numbers_and_begins_the_review(client, province, filed):
    client.force_login(province)
    response = _page(client, filed)
    assert response.status_code == 200
    assert "data-accept" in response.content.decode()
    filed.refresh_from_db()
    assert filed.review_started_at is not None


def test_pages_of_another_province_are_not_found(client, world, filed):
    query = services.raise_query(filed, by=world.users["provincial_administrator"], text="请核实")
    client.force_login(world.users["outside_administrator"])
    assert _page(client, filed).status_code == 404
    for name in ("query", "verdict", "accept", "return", "send_back", "reopen"):
        assert client.post(reverse(f"review_{name}", args=[filed.pk])).status_code == 404, name
    assert client.post(reverse("review_query_close", args=[query.pk])).status_code == 404
    assert str(filed.unit.name) not in client.get("/review/?state=all").content.decode()


def test_unfiled_sheet_has_no_review_page(client, world, province):
    client.force_login(province)
    assert _page(client, world.sheet).status_code == 404


def test_respondent_has_no_review_pages(client, world):
    client.force_login(world.users["respondent"])
    for url in ("/review/", "/review/bulk/", "/review/progress/"):
        assert client.get(url).status_code == 404


def test_no_review_url_changes_a_value():
    names = [pattern.name for pattern in __import__("survey.review.urls", fromlist=["x"]).urlpatterns]
    assert not [name for name in names if "save" in name or "edit" in name or "value" in name]
    assert resolve("/review/1/accept/").url_name == "review_accept"


def test_accept_redirects_to_the_next_sheet_of_the_queue(client, province, filed):
    following = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    client.force_login(province)
    response = client.post(f"/review/{filed.pk}/accept/?category=CAT12", {"shown_filing": "1"})
    assert response["Location"] == f"/review/{following.pk}/?category=CAT12"
    response = client.post(f"/review/{following.pk}/accept/?category=CAT12")
    assert response["Location"] == "/review/?category=CAT12"
    assert Submission.objects.get(pk=filed.pk).state == State.NATIONAL_REVIEW


def test_return_with_errors_shows_what_was_typed(client, province, filed):
    client.force_login(province)
    response = client.post(f"/review/{filed.pk}/return/", {"reason": "单位似有误", "due_on": "2020-01-01"})
    assert response.status_code == 422
    assert "单位似有误" in response.content.decode() and "error-summary" in response.content.decode()
    response = client.post(f"/review/{filed.pk}/return/", {"reason": "", "due_on": "soon"})
    assert response.status_code == 422
    assert Submission.objects.get(pk=filed.pk).state == State.SUBMITTED
    response = client.post(f"/review/{filed.pk}/return/", {"reason": "单位似有误", "due_on": str(TOMORROW)})
    assert response.status_code == 302
    row = Submission.objects.get(pk=filed.pk)
    assert row.state == State.RETURNED
    assert timezone.localtime(row.return_due_at).date() == TOMORROW


def test_open_comment_disables_accept_with_its_reason(client, province, filed):
    client.force_login(province)
    item = next(iter(filed.filings.get().answers))
    response = client.post(f"/review/{filed.pk}/query/?show=queries", {"item": item, "text": "请<b>核实</b>"})
    assert response["Location"] == f"/review/{filed.pk}/?show=queries#item-{item}"
    body = _page(client, filed).content.decode()
    assert "why-accept" in body and "请&lt;b&gt;核实" in body and "<b>核实" not in body


def test_levels_see_their_own_buttons(client, province, nation, filed, at_nation):
    client.force_login(province)
    assert "data-accept" not in _page(client, at_nation).content.decode()
    client.force_login(nation)
    body = _page(client, at_nation).content.decode()
    assert "data-accept" in body and "invalidate" in body and "send-back" in body


def test_verdict_from_the_page(client, province, filed, explained):
    client.force_login(province)
    assert explained.text in _page(client, filed).content.decode()
    client.post(f"/review/{filed.pk}/verdict/", {"edit": explained.edit, "verdict": "refused"})
    explained.refresh_from_db()
    assert explained.verdict == "refused"


@pytest.mark.parametrize("show", ["all", "findings", "change", "queries", "nonsense"])
def test_show_filters(client, province, filed, explained, show):
    client.force_login(province)
    assert _page(client, filed, f"?show={show}&over=20").status_code == 200


def test_returned_sheet_shows_the_last_filed_version(client, province, filed):
    services.return_submission(
        filed, by=province, reason="请核实", due_at=timezone.now() + dt.timedelta(days=3)
    )
    code = next(c for c, cell in filed.answers.items() if c.startswith("P0") and "value" in cell)
    Submission.objects.filter(pk=filed.pk).update(answers={**filed.answers, code: {"value": "987654321"}})
    client.force_login(province)
    assert "987,654,321" not in _page(client, filed).content.decode()


def test_bulk_preview_and_confirmation(client, province, filed):
    client.force_login(province)
    body = client.get("/review/bulk/?category=CAT12").content.decode()
    assert 'name="expected" value="1"' in body
    refused = client.post("/review/bulk/?category=CAT12", {"expected": "2", "confirm": "1"})
    assert refused.status_code == 409
    unticked = client.post("/review/bulk/?category=CAT12", {"expected": "1"})
    assert unticked.status_code == 409
    assert client.post("/review/bulk/?category=CAT12", {"expected": "1", "confirm": "1"}).status_code == 302
    assert Submission.objects.get(pk=filed.pk).state == State.NATIONAL_REVIEW


def test_sheet_page_takes_a_bounded_number_of_queries(
    client, province, filed, explained, django_assert_max_num_queries
):
    for code in list(filed.filings.get().answers)[:5]:
        services.raise_query(filed, by=province, item=code, text="请核实")
    client.force_login(province)
    _page(client, filed)
    with django_assert_max_num_queries(30):
        _page(client, filed)


def test_queue_fragment_for_htmx(client, province, filed):
    client.force_login(province)
    body = client.get("/review/?search=x", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in body and "queue-filters" in body


def test_english_pages(client, nation, at_nation):
    client.force_login(nation)
    client.cookies["django_language"] = "en"
    assert "Accept into the valid sample" in _page(client, at_nation).content.decode()


def test_a_foreign_parameter_does_not_make_the_address_after_an_act_too_long(client, province, filed):
    client.force_login(province)
    address = reverse("review_query", args=[filed.pk]) + "?state=filed&b=" + "x" * 9_000
    answer = client.post(address, {"item": "P01", "text": "请核实"})
    assert answer.status_code == 302 and "x" * 100 not in answer.url
