"""Spans of requests, statements and tasks, written by the console exporter of a process of its own."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.db import connection

from tests.architecture.test_layout import ROOT

VALUE = "marked-value-77"
REQUESTS = f"""
import django
django.setup()
from django.conf import settings
from django.test import Client
settings.ALLOWED_HOSTS = ["*"]
client = Client(raise_request_exception=False)
client.post("/sign-in/", {{"username": "{VALUE}", "password": "{VALUE}"}})
client.get("/password/renew/MQ/{VALUE}/?name={VALUE}")
from config.celery import app
app.conf.task_always_eager = True
app.tasks["config.health.heartbeat"].delay()
from opentelemetry import trace
tracer = trace.get_tracer("test")
try:
    with tracer.start_as_current_span("failing"):
        raise ValueError("{VALUE}")
except ValueError:
    pass
provider = trace.get_tracer_provider()
print("tracing" if hasattr(provider, "force_flush") and provider.force_flush() else "not tracing")
"""


def spans(**environment: str) -> tuple[list[dict[str, Any]], str]:
    """The spans that the requests write, and the rest of the output."""
    database = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", REQUESTS],
        cwd=ROOT,
        env={**inherited, "DATABASE_URL": database, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    decoder, position, spans = json.JSONDecoder(), 0, []
    text = done.stdout
    while (position := text.find("{", position)) >= 0:
        span, position = decoder.raw_decode(text, position)
        spans.append(span)
    return spans, done.stdout


@pytest.mark.usefixtures("django_db_setup")
@pytest.mark.slow
def test_spans_have_routes_and_statements_but_no_values() -> None:
    written, text = spans(OTEL_TRACES_EXPORTER="console")
    names = {span["name"] for span in written}
    assert {"POST sign-in/", "GET password/renew/<str:uid>/<str:token>/"} <= names
    assert any("heartbeat" in name for name in names)
    assert any(span["attributes"].get("db.system") == "postgresql" for span in written)
    (failing,) = [span for span in written if span["name"] == "failing"]
    assert failing["status"] == {"status_code": "ERROR"}
    assert failing["events"][0]["attributes"]["exception.type"] == "ValueError"
    assert VALUE not in text


@pytest.mark.usefixtures("django_db_setup")
def test_nothing_is_traced_by_default() -> None:
    written, text = spans()
    assert written == [] and "not tracing" in text


def test_an_unknown_exporter_is_an_error() -> None:
    from config.monitoring.tracing import _exporter

    with pytest.raises(ValueError, match="OTEL_TRACES_EXPORTER"):
        _exporter("carrier-pigeon")
