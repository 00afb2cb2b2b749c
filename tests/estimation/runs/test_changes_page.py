"""Change on last year by region and industry: the score by hand, the page over the country worked by hand."""

import math
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from estimation.runs.selectors_changes import change_table, most_unusual, score_changes
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
    found = score_changes({code: ((2.0**power, 4), (1.0, 4)) for code, power in powers.items()})
    scores = {code: cell.score for code, cell in found.items()}
    assert scores == {
        code: pytest.approx(distance * 0.6745)
        for code, distance in {"a": -2, "b": -1, "c": 0, "d": 1, "e": 8}.items()
    }
    assert [code for code, cell in found.items() if cell.is_unusual] == ["e"]
    assert found["e"].change == pytest.approx(1023)


def test_a_change_that_cannot_be_told_is_none() -> None:
    found = score_changes({"a": ((5.0, 2), None), "b": ((0.0, 2), (3.0, 2)), "c": (None, (3.0, 2))})
    assert [found[code].change for code in "abc"] == [None, None, None]
    assert (found["a"].now, found["c"].now, found["c"].before) == (5.0, None, 3.0)
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


def test_only_those_who_may_see_estimates_are_led_there(world: Any) -> None:
    assert "No run to look at" in client_of("reviewer").get(reverse("run_changes")).content.decode()
    assert client_of("provincial_administrator").get(reverse("run_changes")).status_code == 404
    url = reverse("run_changes")
    assert url in client_of("reviewer").get(reverse("review_macro")).content.decode()
    assert url not in client_of("provincial_administrator").get(reverse("review_macro")).content.decode()
