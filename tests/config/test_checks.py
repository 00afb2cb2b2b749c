"""``manage.py check --deploy`` reports settings without durability, passwords or TLS."""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings

from config import checks
from config.files.checks import heads_of_ledgers
from tests.architecture.test_production import PRODUCTION, manage


def codes() -> list[str]:
    """The codes of our own deployment checks that do not pass."""
    messages = run_checks(include_deployment_checks=True)
    return sorted(message.id for message in messages if str(message.id).startswith("config."))


@pytest.fixture
def server() -> Iterator[Any]:
    """The server of the tests with the durability that production needs; restored afterwards."""
    database = settings.DATABASES["default"]
    access = {
        "host": database["HOST"],
        "port": database["PORT"],
        "user": database["USER"],
        "dbname": "postgres",
    }
    with psycopg.connect(**access, autocommit=True) as connection:

        def configure(**values: str) -> None:
            for name in checks.DURABLE:
                value = values.get(name, "on")
                connection.execute(f"ALTER SYSTEM SET {name} = {value}")
            connection.execute("SELECT pg_reload_conf()")
            wait_until_loaded({name: values.get(name, "on") for name in checks.DURABLE})

        yield configure
        for name in ("fsync", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("ALTER SYSTEM RESET full_page_writes")
        connection.execute("SELECT pg_reload_conf()")


def wait_until_loaded(expected: dict[str, str]) -> None:
    """A reload reaches new connections a moment later."""
    for _attempt in range(100):
        if checks.server_settings() == expected:
            return
    raise AssertionError(f"{checks.server_settings()} instead of {expected}")


def test_a_server_with_production_settings_is_clean(server: Any) -> None:
    server()
    environment = {**PRODUCTION, "DATABASE_URL": os.environ["DATABASE_URL"]}
    done = manage("check", "--deploy", "--fail-level", "WARNING", **environment)
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


@pytest.mark.django_db
@pytest.mark.parametrize("name", checks.DURABLE)
def test_a_server_without_durability_is_refused(server: Any, name: str) -> None:
    server(**{name: "off"})
    (message,) = checks.durability(None)
    assert message.id == "config.E005"
    assert f"{name} = off" in message.msg


@pytest.mark.django_db
def test_connections_of_the_site_are_durable_regardless_of_the_server(
    server: Any, django_db_blocker: Any
) -> None:
    from django.db import connection

    server(synchronous_commit="off")
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


def test_a_database_that_does_not_answer_is_an_error_without_its_password() -> None:
    environment = {**PRODUCTION, "DATABASE_URL": "postgresql://survey:hush-hush@127.0.0.1:1/survey"}
    done = manage("check", "--deploy", **environment)
    assert done.returncode == 1
    assert "config.E004" in done.stderr and "hush-hush" not in done.stderr


@pytest.mark.parametrize(
    ("address", "faults"),
    [
        ("rediss://:secret@cache.example.org:6379/0", []),
        ("redis://:secret@127.0.0.1:6379/0", []),
        ("redis://survey:secret@localhost:6379/0", []),
        ("redis+socket:///run/valkey.sock?password=secret", []),
        ("unix://:secret@/run/valkey.sock", []),
        ("redis://10.1.2.3:6379/0", []),  # in the private network
        ("redis://127.0.0.1:6379/0", ["has no password"]),
        ("redis+socket:///run/valkey.sock", ["has no password"]),
        ("rediss://cache.example.org:6379/0", ["has no password"]),
        ("redis://:secret@192.0.2.7:6379/0", ["has no TLS"]),
        ("redis://:secret@no-such-host.invalid:6379/0", ["has no TLS"]),
        ("redis://192.0.2.7:6379/0", ["has no password", "has no TLS"]),
    ],
)
def test_addresses_of_broker_and_cache(address: str, faults: list[str]) -> None:
    assert list(checks.redis_faults(address, ["10.0.0.0/8"])) == faults


def test_an_open_broker_is_refused() -> None:
    with override_settings(CELERY_BROKER_URL="redis://192.0.2.7/0"):
        assert [message.id for message in checks.broker_and_cache(None)] == ["config.E002"] * 2


@pytest.mark.parametrize("hosts", [[], ["*"], ["survey.example.org", "*"]])
def test_a_site_that_answers_under_any_name_is_refused(hosts: list[str]) -> None:
    with override_settings(ALLOWED_HOSTS=hosts):
        assert [message.id for message in checks.allowed_hosts(None)] == ["config.E001"]


@pytest.mark.parametrize(
    ("host", "options", "clean"),
    [
        ("db.example.org", {}, False),
        ("db.example.org", {"sslmode": "prefer"}, False),
        ("db.example.org", {"sslmode": "require"}, False),  # any certificate would do
        ("db.example.org", {"sslmode": "verify-ca"}, False),
        ("db.example.org", {"sslmode": "verify-full"}, True),
        ("10.1.2.3", {}, True),
        ("/run/postgresql", {}, True),
        ("", {}, True),
    ],
)
def test_a_database_on_another_machine_is_reached_over_tls(
    host: str, options: dict[str, str], clean: bool
) -> None:
    assert checks.reached_safely({"HOST": host, "OPTIONS": options}, ["10.0.0.0/8"]) is clean


def test_heads_of_the_ledgers_have_a_place_of_their_own(settings: Any) -> None:
    settings.AUDIT_FOLDER = settings.DATA_DIR / "audit"
    (message,) = heads_of_ledgers(None)
    assert message.id == "config.W001" and str(settings.AUDIT_FOLDER) in message.msg
    settings.STORAGES = {**settings.STORAGES, "audit": {"OPTIONS": {"bucket_name": "survey"}}}
    assert heads_of_ledgers(None) == []


def test_all_checks_are_registered() -> None:
    with override_settings(ALLOWED_HOSTS=[], CELERY_BROKER_URL="redis://192.0.2.7/0"):
        assert {"config.E001", "config.E002"} <= set(codes())
