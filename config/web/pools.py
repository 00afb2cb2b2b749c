"""Pools of web processes: who uploads or signs in never takes the threads of those who fill sheets.

Read by gunicorn (config/web/server.py) and by the proxy's configuration, so it needs no Django.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pool:
    """Processes that share a listening address."""

    name: str
    workers: int
    threads: int
    niceness: int = 0  # how far its processes stand back behind those of the others
    waiting: int = 0  # requests that the proxy hands over at a time to each address; 0: all


def pools(environment: Mapping[str, str] = os.environ) -> tuple[Pool, ...]:
    """The pools; ``WEB_WORKERS`` is the number of processes that answer pages."""
    return (
        Pool("web", int(environment.get("WEB_WORKERS", "2")), 4),
        # More would wait for minutes, and be worked off when nobody waits any longer.
        Pool("sign_in", 1, 2, niceness=5, waiting=16),
        Pool("uploads", 1, 2),
    )


def addresses(bind: str) -> list[str]:
    """Where the pools listen, in their order.

    ``bind`` (``WEB_BIND``) is a folder for Unix sockets, or addresses with ports: one for each pool, or a single
    one for all of them.
    """
    if bind.startswith("/"):
        return [f"unix:{bind.rstrip('/')}/{pool.name}.sock" for pool in pools()]
    result = bind.split(",")
    if len(result) not in (1, len(pools())):
        raise ValueError(f"WEB_BIND names {len(result)} addresses: give a folder, one, or {len(pools())}")
    return result


def missing_pool(running: Iterable[str]) -> Pool:
    """The pool that a new process joins, given the pools of those that run."""
    count = Counter(running)
    return next((pool for pool in pools() if count[pool.name] < pool.workers), pools()[0])
