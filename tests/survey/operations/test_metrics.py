"""Metrics: who may read them, what they count, and several processes of gunicorn together."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client, TestCase, override_settings
from prometheus_client.parser import text_string_to_metric_families

from config import health
from survey.jobs.services import enqueue
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission
from tests.architecture.test_layout import ROOT
from tests.factories import World

pytestmark = pytest.mark.django_db
CLOSED = {"METRICS_NETWORKS": [], "METRICS_TOKEN": ""}


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Value of each sample by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def read(client: Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    return samples(response.content.decode())


@override_settings(**CLOSED)
def test_without_settings_nobody_reads_them(client: Client) -> None:
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


@override_settings(**{**CLOSED, "METRICS_TOKEN": "a-long-token"})
def test_a_token_opens_them(client: Client) -> None:
    for value in ("Bearer wrong", "a-long-token", "Basic a-long-token", "Bearer é"):
        assert client.get("/metrics", headers={"authorization": value}).status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer a-long-token"}).status_code == 200


@override_settings(**{**CLOSED, "METRICS_NETWORKS": ["10.1.0.0/16", "fd00::/8"]})
def test_a_network_opens_them(client: Client) -> None:
    for address, status in (("10.1.2.3", 200), ("fd00::1", 200), ("10.2.2.3", 404), ("", 404)):
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == status


def test_requests_are_counted_by_route(client: Client, world: World) -> None:
    name = (
        "survey_http_requests_total",
        (("method", "GET"), ("route", "sheets/<int:pk>/"), ("status", "302")),
    )
    before = read(client).get(name, 0)
    client.get(f"/sheets/{world.sheet.pk}/")
    client.get(f"/sheets/{world.outside_sheet.pk}/")
    assert read(client)[name] == before + 2


def test_unknown_methods_make_no_metric_of_their_own(client: Client) -> None:
    client.generic("BREW13912345678", "/robots.txt")
    names = {
        dict(labels).get("method") for name, labels in read(client) if name == "survey_http_requests_total"
    }
    assert "other" in names and not any("13912345678" in str(method) for method in names)


def test_saves_are_counted_when_they_are_committed(client: Client, world: World) -> None:
    from survey.submissions.lifecycle.saving.services import start_sheet

    name = ("survey_sheet_actions_total", (("action", "save"),))
    before = read(client).get(name, 0)
    with TestCase.captureOnCommitCallbacks(execute=True):
        start_sheet(world.sheet, by=world.users["respondent"])
        assert read(client).get(name, 0) == before
    assert read(client)[name] == before + 1


def test_state_of_jobs_queues_and_servers(client: Client, world: World) -> None:
    job = enqueue("receipt", "1", send=False)
    type(job).objects.filter(pk=job.pk).update(available_at=job.available_at.replace(year=2025))
    Submission.objects.filter(pk=world.sheet.pk).update(state=State.SUBMITTED, filed_at=job.requested_at)
    health.heartbeat()
    health.note_beat()
    seen = read(client)
    assert seen[("survey_jobs", (("kind", "receipt"), ("state", "waiting")))] == 1
    assert seen[("survey_job_oldest_waiting_seconds", (("kind", "receipt"),))] > 86_400
    assert seen[("survey_sheets_undecided", (("state", "submitted"),))] == 1
    assert seen[("survey_heartbeat_age_seconds", (("process", "beat"),))] < 5
    assert seen[("survey_heartbeat_age_seconds", (("process", "worker"),))] < 5
    assert sum(value for (name, _l), value in seen.items() if name == "survey_database_connections") >= 1
    assert {value for (name, _labels), value in seen.items() if name == "survey_part_up"} == {1}


@override_settings(CELERY_BROKER_URL="redis://127.0.0.1:1/0")
def test_a_server_that_is_down_is_a_metric(client: Client) -> None:
    seen = read(client)
    assert seen[("survey_part_up", (("part", "processes"),))] == 0
    assert seen[("survey_part_up", (("part", "database"),))] == 1


@pytest.fixture
def gunicorn(django_db_setup: None, tmp_path: Path) -> Iterator[str]:
    """Two processes of gunicorn behind one address, on the database of the tests; the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    database = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:config.web.server",
        "config.wsgi:application",
    ]
    environment = {**os.environ, "WEB_BIND": address, "DATABASE_URL": database, "TMPDIR": str(tmp_path)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://{address}/health/", timeout=2).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((tmp_path / "log").read_text()) from None
                time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait(30)
    assert list(tmp_path.glob("survey-metrics-*")) == []


@pytest.mark.slow
def test_the_processes_of_gunicorn_are_added_up(gunicorn: str) -> None:
    def fetch(path: str) -> str:
        with urllib.request.urlopen(f"http://{gunicorn}{path}", timeout=10) as response:
            return str(response.read().decode())

    name: Any = (
        "survey_http_requests_total",
        (("method", "GET"), ("route", "robots.txt"), ("status", "200")),
    )
    for _number in range(40):
        fetch("/robots.txt")
    # Whichever process answers, it knows all forty requests.
    assert {samples(fetch("/metrics"))[name] for _number in range(8)} == {40}
