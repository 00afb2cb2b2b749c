"""Checks of ``manage.py check --deploy`` for broker, cache and database.

Settings that can lose committed transactions, or that let others on the network read or write data, are errors.
Networks that only the servers of the site use are listed in ``PRIVATE_NETWORKS``.
"""

import socket
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

# Without one of these PostgreSQL may lose committed transactions, or not start after a crash.
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


@register(Tags.security, deploy=True)
def allowed_hosts(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """ALLOWED_HOSTS lists the host names of the site."""
    if settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            "ALLOWED_HOSTS does not name the addresses of the site.",
            hint="Set ALLOWED_HOSTS to the names in the address bar, separated by commas.",
            id="config.E001",
        )
    ]


@register(Tags.security, deploy=True)
def broker_and_cache(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Broker and cache require a password, over TLS or a local socket, or are in a private network."""
    addresses = {
        "broker": settings.CELERY_BROKER_URL,
        **{f"cache {name!r}": cache.get("LOCATION", "") for name, cache in settings.CACHES.items()},
    }
    return [
        Error(
            f"The address of the {name} {fault}.",
            hint="Use rediss://user:password@host, or name its network in PRIVATE_NETWORKS.",
            id="config.E002",
        )
        for name, address in addresses.items()
        for fault in redis_faults(address, settings.PRIVATE_NETWORKS)
    ]


def redis_faults(address: str, networks: Sequence[str]) -> Iterator[str]:
    """Faults of an address of Redis or Valkey, as predicates of a sentence."""
    parts = urlsplit(address)
    if is_private(parts.hostname, networks):
        return
    on_socket = parts.scheme in ("unix", "redis+socket")
    if not (parts.password or parse_qs(parts.query).get("password")):
        yield "has no password"
    if not on_socket and parts.scheme != "rediss" and not is_loopback(parts.hostname):
        yield "has no TLS"


@register(Tags.security, deploy=True)
def database_connection(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """The connection to a database on another machine uses TLS, and the certificate names the host."""
    if reached_safely(settings.DATABASES["default"], settings.PRIVATE_NETWORKS):
        return []
    return [
        Error(
            "The connection to the database may be made without TLS or to another server.",
            hint="Add ?sslmode=verify-full to DATABASE_URL, or name its network in PRIVATE_NETWORKS.",
            id="config.E003",
        )
    ]


def reached_safely(database: Mapping[str, Any], networks: Sequence[str]) -> bool:
    """True for a connection by TLS with a verified certificate, on this machine or in a private network."""
    host, mode = str(database.get("HOST", "")), database.get("OPTIONS", {}).get("sslmode", "")
    local = not host or host.startswith("/") or is_loopback(host)
    return local or mode == "verify-full" or is_private(host, networks)


@register(Tags.security, deploy=True)
def durability(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """PostgreSQL commits durably. The settings of the server are checked, not those of the site's connections."""
    try:
        server = server_settings()
    except psycopg.Error as error:
        return [
            Error(
                "The database does not answer, so its durability could not be checked.",
                hint=f"{type(error).__name__}: {str(error).splitlines()[0]}",
                id="config.E004",
            )
        ]
    return [
        Error(
            f"PostgreSQL runs with {name} = {value}: acknowledged work can be lost.",
            hint=f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();",
            id="config.E005",
        )
        for name, value in server.items()
        if value == "off"
    ]


def server_settings() -> dict[str, str]:
    """The server's settings of DURABLE for this role and database. Raises psycopg.Error."""
    database = settings.DATABASES["default"]
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    access = {key: database[name] for key, name in named.items() if database.get(name)}
    secure = {key: value for key, value in database.get("OPTIONS", {}).items() if key.startswith("ssl")}
    with psycopg.connect(**access, **secure, connect_timeout=3, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(DURABLE)]
        ).fetchall()
    return dict(rows)


def is_loopback(host: str | None) -> bool:
    """True for this machine."""
    addresses = resolved(host) if host else []
    return bool(addresses) and all(address.is_loopback for address in addresses)


def is_private(host: str | None, networks: Sequence[str]) -> bool:
    """True when every address of a host lies in one of the networks."""
    addresses = resolved(host) if host else []
    ranges = [ip_network(network) for network in networks]
    return bool(addresses) and all(any(address in network for network in ranges) for address in addresses)


def resolved(host: str) -> list[Any]:
    """The addresses of a host; empty when its name cannot be resolved."""
    try:
        return [ip_address(str(entry[4][0])) for entry in socket.getaddrinfo(host, None)]
    except OSError:
        return []
