"""Result and run pages: who sees them, what they say, how many queries they take."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from estimation.external.models import ExternalSeries
from estimation.runs import services
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.models import EstimationRun
from survey.collection.models import CollectionRound
from tests.estimation.runs.country import Country
from tests.factories import make_user


@pytest.fixture
def run(world: Any) -> EstimationRun:
    Country()
    for year, value in ((2024, "140828"), (2025, "140489")):
        ExternalSeries.objects.create(
            code="EXT-POP",
            year=year,
            value=value,
            unit="万人",
            label_zh="人口",
            label_en="Population",
            source="x",
            approved_at=timezone.now(),
        )
    spec = RunSpec(winsorization=Winsorization("winsorize", 0.0, 0.9, minimum=1))
    run, _ = services.request_run(round=CollectionRound.objects.get(year=2025), by=None, spec=spec)
    services.execute_run(run.pk)
    run.refresh_from_db()
    return run


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def pages(run: EstimationRun) -> list[str]:
    return [
        reverse("runs"),
        reverse("run_detail", args=[run.pk]),
        reverse("run_progress", args=[run.pk]),
        reverse("run_treated", args=[run.pk]),
        reverse("run_weights", args=[run.pk]),
        reverse("run_compare"),
        f"{reverse('run_compare')}?a={run.pk}&b={run.pk}",
        reverse("results"),
        *(reverse("results_table", args=[number]) for number in (1, 2, 3, 4)),
        reverse("results_domain"),
        f"{reverse('results_domain')}?variable=T01&statistic=proportion&kind=nation&order=cv",
        reverse("truth"),
        f"{reverse('results')}?run={run.pk}",
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_renders_within_the_query_budget(
    run: EstimationRun, language: str, django_assert_max_num_queries: Any
) -> None:
    client = signed_in("methodologist")
    client.cookies["django_language"] = language
    for url in [*pages(run), reverse("run_new")]:
        with django_assert_max_num_queries(30):
            response = client.get(url)
        assert response.status_code == 200, url


def test_pages_do_not_exist_for_others(run: EstimationRun) -> None:
    for role in ("provincial_administrator", "designer", "audit_administrator"):
        client = signed_in(role)
        for url in pages(run):
            assert client.get(url).status_code == 404, (role, url)
    publisher = signed_in("publisher")
    assert publisher.get(reverse("run_new")).status_code == 404
    assert publisher.post(reverse("run_cancel", args=[run.pk])).status_code == 404


def test_only_readers_of_sheets_see_treated_units(run: EstimationRun) -> None:
    url = reverse("run_treated", args=[run.pk])
    name = run.treated_units.first().unit.name  # type: ignore[union-attr]  # the run has treated units
    assert name in signed_in("methodologist").get(url).content.decode()
    assert name not in signed_in("publisher").get(url).content.decode()


def test_requesting_a_run_leads_to_its_page_and_survives_a_stopped_broker(
    run: EstimationRun, monkeypatch: Any
) -> None:
    from config.celery import app

    client = signed_in("methodologist")
    form = {
        "snapshot": "now",
        "method": "none",
        "lower": "0.01",
        "upper": "0.99",
        "minimum": "20",
        "lonely": "adjust",
        "response_classes": "region",
        "item_nonresponse": "zero",
        "flow_basis": "both",
        "data_enterprises": "categories",
        "growth_form": "combined",
    }
    # A port where nobody listens; the pools of open connections are set aside.
    # In this order: the address for writing is that of the broker unless it has its own.
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    response = client.post(reverse("run_new"), form, follow=True)
    assert response.status_code == 200
    new = EstimationRun.objects.order_by("-pk")[0]
    assert new.pk != run.pk and new.state == "queued"
    assert response.redirect_chain[-1][0] == reverse("run_detail", args=[new.pk])
    assert [message.level_tag for message in response.context["messages"]] == ["warning"]


def test_impossible_parameters_are_reported_at_the_form(run: EstimationRun) -> None:
    response = signed_in("methodologist").post(reverse("run_new"), {"snapshot": "now", "lower": "x"})
    assert response.status_code == 422
    assert b'role="alert"' in response.content
    assert EstimationRun.objects.count() == 1


def test_interface_gives_the_same_cells(run: EstimationRun) -> None:
    client = signed_in("publisher")
    rows = client.get("/api/v1/indicators/").json()
    assert client.get(f"/api/v1/indicators/?run={run.pk}").status_code == 200
    assert client.get("/api/v1/indicators/?run=").status_code == 404
    buyers = next(row for row in rows if row["code"] == "CIR-06")
    assert buyers["current"]["text"] == "68.75"
    stored = client.get(
        f"/api/v1/runs/{run.pk}/estimates/",
        {
            "variable": "T01",
            "statistic": "proportion",
            "domain_kind": "nation",
            "domain_code": "enterprise",
            "year": "2025",
        },
    ).json()
    assert [row["value"] for row in stored["results"]] == [0.6875]
    assert client.post("/api/v1/runs/", {"round": 2025}, content_type="application/json").status_code == 403
    total = client.get("/api/v1/tables/3/").json()[-1]
    assert (total["code"], total["valid"]) == ("total", 5)


def test_only_parts_that_follow_their_total_are_indented(run: EstimationRun) -> None:
    """SUP-05 is a part of SUP-01 but stands below the figure per head, which it is no part of."""
    response = signed_in("publisher").get(reverse("results"))
    rows = {row.indicator.code: row for _label, rows in response.context["groups"] for row in rows}
    assert [code for code in rows if rows[code].is_part] == [
        "SUP-02",
        "SUP-03",
        "SUP-08",
        "SUP-09",
        "SUP-10",
        "CIR-02",
    ]


def test_tables_say_their_units_and_table_three_does_not_count_the_cities_twice(run: EstimationRun) -> None:
    client = signed_in("publisher")
    client.cookies["django_language"] = "en"
    first = client.get(reverse("results_table", args=[1]))
    assert {row.unit for row in first.context["rows"]} == {"%"}
    third = client.get(reverse("results_table", args=[3])).content.decode()
    assert "Provincial and XPCC data departments" in third
    assert "of which separately planned cities" not in third
