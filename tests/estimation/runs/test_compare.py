"""Two runs cell by cell: what changed is named, unit by unit, and adds up."""

import pytest
from django.test import Client

from estimation.runs.compute.cells import Cell
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.inspection.comparison.selectors import cell_change, year_changes
from estimation.runs.inspection.explanation import REASONS, explain
from estimation.runs.inspection.units.selectors import read_contributions
from estimation.runs.models import EstimationRun
from estimation.runs.selectors import runs_with_inputs
from survey.submissions.models import Submission
from tests.estimation.runs.country import Country, cells, file_accepted
from tests.estimation.runs.test_services import PLAIN, computed
from tests.factories import make_user


@pytest.fixture
def country(world: object) -> Country:
    return Country()


def full(run: EstimationRun) -> EstimationRun:
    return runs_with_inputs().get(pk=run.pk)


def changed(country: Country) -> tuple[EstimationRun, EstimationRun]:
    """One unit of Jiangsu files another number, one of Zhejiang is ruled out."""
    first = computed()
    file_accepted(country.units["jiangsu"][0], 2025, cells(P01=200, P02=100, S02=400, D01=200, T01=True))
    Submission.objects.filter(assignment__unit=country.units["zhejiang"][0], round__year=2025).update(
        state="returned"
    )
    return full(first), full(computed())


@pytest.mark.parametrize(
    ("variable", "statistic"),
    [
        ("P01", "total"),
        ("P01", "mean"),
        ("T01", "proportion"),
        ("D01/S02", "ratio"),
        ("P01", "level_growth"),
        ("P01", "panel_simple"),
    ],
)
def test_changes_of_units_add_up_to_the_change_of_the_estimate(
    country: Country, variable: str, statistic: str
) -> None:
    first, second = changed(country)
    cell = Cell(2025, variable, statistic, "nation", "all")
    sides = [read_contributions(run, cell) for run in (first, second)]
    assert sides[0] is not None and sides[1] is not None
    result = explain(sides[0], sides[1], cell)
    assert result.exact
    assert result.change.sum() == pytest.approx(sides[1].value - sides[0].value, rel=1e-9, abs=1e-12)
    reasons = {
        int(unit): REASONS[int(reason)] for unit, reason in zip(result.unit, result.reason, strict=True)
    }
    left, stays = (unit.pk for unit in country.units["zhejiang"])
    assert reasons[country.units["head"][0].pk] == "same"
    if statistic in ("total", "mean", "ratio"):
        assert reasons[left] == "left" and reasons[stays] == "weight"  # who stays stands for all five
        assert reasons[country.units["jiangsu"][0].pk] == "answer"


def test_what_happened_to_the_units_is_counted(country: Country) -> None:
    first, second = changed(country)
    now, before = year_changes(first, second)
    assert (now.year, now.entered, now.left, now.changed, now.treated) == (2025, 0, 1, 1, 0)
    assert (before.entered, before.left, before.changed) == (0, 0, 0)
    other = full(computed(RunSpec(winsorization=Winsorization("winsorize", 0.0, 0.5, minimum=1))))
    assert year_changes(second, other)[0].treated > 0


def test_another_treatment_is_named(country: Country) -> None:
    first = full(computed(PLAIN))
    second = full(computed(RunSpec(winsorization=Winsorization("winsorize", 0.0, 0.5, minimum=1))))
    cell = Cell(2025, "P01", "total", "nation", "all")
    result = cell_change(first, second, cell, make_user("methodologist"))
    assert result is not None and result.exact
    assert {str(label): (count, change) for label, count, change in result.reasons if change} == {
        str(result.rows[0][2]): (2, -1350.0)
    }
    assert [unit.pk for unit, _change, _reason in result.rows] == [
        country.units["jiangsu"][1].pk,
        country.units["jiangsu"][0].pk,
    ]
    messages = cell_change(first, second, cell, make_user("publisher"))
    assert messages is not None and messages.rows == [] and not messages.few
    assert [change for _label, count, change in messages.reasons if count < 3] == [None]


def test_the_pages_lead_from_the_cell_to_its_explanation(country: Country) -> None:
    first, second = changed(country)
    client = Client()
    client.force_login(make_user("methodologist"))
    text = client.get(f"/estimation/runs/compare/?a={first.pk}&b={second.pk}").content.decode()
    link = f"/estimation/runs/{first.pk}/compare/{second.pk}/?variable=P01&amp;statistic=total&amp;kind=nation&amp;code=all"
    assert link in text
    answer = client.get(link.replace("&amp;", "&"))
    assert answer.status_code == 200 and country.units["zhejiang"][0].name in answer.content.decode()
    for path in (f"{first.pk}/compare/{second.pk}/?variable=X", f"{first.pk}/compare/999999/"):
        assert client.get(f"/estimation/runs/{path}").status_code == 404
