"""The probes keep their connection to the broker, and survive its restart."""

import threading

import pytest
from django.conf import settings
from redis.exceptions import ConnectionError as Unreachable

from config import health


def connections_made() -> int:
    """Connections that the server has accepted since it was started."""
    return int(health.broker(settings.REDIS_URL).info("stats")["total_connections_received"])


def test_readings_share_a_connection() -> None:
    before = connections_made()
    for _reading in range(20):
        health.age_of(health.HEARTBEAT)
        health.heartbeat()
        assert health.PROBES["broker"]() == "ok"
    assert connections_made() - before < 3  # the cache has one of its own


def test_a_connection_that_the_server_has_closed_is_replaced() -> None:
    client = health.broker(settings.REDIS_URL)
    client.ping()
    client.client_kill_filter(_type="normal", skipme=True)
    other = threading.Thread(target=client.client_kill_filter, kwargs={"_type": "normal", "skipme": False})
    other.start()
    other.join()
    assert health.PROBES["broker"]() == "ok"


def test_a_broker_that_is_not_there_is_refused() -> None:
    with pytest.raises(Unreachable):
        health.broker("redis://127.0.0.1:1/0").ping()
