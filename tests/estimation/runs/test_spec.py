"""Parameters of a run are refused when they are of another type, none of the choices, or impossible."""

from typing import Any

import pytest
from django.test import Client

from estimation.runs.compute.spec import DERIVED, RunSpec
from survey.microdata.projection import layout_variables
from survey.questionnaires.loader import load_all
from tests.estimation.runs.country import Country
from tests.factories import make_user

IMPOSSIBLE: list[dict[str, Any]] = [
    {"level": "0.95"},
    {"level": True},
    {"level": 0.5},
    {"use_edited": 1},
    {"lonely": "x"},
    {"lonely": ["adjust"]},
    {"minimum_respondents": 1.5},
    {"minimum_respondents": 10**12},
    {"response_largest": 1e300},
    {"variables": {"P01": 1}},
    {"variables": [1]},
    {"domains": ["planet"]},
    {"collapse_path": ["planet"]},
    {"winsorization": {"method": "x"}},
    {"winsorization": {"minimum": "20"}},
    {"winsorization": {"lower": 0.9, "upper": 0.1}},
    {"winsorization": {"another": 1}},
    {"another": 1},
]


@pytest.mark.parametrize("document", IMPOSSIBLE)
def test_impossible_parameters_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        RunSpec.from_json(document)


def test_a_stored_spec_is_read_again() -> None:
    spec = RunSpec(level=0.9, variables=("P01",))
    assert RunSpec.from_json(spec.to_json()) == spec
    assert RunSpec.from_json({"response_largest": 3}).response_largest == 3


def test_the_parts_of_a_sum_are_items_of_one_kind_in_one_unit() -> None:
    """The sum takes both from its first part."""
    variables = {variable.code: variable for variable in layout_variables(load_all().values())}
    for parts in DERIVED.values():
        assert len({(variables[part].unit, variables[part].kind) for part in parts}) == 1, parts


@pytest.mark.django_db
def test_the_interface_answers_422_for_impossible_parameters_and_409_for_an_unknown_item(
    world: object, client: Client
) -> None:
    Country()
    client.force_login(make_user("methodologist"))
    for spec, status in (({"level": 2}, 422), ({"variables": ["ZZZ"]}, 409)):
        body = {"round": 2025, "spec": spec}
        response = client.post("/api/v1/runs/", body, content_type="application/json")
        assert response.status_code == status, response.content
        assert response.json()["status"] == status
