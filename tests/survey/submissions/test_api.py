"""The API of sheets and questionnaires."""

from typing import Any

import pytest

from survey.collection.models import CollectionRound
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Filing, Submission
from tests.factories import SIGNATORIES, make_sheet

JSON = {"content_type": "application/json"}


@pytest.fixture
def row(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def machine(client, world):
    client.force_login(world.users["respondent"])
    return client


def patch(machine, row, answers, revision):
    return machine.patch(
        f"/api/v1/sheets/{row.pk}/answers/",
        {"answers": answers},
        headers={"If-Match": f'"{revision}"'},
        **JSON,
    )


def test_list_and_detail_show_own_sheets_only(machine, world, row):
    listing = machine.get("/api/v1/sheets/").json()
    assert [row_["id"] for row_ in listing["results"]] == [row.pk]
    answer = machine.get(f"/api/v1/sheets/{row.pk}/")
    assert answer.headers["ETag"] == f'"{row.revision}"' and answer.json()["answers"]["B01"]
    assert machine.get(f"/api/v1/sheets/{world.outside_sheet.pk}/").status_code == 404


def test_other_users_get_not_found(client, world, row):
    assert client.get(f"/api/v1/sheets/{row.pk}/").status_code in {401, 403}
    client.force_login(world.users["designer"])
    assert client.get(f"/api/v1/sheets/{row.pk}/").status_code == 404


def test_patch_merges_and_reports_wrong_cells(machine, row):
    answer = patch(machine, row, {"P01": {"value": "12", "unit": "TB"}, "P02": {"value": "x"}}, row.revision)
    body = answer.json()
    assert answer.status_code == 422 and body["saved"] == ["P01"] and body["errors"]["P02"]["message"]["zh"]
    assert Submission.objects.get(pk=row.pk).answers["P01"]["value"] == "12"


def test_patch_needs_a_revision_and_finds_conflicts(machine, row):
    bare = machine.patch(f"/api/v1/sheets/{row.pk}/answers/", {"answers": {}}, **JSON)
    assert bare.status_code == 428
    assert patch(machine, row, {"P01": {"value": "12"}}, row.revision).status_code == 200
    late = patch(machine, row, {"P01": {"value": "13"}}, row.revision)
    assert late.status_code == 409
    assert late.json()["conflicts"]["P01"]["theirs"]["value"] == "12"


def test_closed_round_is_a_conflict_with_a_sentence(machine, row):
    CollectionRound.objects.filter(year=2025).update(state=CollectionRound.State.CLOSED)
    answer = patch(machine, row, {"P01": {"value": "12"}}, row.revision)
    assert answer.status_code == 409 and "2025" in answer.json()["title"]


def test_malformed_bodies_are_refused(machine, row):
    answers: Any
    for answers in ([1], "x", {"P01": 3}, {"P01": {"value": 1.5}}, {"P01": {"rows": {}}}):
        answer = patch(machine, row, answers, row.revision)
        assert answer.status_code in {400, 422}, answers


def test_submit_is_bound_to_the_revision(machine, row):
    url = f"/api/v1/sheets/{row.pk}/submit/"
    stale = machine.post(url, SIGNATORIES, headers={"If-Match": f'"{row.revision - 1}"'}, **JSON)
    assert stale.status_code == 409
    done = machine.post(url, SIGNATORIES, headers={"If-Match": f'"{row.revision}"'}, **JSON)
    assert done.status_code == 201
    assert done.json()["content_hash"] == Filing.objects.get(submission=row).content_hash


def test_questionnaires_come_with_their_definition(machine):
    rows = machine.get("/api/v1/questionnaires/").json()["results"]
    assert len(rows) == 28
    detail = machine.get(f"/api/v1/questionnaires/{rows[0]['id']}/").json()
    assert detail["document"]["form_no"] == rows[0]["form_no"]
