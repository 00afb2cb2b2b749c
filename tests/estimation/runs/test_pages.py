"""The units behind a number and the methods page: what they show, to whom, and what is recorded."""

import pytest
from django.test import Client

from estimation.runs.compute.cells import Cell
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.inspection.methods.selectors import (
    design_effects,
    grades_by_kind,
    parameters,
    response,
    treatment_effects,
    weight_facts,
)
from estimation.runs.inspection.units.selectors import units_behind
from estimation.runs.inspection.views import readable_units
from estimation.runs.models import Cutoff, EstimationRun, TreatedUnit
from estimation.runs.selectors import shown_unit, variables_of
from survey.access.models import RoleAssignment, User
from survey.audit import AuditEvent
from tests.estimation.runs.country import Country
from tests.estimation.runs.test_services import computed
from tests.factories import make_user

CUT = RunSpec(winsorization=Winsorization("winsorize", 0.0, 0.5, minimum=1))


@pytest.fixture
def country(world: object) -> Country:
    return Country()


def browser(role: str) -> tuple[Client, User]:
    client, user = Client(), make_user(role)
    client.force_login(user)
    return client, user


def address(run: EstimationRun, **query: str) -> str:
    requested = {
        "variable": "P01",
        "statistic": "total",
        "kind": "nation",
        "code": "all",
        "year": "2025",
    } | query
    return f"/estimation/runs/{run.pk}/units/?" + "&".join(
        f"{name}={value}" for name, value in requested.items()
    )


def test_units_are_named_with_weight_value_and_share(country: Country) -> None:
    run = computed(CUT)
    client, _ = browser("methodologist")
    text = client.get(address(run)).content.decode()
    # Jiangsu's 300 was cut to 65: the head platform's 1,000 comes first, then two of 10 / 2 x 65.
    assert country.units["head"][0].name in text and country.units["jiangsu"][1].uscc in text
    result = units_behind(
        run_with_inputs(run), Cell(2025, "P01", "total", "nation", "all"), browser("methodologist")[1]
    )
    assert result is not None and result.agrees
    first, second = result.rows[:2]
    assert (first.weight, first.collected, first.used, first.effect) == (1, 1000, 1000, 1000)
    assert (second.weight, second.used, second.moved, second.effect) == (5, 65, True, 325)
    assert first.share == pytest.approx(1000 / result.value)
    assert result.others == 0 and result.steps[0] == (1, first.share)


def run_with_inputs(run: EstimationRun) -> EstimationRun:
    from estimation.runs.selectors import runs_with_inputs

    return runs_with_inputs().get(pk=run.pk)


def test_growth_says_what_each_unit_changed(country: Country) -> None:
    run = computed()
    user = make_user("reviewer")
    result = units_behind(run_with_inputs(run), Cell(2025, "P01", "level_growth", "nation", "all"), user)
    assert result is not None and result.agrees
    assert result.value == pytest.approx(3100 / 2175 - 1)
    head = result.rows[0]
    assert (head.old_used, head.used) == (500, 1000) and head.effect == pytest.approx(500 / 2175)
    assert sum(row.effect for row in result.rows) == pytest.approx(result.value)


def test_a_publisher_sees_shares_and_no_names_and_nothing_of_two_units(country: Country) -> None:
    run = computed()
    client, _ = browser("publisher")
    text = client.get(address(run)).content.decode()
    assert all(
        unit.name not in text and unit.uscc not in text for units in country.units.values() for unit in units
    )
    # 10 x 300 / 2 is 1,500 of 3,100; with the platform's 1,000 the two largest hold 80.65 %.
    assert "48.39" in text and "80.65" in text
    few = client.get(address(run, kind="region", code="330000")).content.decode()
    assert "90.00" not in few and "75.00" not in few


def test_a_scope_limits_whose_names_are_shown(country: Country) -> None:
    run = computed()
    client, user = browser("reviewer")
    RoleAssignment.objects.filter(user=user).update(category="CAT08")
    client.force_login(user)
    text = client.get(address(run)).content.decode()
    assert country.units["head"][0].name in text
    assert country.units["jiangsu"][0].name not in text


def test_every_look_is_recorded_and_what_is_not_there_is_404(country: Country) -> None:
    run = computed()
    client, user = browser("methodologist")
    assert client.get(address(run)).status_code == 200
    row = AuditEvent.objects.filter(action="view_contributors").get()
    assert (row.actor_id, row.subject_id) == (user.pk, str(run.pk))
    assert row.details == {
        "variable": "P01",
        "statistic": "total",
        "domain": "nation/all",
        "year": 2025,
        "named": 5,
        "units": 5,
    }
    for query in ({"variable": "X99"}, {"code": "moon"}, {"year": "then"}, {"year": "1999"}):
        assert client.get(address(run, **query)).status_code == 404
    assert AuditEvent.objects.filter(action="view_contributors").count() == 1


def test_cutoffs_are_stored_class_by_class(country: Country) -> None:
    run = computed(CUT)
    rows = Cutoff.objects.filter(run=run, variable="P01", year=2025).order_by("treatment_class")
    assert [(row.treatment_class, row.lower, row.upper, row.counted, row.source) for row in rows] == [
        ("data/I", 1000, 1000, 1, 0),
        ("other/I", 10, 65, 4, 0),
    ]
    assert not Cutoff.objects.filter(run=computed()).exists()


def test_optimal_cutoffs_are_a_choice_of_the_run_and_explained(country: Country) -> None:
    run = computed(RunSpec(winsorization=Winsorization("optimal")))
    client, _ = browser("methodologist")
    client.cookies["django_language"] = "en"
    text = client.get(f"/estimation/runs/{run.pk}/methods/").content.decode()
    assert "max[(y" in text and "Each unit has a cutoff of its own" in text
    # 100 and 300 stand for 5 each beside 10 and 30 for 2.5: mean 140, B = (300 - 140) 4 / 2 = 320, cutoff 220.
    cut = Cutoff.objects.get(run=run, variable="P01", year=2025, treatment_class="other/I")
    assert (cut.lower, cut.upper, cut.counted) == (None, 220.0, 4)
    moved = TreatedUnit.objects.get(run=run, variable="P01", year=2025)
    assert (moved.collected, moved.cutoff, moved.treated, moved.effect) == (300, 220, 220 + 80 / 5, 320)
    slower = "about twice as long as with quantiles"
    assert slower in client.get(f"/estimation/runs/{run.pk}/bootstrap/").content.decode()
    assert slower not in client.get(f"/estimation/runs/{computed().pk}/bootstrap/").content.decode()
    form = client.get("/estimation/runs/new/").content.decode()
    assert 'value="optimal"' in form and 'id="id_lower_helptext"' in form


def test_the_methods_page_holds_what_an_auditor_asks_for(country: Country) -> None:
    run = computed(CUT)
    client, _ = browser("publisher")
    client.cookies["django_language"] = "en"
    answer = client.get(f"/estimation/runs/{run.pk}/methods/")
    text = answer.content.decode()
    for part in (
        run.input_hash,
        run.result_hash,
        "winsorization.upper",
        "Cutoffs by class",
        "Response",
        "deff",
    ):
        assert part in text
    assert "style=" not in text.split("<main", 1)[1]
    assert {parameter.name: parameter.value for parameter in parameters(run)}["winsorization.upper"] == "0.5"
    effect = next(row for row in treatment_effects(run) if row["variable"] == "P01")
    assert (effect["before"], effect["after"]) == (pytest.approx(3100), 1750)
    facts = weight_facts(run, 2025)
    assert facts is not None
    assert (facts.units, facts.total, facts.lowest, facts.median, facts.largest) == (5, 16, 1, 2.5, 5)
    assert facts.effective == pytest.approx(16**2 / (1 + 2 * 2.5**2 + 2 * 5**2))
    assert {(row.kind, row.drawn, row.valid) for row in response(run, 2025)} == {
        ("enterprise", 4, 4),
        ("certainty", 1, 1),
    }
    assert sum(count for _kind, _grades, count in grades_by_kind(run)) == run.summary.estimates
    assert all(low <= middle <= high for *_names, low, middle, high in design_effects(run))


def test_links_lead_from_numbers_to_units(country: Country) -> None:
    run = computed()
    client, _ = browser("methodologist")
    text = client.get(f"/estimation/results/domain/?run={run.pk}&variable=P01&kind=region").content.decode()
    link = f"/estimation/runs/{run.pk}/units/?variable=P01&amp;statistic=total&amp;kind=region&amp;code=320000&amp;year=2025"
    assert link in text
    assert client.get(link.replace("&amp;", "&")).status_code == 200
    assert (
        f"/estimation/runs/{run.pk}/units/?"
        in client.get(f"/estimation/results/?run={run.pk}").content.decode()
    )
    table = client.get(f"/estimation/results/table/2/?run={run.pk}").content.decode()
    assert "variable=P01&amp;statistic=total&amp;kind=section" in table


def test_an_estimate_and_its_units_have_units_that_can_be_read(country: Country) -> None:
    run = run_with_inputs(computed())
    cell = Cell(2025, "P01", "total", "nation", "all")
    result = units_behind(run, cell, make_user("methodologist"))
    assert result is not None and result.estimate is not None
    result.estimate.value = 4e10  # terabytes of a nation; the units behind it have 1,500 at most
    units = readable_units(variables_of(run), cell, result)
    assert (units["unit"], units["factor"]) == ("ZB", 1024.0**-3)
    assert (units["effect_unit"], units["value_unit"], units["value_factor"]) == ("TB", "TB", 1.0)
    ratio = readable_units(variables_of(run), Cell(2025, "D01/S02", "ratio", "nation", "all"), result)
    assert (ratio["unit"], ratio["effect_unit"], ratio["base_unit"]) == ("", "", "TB")


def test_a_nul_in_an_address_is_refused_and_does_not_crash(country: Country) -> None:
    run = computed()
    client, _ = browser("methodologist")
    for path in (
        address(run, variable="%00"),
        f"/estimation/runs/{run.pk}/treated/?variable=%00",
        "/estimation/results/domain/?variable=P01%00",
        "/estimation/passages/2025/%00/",
    ):
        answer = client.get(path)
        assert answer.status_code == 400, path
        assert "Set-Cookie" not in answer and "<h1" in answer.content.decode()


def test_rows_show_their_unit_and_growth_is_percent(country: Country) -> None:
    names = variables_of(computed())
    assert shown_unit(names, "P01", "total", 6.3e7) == ("EB", 1024.0**-2)
    assert shown_unit(names, "P01", "panel_growth", 0.12) == ("%", 1.0)  # and not terabytes
    assert shown_unit(names, "P01", "per_capita", 40.0) == ("TB/人", 1.0)
    assert shown_unit(names, "P01", "multiple", 140.0) == ("", 1.0)
