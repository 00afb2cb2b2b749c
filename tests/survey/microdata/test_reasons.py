"""Reasons of missing values in the projection, in frozen sets and on the page."""

from typing import Any

import pytest

from survey.microdata import selectors, services
from survey.microdata.models import ItemResponse, Observation
from survey.microdata.projection import REASONS, Reason, layout_variables, reason_of
from survey.questionnaires.loader import load_all
from survey.submissions.models import Filing
from tests.estimation.runs.country import file_accepted
from tests.factories import complete_answers, make_unit

FORMS = load_all()
VARIABLES = layout_variables(FORMS.values())
POSITIONS = {variable.code: position for position, variable in enumerate(VARIABLES)}


def accepted(category: str, **cells: Any) -> Filing:
    """The filing of an accepted sheet with some cells replaced; None blanks a cell."""
    unit = make_unit(category, "320000")
    answers = complete_answers(unit) | cells
    filing = file_accepted(unit, 2025, {code: cell for code, cell in answers.items() if cell})
    services.project(filing)
    return filing


def test_every_reason_has_a_label() -> None:
    assert set(REASONS) == set(Reason)
    assert [int(reason) for reason in Reason] == list(range(7))  # stored: a code never changes its meaning


def test_reasons_of_answers_without_a_number() -> None:
    item = FORMS["CAT12"].items["S05"]
    assert reason_of(item, {"value": "0", "entered": "0", "unit": "TB"}) == Reason.VALUE
    assert reason_of(item, {"missing": "not_applicable"}) == Reason.NOT_APPLICABLE
    assert reason_of(item, {"missing": "unknown"}) == Reason.UNKNOWN
    assert reason_of(item, None) == Reason.NOT_ASKED  # required, so it is only absent when routing skipped it
    assert reason_of(FORMS["CAT12"].items["B14"], None) == Reason.BLANK
    assert reason_of(FORMS["CAT12"].items["D02"], None) == Reason.NOT_COMPUTED
    assert reason_of(None, None) == Reason.NOT_ON_FORM


@pytest.mark.django_db
def test_observation_stores_the_reasons(world: Any) -> None:
    filing = accepted("CAT12", K01={"missing": "unknown"}, K02=None, K03=None, K04=None, K06=None, K07=None)
    row = Observation.objects.get(filing=filing)
    reasons = bytes(row.reasons)
    assert len(reasons) == len(row.collected) == len(VARIABLES)
    assert reasons[POSITIONS["K01"]] == Reason.UNKNOWN
    assert reasons[POSITIONS["K02"]] == Reason.NOT_ASKED
    assert reasons[POSITIONS["P01"]] == Reason.VALUE
    assert reasons[POSITIONS["MX01"]] == Reason.NOT_ON_FORM


@pytest.mark.django_db
def test_counts_of_a_frozen_set_add_up(world: Any) -> None:
    zero, not_applicable = {"value": "0", "entered": "0", "unit": "TB"}, {"missing": "not_applicable"}
    first = accepted("CAT12", S07=zero)
    for cell in (not_applicable, {"missing": "unknown"}):
        accepted("CAT12", S07=cell)
    accepted("CAT07")
    version = services.freeze_version(round=first.submission.round, by=None)
    responses = {response.variable.code: response for response in selectors.item_responses(version, "CAT12")}
    row = responses["S07"]
    assert (row.sheets, row.answered, row.zero, row.not_applicable, row.unknown) == (3, 1, 1, 1, 1)
    assert row.share == pytest.approx(1 / 3)
    assert "MX01" not in responses  # no form of the category asks it
    for response in selectors.item_responses(version):
        missing = response.not_applicable + response.unknown + response.blank
        missing += response.not_asked + response.not_computed
        assert response.answered + missing == response.sheets, response
        assert 0 <= response.zero <= response.answered, response
    every_form = [
        response for response in selectors.item_responses(version) if response.variable.code == "P01"
    ]
    assert {response.sheets for response in every_form} == {4}


@pytest.mark.django_db
def test_freeze_adds_reasons_to_earlier_observations_and_changes_nothing_else(world: Any) -> None:
    filing = accepted("CAT12")
    version = services.freeze_version(round=filing.submission.round, by=None)
    before: Any = Observation.objects.values().get(filing=filing)
    Observation.objects.update(reasons=None)
    ItemResponse.objects.all().delete()
    filing.submission.unit.section = "A"  # the register changes after the observation
    filing.submission.unit.save()
    assert services.freeze_version(round=filing.submission.round, by=None) == version
    after: Any = Observation.objects.values().get(filing=filing)
    assert {k: bytes(v) if k == "reasons" else v for k, v in after.items() if k != "collected"} == {
        k: bytes(v) if k == "reasons" else v for k, v in before.items() if k != "collected"
    }
    assert selectors.item_responses(version)


@pytest.mark.django_db
def test_page_shows_counts_by_permission_and_no_unit(world: Any, client: Any) -> None:
    client.force_login(world.users["methodologist"])
    empty = client.get("/microdata/responses/")
    assert empty.status_code == 200 and empty.context["version"] is None
    filing = accepted("CAT12", S07={"missing": "unknown"})
    services.freeze_version(round=filing.submission.round, by=None)
    for role in ("methodologist", "designer", "reviewer", "publisher"):
        client.force_login(world.users[role])
        for query in ("", "?category=CAT12&order=unknown", "?order=share&version=x", "?category=CAT03"):
            answer = client.get(f"/microdata/responses/{query}")
            assert answer.status_code == 200, query
            html = answer.content.decode()
            assert filing.submission.unit.uscc not in html and filing.submission.unit.name not in html
            assert ("S07" in html) is ("CAT03" not in query)
    rows = client.get("/microdata/responses/?category=CAT12&order=unknown").context["rows"]
    assert rows[0].variable.code == "S07"
    client.force_login(world.users["provincial_administrator"])
    assert client.get("/microdata/responses/").status_code == 404
