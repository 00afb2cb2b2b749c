"""Metrics of the web processes in Prometheus' format. The page that shows them is ``survey.operations``.

gunicorn has several processes: each writes its numbers into a file of PROMETHEUS_MULTIPROC_DIR, which
``config.web.server`` makes, and whichever process is asked adds the files up.
"""

import os
from collections.abc import Iterable, Mapping

from django.db import connections
from django.http import HttpRequest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from config.monitoring.logs import route_of

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
PROCESS = CollectorRegistry()  # numbers of this process
REQUESTS = Counter(
    "survey_http_requests", "Answered requests.", ["method", "route", "status"], registry=PROCESS
)
SECONDS = Histogram(
    "survey_http_request_seconds",
    "Time from a request to its answer, without the time that it waited for a thread.",
    ["route"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=PROCESS,
)
ACTIONS = Counter(
    "survey_sheet_actions",
    "Actions on sheets that were committed: saves, filings, decisions.",
    ["action"],
    registry=PROCESS,
)
POOL = Gauge(
    "survey_database_pool",
    "Connections to the database that web processes hold (size, available) and requests that wait for one.",
    ["what"],
    multiprocess_mode="livesum",
    registry=PROCESS,
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe_request(request: HttpRequest, status: int, seconds: float) -> None:
    """Count an answered request. Requests that reached no view have the route ""."""
    route = route_of(request)
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)
    pools = getattr(connections["default"], "_connection_pools", {})
    if pool := pools.get("default"):
        stats = pool.get_stats()
        POOL.labels("size").set(stats.get("pool_size", 0))
        POOL.labels("available").set(stats.get("pool_available", 0))
        POOL.labels("waiting").set(stats.get("requests_waiting", 0))


def count_actions(action: str, count: int = 1) -> None:
    """Count committed actions on sheets."""
    ACTIONS.labels(action).inc(count)


class Family(Collector):
    """Numbers that are read when they are asked for."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self.metrics


def gauge(
    name: str, documentation: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
) -> Metric:
    """A metric whose values are known, by the values of its labels."""
    family = GaugeMetricFamily(name, documentation, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


def exposition(metrics: Iterable[Metric]) -> bytes:
    """The numbers of all web processes of this host, and these metrics, as Prometheus reads them."""
    registry = CollectorRegistry()
    if os.environ.get(FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the package types a part of itself
    else:
        registry.register(PROCESS)
    registry.register(Family(metrics))
    return generate_latest(registry)
