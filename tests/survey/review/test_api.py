"""The API of the review."""

import pytest

from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/review"


def _post(client, path, **body):
    return client.post(f"{ROOT}/{path}", body, content_type="application/json")


def test_queue_is_scoped(client, world, province, filed):
    client.force_login(province)
    body = client.get(f"{ROOT}/queue/").json()
    assert [row["id"] for row in body["results"]] == [filed.pk]
    assert body["count"] == 1 and body["facets"]["state"]["submitted"] == 1
    client.force_login(world.users["outside_administrator"])
    assert client.get(f"{ROOT}/queue/?state=all").json()["facets"]["category"] == {"CAT12": 1}
    assert client.get(f"{ROOT}/sheets/{filed.pk}/").status_code == 404
    assert _post(client, f"sheets/{filed.pk}/decisions/", action="accept").status_code == 404


def test_a_year_without_a_round_is_not_found(client, world, province, filed):
    client.force_login(province)
    for path in ("review/queue/", "review/bulk/", "progress/"):
        assert client.get(f"/api/v1/{path}?year={filed.round.year}").status_code == 200
        assert client.get(f"/api/v1/{path}?year=1999").status_code == 404


@pytest.mark.parametrize("query", ["state=nothing", "findings=many", "order=size", f"search={'x' * 61}"])
def test_values_that_a_filter_does_not_have_are_refused(client, province, filed, query):
    client.force_login(province)
    name, _equals, value = query.partition("=")
    for path in ("queue/", "bulk/"):
        refused = client.get(f"{ROOT}/{path}?{query}")
        assert refused.status_code == 400 and list(refused.json()["errors"]) == [name]
        assert refused.json()["errors"][name][0]
    assert client.get(f"{ROOT}/queue/?state=all&order=oldest").status_code == 200
    assert _post(client, "bulk/", filter={name: value}, expected=1, mark="").status_code == 400


def test_respondent_is_refused(client, world):
    client.force_login(world.users["respondent"])
    for path in ("queue/", "bulk/"):
        assert client.get(f"{ROOT}/{path}").status_code in (403, 404)


def test_comment_then_acceptance(client, province, filed):
    client.force_login(province)
    created = _post(client, f"sheets/{filed.pk}/queries/", item="P01", text="请核实")
    assert created.status_code == 201
    refused = _post(client, f"sheets/{filed.pk}/decisions/", action="accept")
    assert refused.status_code == 409 and refused["Content-Type"].startswith("application/problem+json")
    detail = client.get(f"{ROOT}/sheets/{filed.pk}/").json()
    assert detail["obstacles"]["accept"] and detail["queries"][0]["item"] == "P01"
    assert _post(client, f"queries/{created.json()['id']}/", action="close").json()["state"] == "closed"
    assert (
        _post(client, f"sheets/{filed.pk}/decisions/", action="accept").json()["state"] == "national_review"
    )


def test_return_needs_reason_and_date(client, province, filed):
    client.force_login(province)
    assert _post(client, f"sheets/{filed.pk}/decisions/", action="return", reason="x").status_code == 409
    assert _post(client, f"sheets/{filed.pk}/decisions/", action="burn").status_code == 400
    assert Submission.objects.get(pk=filed.pk).state == State.SUBMITTED


def test_verdict(client, province, filed, explained):
    client.force_login(province)
    body = _post(client, f"sheets/{filed.pk}/verdicts/", edit=explained.edit, verdict="accepted").json()
    assert body == {"edit": explained.edit, "verdict": "accepted"}


def test_bulk(client, province, filed):
    client.force_login(province)
    seen = client.get(f"{ROOT}/bulk/?category=CAT12").json()
    assert (seen["matched"], seen["expected"], seen["accepted"]) == (1, 1, None)
    assert _post(client, "bulk/", filter={"category": "CAT12"}, expected=9).status_code == 409
    done = _post(client, "bulk/", filter={"category": "CAT12"}, expected=1, mark=seen["mark"]).json()
    assert done["accepted"] == 1


def test_progress(client, province, filed):
    client.force_login(province)
    rows = client.get("/api/v1/progress/").json()
    assert {row["region"] for row in rows} == {"320000"}
    assert sum(row["filed"] for row in rows) == 1
