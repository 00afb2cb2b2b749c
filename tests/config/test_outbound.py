"""Calls to other servers follow no redirect and take no certificate that is not known."""

import re
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from requests import RequestException
from requests.exceptions import SSLError

from config.files.bucket import BucketStorage
from config.files.checks import _anybody_reads
from config.files.faults import FilesUnavailable
from config.monitoring.tracing import _exporter
from survey.access.single_sign_on.adapters import SingleSignOnAdapter
from tests.architecture.test_layout import ROOT
from tests.certificates import make_certificate

# Modules that call other servers over HTTP; every other module is found by the last test.
CALLERS = {
    "config/files/bucket.py",  # boto3
    "config/files/checks.py",
    "config/files/places.py",
    "config/local/processes.py",  # of the demonstration, to its own process
    "config/monitoring/tracing.py",
    "estimation/management/commands/benchmark_public.py",  # measures the site itself
    "survey/access/single_sign_on/adapters.py",
    "survey/access/single_sign_on/views.py",
}
CLIENT = re.compile(
    r"^\s*(?:import|from) (?:requests|urllib\.request|http\.client|httpx|aiohttp|boto3|botocore)\b"
    r"|get_requests_session|BotoCore",
    re.MULTILINE,
)


class Redirecting(BaseHTTPRequestHandler):
    """Sends every request to another path, and notes the paths."""

    paths: list[str]

    def do_GET(self) -> None:
        """Redirect, except there."""
        self.paths.append(self.path)
        self.send_response(200 if self.path == "/elsewhere" else 302)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815 the name that the base class calls

    def log_message(self, *_line: Any) -> None:
        """Nothing."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., tuple[str, list[str]]]]:
    running: list[ThreadingHTTPServer] = []

    def start(*, tls: bool = False) -> tuple[str, list[str]]:
        paths: list[str] = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Redirecting,), {"paths": paths}))
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*make_certificate(tmp_path))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", paths

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def export(address: str, monkeypatch: pytest.MonkeyPatch) -> SpanExportResult:
    """The result of sending one span."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")
    exporter = _exporter("otlp")
    assert exporter is not None
    span: Any = TracerProvider().get_tracer("test").start_span("span")
    span.end()
    return exporter.export([span])


def test_no_call_follows_a_redirect(
    serve: Callable[..., tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, paths = serve()
    with SingleSignOnAdapter(None).get_requests_session() as session, pytest.raises(RequestException):
        session.get(f"{address}/provider")
    assert not _anybody_reads(f"{address}/file")
    assert export(address, monkeypatch) is SpanExportResult.FAILURE
    assert paths == ["/provider", "/file", "/v1/traces"]


def test_no_call_takes_an_unknown_certificate(
    serve: Callable[..., tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, paths = serve(tls=True)
    with SingleSignOnAdapter(None).get_requests_session() as session, pytest.raises(SSLError):
        session.get(f"{address}/provider")
    bucket = BucketStorage(bucket_name="b", endpoint_url=address, access_key="a", secret_key="s", verify=None)
    with pytest.raises((OSError, FilesUnavailable)):
        bucket.exists("file")
    assert export(address, monkeypatch) is SpanExportResult.FAILURE
    assert paths == []


def test_no_other_module_calls_servers_over_http() -> None:
    callers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("config", "survey", "estimation")
        for path in (ROOT / folder).rglob("*.py")
        if CLIENT.search(path.read_text(encoding="utf-8"))
    }
    assert callers == CALLERS
