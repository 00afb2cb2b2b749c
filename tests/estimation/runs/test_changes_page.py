"""Change on last year by region and industry: the score by hand, the page over the country worked by hand."""

import math
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from estimation.runs.compute.cells import Cell
from estimation.runs.inspection.changes.selectors import (
    change_table,
    desk_change_table,
    most_unusual,
    score_changes,
)
from estimation.runs.inspection.units.selectors import own_units_behind
from estimation.runs.models import Estimate
from estimation.runs.selectors import runs_with_inputs
from estimation.templatetags.estimation import figure
from survey.frame.models import ReportingUnit
from survey.microdata.models import Observation
from tests.estimation.releases.stage import finished_run
from tests.factories import make_user


def client_of(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role))
    client.cookies["django_language"] = "en"
    return client


def test_score_is_the_distance_from_the_median_change() -> None:
    # Log changes in units of log 2: 0, 1, 2, 3 and 10. Median 2, absolute deviations 2, 1, 0, 1, 8: median 1.
    powers = {"a": 0, "b": 1, "c": 2, "d": 3, "e": 10}
    result = score_changes({code: ((2.0**power, 4), (1.0, 4)) for code, power in powers.items()})
    scores = {code: cell.score for code, cell in result.items()}
    assert scores == {
        code: pytest.approx(distance * 0.6745)
        for code, distance in {"a": -2, "b": -1, "c": 0, "d": 1, "e": 8}.items()
    }
    assert [code for code, cell in result.items() if cell.is_unusual] == ["e"]
    assert result["e"].change == pytest.approx(1023)


def test_a_change_that_cannot_be_computed_is_none() -> None:
    result = score_changes({"a": ((5.0, 2), None), "b": ((0.0, 2), (3.0, 2)), "c": (None, (3.0, 2))})
    assert [result[code].change for code in "abc"] == [None, None, None]
    assert (result["a"].now, result["c"].now, result["c"].before) == (5.0, None, 3.0)
    # Four cells are too few to call one of them unusual.
    few = score_changes(
        {code: ((2.0**power, 4), (1.0, 4)) for code, power in zip("abcd", (0, 1, 2, 9), strict=True)}
    )
    assert all(cell.score is None and cell.change is not None for cell in few.values())


def test_cells_of_the_country_lead_to_their_units(world: Any) -> None:
    run = finished_run()
    sections, rows = change_table(run, "D01")
    assert sections == ("I",)
    cells = {row.region: row.cells[0] for row in rows}
    for cell in cells.values():
        assert cell is not None
        assert cell.now and cell.before and cell.change is not None
        assert math.isclose(cell.change, cell.now / cell.before - 1)
    assert {"320000", "330000"} <= set(cells)
    assert most_unusual(rows) == []
    client = client_of("reviewer")
    text = client.get(reverse("run_changes"), {"variable": "D01"}).content.decode()
    link = f"{reverse('run_units', args=[run.pk])}?variable=D01&amp;statistic=total&amp;kind=region_section&amp;code=320000.I"
    assert link in text
    assert client.get(link.replace("&amp;", "&") + "&year=2025").status_code == 200
    assert client.get(reverse("run_changes"), {"variable": "B01"}).status_code == 404


def test_reviewers_are_led_there_and_others_are_not(world: Any) -> None:
    url = reverse("run_changes")
    for role in ("reviewer", "provincial_administrator"):
        assert "No run to look at" in client_of(role).get(url).content.decode()
        assert url in client_of(role).get(reverse("review_macro")).content.decode()
    assert client_of("designer").get(url).status_code == 404


def province(region: str, **fields: Any) -> Any:
    """The administrator of a province; ``category`` limits the grant."""
    user = make_user("provincial_administrator", region)
    user.assignments.update(**fields)
    return user


def test_a_province_sees_its_own_units_and_no_sum_of_others(world: Any) -> None:
    run = runs_with_inputs().get(pk=finished_run().pk)
    user = province("320000")
    _sections, rows = desk_change_table(run, "P01", user)
    # Two of ten in Jiangsu: 5 x (100 + 300) now, 5 x (80 + 240) last year; values as filed, not as treated.
    (cell,) = [entry for entry in rows[0].cells if entry is not None]
    assert [row.region for row in rows] == ["320000"]
    assert (cell.now, cell.before, cell.n) == (pytest.approx(2000), pytest.approx(1600), 2)
    result = own_units_behind(run, Cell(2025, "P01", "total", "nation", "all"), user)
    assert result is not None
    assert (result.estimate, result.value, result.units) == (None, pytest.approx(2000), 2)
    assert [row.share for row in result.rows] == [pytest.approx(0.75), pytest.approx(0.25)]
    assert {row.unit.region_id for row in result.rows} == {"320000"}
    # Nothing but a total: the influence on a ratio depends on everybody's sums.
    assert own_units_behind(run, Cell(2025, "T01", "proportion", "nation", "all"), user) is None


def test_what_others_file_changes_nothing_that_a_province_sees(world: Any) -> None:
    run = runs_with_inputs().get(pk=finished_run().pk)
    user, cell = province("320000"), Cell(2025, "P01", "total", "nation", "all")
    before = own_units_behind(run, cell, user)
    others = Observation.objects.exclude(unit__region="320000")
    for row in others:
        row.collected = [value * 7 for value in row.collected]
        row.save()
    assert own_units_behind(run, cell, user) == before


def test_the_pages_of_a_province_name_its_own_units_only(world: Any) -> None:
    run = finished_run()
    client = Client()
    client.force_login(province("320000"))
    client.cookies["django_language"] = "en"
    table = client.get(reverse("run_changes"), {"variable": "P01"}).content.decode()
    assert "320000.I" in table
    assert "330000.I" not in table
    estimate = Estimate.objects.get(
        run=run, year=2025, variable="P01", statistic="total", domain_kind="nation", domain_code="all"
    )
    url = reverse("run_units", args=[run.pk])
    own = client.get(url, {"variable": "P01", "kind": "nation", "code": "all"}).content.decode()
    assert "Sum of your units" in own
    for unit in ReportingUnit.objects.exclude(region="320000"):
        assert unit.uscc not in own
    assert figure(estimate.value) not in own
    other = client.get(url, {"variable": "P01", "kind": "region", "code": "330000"}).content.decode()
    assert "No unit in your scope" in other
    assert client.get(url, {"variable": "P01", "statistic": "mean"}).status_code == 404
    client.force_login(province("320000", category="CAT01"))
    assert "None of your enterprises" in client.get(reverse("run_changes")).content.decode()
