"""Traces by OpenTelemetry: a span for each request, statement and task. Off unless the environment asks for it.

``OTEL_TRACES_EXPORTER=otlp`` (or ``OTEL_EXPORTER_OTLP_ENDPOINT`` alone) sends spans by OTLP over HTTP, ``console``
prints them; the other OTEL_* variables of the SDK hold as documented there. As in the log lines, spans have no
values: paths, addresses and messages of exceptions are removed before a span leaves the process.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace import Status

# Attributes that may hold values of requests, of both naming conventions of OpenTelemetry.
VALUES = (
    "http.url",
    "http.target",
    "http.user_agent",
    "url.",
    "user_agent.",
    "client.",
    "net.peer.",
    "network.peer.",
    "exception.message",
    "exception.stacktrace",
)


def start() -> bool:
    """Trace this process, if the environment says how. Raises ValueError for an unknown exporter."""
    exporter = _exporter(
        os.environ.get("OTEL_TRACES_EXPORTER")
        or ("otlp" if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") else "none")
    )
    if exporter is None or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    provider = TracerProvider(resource=Resource.create({"service.name": "survey"}))
    provider.add_span_processor(BatchSpanProcessor(WithoutValues(exporter)))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument(excluded_urls="health/,metrics")
    PsycopgInstrumentor().instrument()
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]  # the package types a part of itself
    return True


def _exporter(name: str) -> SpanExporter | None:
    if name == "none":
        return None
    if name == "console":
        return ConsoleSpanExporter()
    if name == "otlp":
        session = requests.Session()
        session.max_redirects = 0  # spans go to the address of the setting and nowhere else
        return OTLPSpanExporter(session=session)
    raise ValueError(f"OTEL_TRACES_EXPORTER must be otlp, console or none, not {name!r}")


class WithoutValues(SpanExporter):
    """Passes spans on without attributes and messages that may hold values."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export copies of the spans."""
        return self.exporter.export([without_values(span) for span in spans])

    def shutdown(self) -> None:
        """End the exporter."""
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what the exporter holds back."""
        return self.exporter.force_flush(timeout_millis)


def without_values(span: ReadableSpan) -> ReadableSpan:
    """A copy of a span without the attributes in VALUES and without the message of its status."""
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_kept(span.attributes),
        events=[Event(event.name, _kept(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _kept(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if not name.startswith(VALUES)}
