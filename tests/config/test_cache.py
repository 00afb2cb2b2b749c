"""Data in cache and broker are not trusted: they are never executed."""

import os
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from kombu.exceptions import ContentDisallowed
from kombu.serialization import prepare_accept_content
from redis import Redis
from redis.exceptions import AuthenticationError, ResponseError

from config.celery import app
from config.health import HEARTBEAT


class Payload:
    """An object whose pickle creates a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_a_pickle_in_the_cache_does_not_run(tmp_path: Path) -> None:
    created = tmp_path / "created"
    server = Redis.from_url(settings.REDIS_URL)
    key = cache.make_key(HEARTBEAT)
    server.set(key, pickle.dumps(Payload(created)))
    try:
        answer = Client().get("/health/worker/")
    finally:
        server.delete(key)
    assert answer.status_code == 503 and answer.json()["worker"].startswith("failed: ")
    assert not created.exists()
    pickle.loads(pickle.dumps(Payload(created)))  # noqa: S301 shows that the payload would have run
    assert created.exists()


def test_a_pickle_in_the_queue_does_not_run(tmp_path: Path) -> None:
    created = tmp_path / "created"
    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue("test-of-pickles", serializer="json")
        try:
            queue.put(Payload(created), serializer="pickle")
            queue.close()
            with app.connection_for_read() as reading, reading.SimpleQueue("test-of-pickles") as waiting:
                waiting.consumer.accept = prepare_accept_content(app.conf.accept_content)
                with pytest.raises(ContentDisallowed):
                    waiting.get(timeout=2)
        finally:
            Redis.from_url(settings.REDIS_URL).delete("test-of-pickles")
    assert not created.exists()


@pytest.mark.parametrize("value", [0, 7, -1, 1.5, "二〇二五", "", None, True, [1, "a"], {"a": {"b": [None]}}])
def test_values_are_unchanged_by_the_cache(value: Any) -> None:
    cache.set("test-of-values", value, 10)
    stored = cache.get("test-of-values", "nothing")
    assert stored == value and type(stored) is type(value)


def test_numbers_are_counted_by_the_server() -> None:
    cache.set("test-of-counts", 1, 10)
    assert cache.incr("test-of-counts") == 2 and cache.get("test-of-counts") == 2


@pytest.mark.parametrize("value", [Decimal("1.10"), {1, 2}, object(), float("nan")])
def test_a_value_that_json_would_change_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        cache.set("test-of-values", value, 10)


@pytest.mark.parametrize(
    "command", [("GET", "x"), ("SET", "x", "1"), ("KEYS", "*"), ("CONFIG", "GET", "*"), ("FLUSHALL",)]
)
def test_valkey_without_the_password_only_answers_ping(command: tuple[str, ...]) -> None:
    options = Redis.from_url(settings.REDIS_URL).connection_pool.connection_kwargs
    anonymous = Redis(host=options["host"], port=options["port"])
    assert anonymous.ping()
    with pytest.raises(ResponseError, match="no permissions"):
        anonymous.execute_command(*command)
    with pytest.raises(AuthenticationError):
        Redis(
            host=options["host"], port=options["port"], username=options["username"], password="wrong"
        ).ping()
