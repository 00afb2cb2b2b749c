"""Connections to the database: pooled, durable, and given up soon when the other host has failed."""

from typing import Any

from config.environment import Environment

IDLE, INTERVAL, COUNT = 10, 5, 4  # seconds without a sign, seconds between probes, probes without an answer
UNANSWERED = 30_000  # milliseconds in which what was sent must have arrived


def database(env: Environment) -> dict[str, Any]:
    """The entry of DATABASES."""
    parsed: dict[str, Any] = env.db_url("DATABASE_URL")
    options = {
        **parsed.get("OPTIONS", {}),
        # A pool per process. It gives up soon and starts afresh with the next request: left to itself it would
        # wait longer after every failure, and go on refusing people after the server is back.
        "pool": {
            "min_size": 0,
            "max_size": env.int("DATABASE_POOL", default=8),
            "timeout": 4,
            "reconnect_timeout": 2,
        },
        "connect_timeout": 3,
        # A host that has failed says nothing: without these it is noticed after minutes or hours.
        "keepalives_idle": IDLE,
        "keepalives_interval": INTERVAL,
        "keepalives_count": COUNT,
        "tcp_user_timeout": UNANSWERED,
        "options": " ".join(f"-c {name}={value}" for name, value in _session(env).items()),
    }
    return {
        **parsed,
        "ENGINE": "django.db.backends.postgresql",
        "ATOMIC_REQUESTS": False,
        "CONN_HEALTH_CHECKS": True,  # a restarted server costs a failed check, not a request
        "OPTIONS": options,
    }


def _session(env: Environment) -> dict[str, str | int]:
    """Settings that the server uses for these connections."""
    parameters: dict[str, str | int] = {
        "synchronous_commit": "on",  # commits are durable regardless of the server's setting
        # The locks of a host that has failed in a transaction: the server keeps them until it has noticed.
        "tcp_keepalives_idle": IDLE,
        "tcp_keepalives_interval": INTERVAL,
        "tcp_keepalives_count": COUNT,
        "tcp_user_timeout": UNANSWERED,
    }
    # One slow page must not hold a connection that everybody needs. Workers and commands take what they need.
    if env.bool("WEB_PROCESS", default=False):
        parameters["statement_timeout"] = f"{env.float('STATEMENT_SECONDS', default=5) * 1000:.0f}"
    return parameters
