"""What it costs that a save is on the disk before it is acknowledged.

    uv run python -m tests.load.durability --blocks 10 --saves 100

Starts the system of the drills with two web servers on one database: one commits as production does
(``synchronous_commit=on``), the other one acknowledges before the log is on the disk (``off``). One respondent saves a
cell again and again, in blocks that take turns between the two. Prints wall time and processor time of a save of
both side by side.
"""

import argparse
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlencode

import psutil

from config.local.processes import commands
from tests.drills.load_client import TOKEN
from tests.drills.system import ROOT, System, free_port, wait_for

WAYS = {"off": "tests.load.without_durability", "on": "config.settings"}


@dataclass
class Way:
    """A web server, and what its saves have cost."""

    process: int
    port: int
    seconds: list[float] = field(default_factory=list)
    web: float = 0.0
    database: float = 0.0


@contextmanager
def second_server(system: System) -> Iterator[Way]:
    """A web server of the system that does not wait for the disk."""
    port = free_port()
    added = {"WEB_BIND": f"127.0.0.1:{port}", "DJANGO_SETTINGS_MODULE": WAYS["off"]}
    process = subprocess.Popen(
        commands()["web"],
        cwd=ROOT,
        env=system.environment | added,
        stdout=system.log,
        stderr=system.log,
        start_new_session=True,
    )
    try:
        wait_for(lambda: _answers(port), "the second web server does not answer")
        yield Way(process.pid, port)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class Cell:
    """A cell of an open sheet, whose value changes with every save."""

    def __init__(self, system: System) -> None:
        self.session, self.sheet, self.revision = system.data["concurrent_sheets"][0]
        self.value = 0

    def save(self, port: int) -> None:
        """Save the next value. Raises RuntimeError when it is not acknowledged."""
        self.value += 1
        body = urlencode(
            {"revision": self.revision, "cell": "P06", "P06.value": self.value, "P06.unit": "TB"}
        )
        headers = {
            "Cookie": f"csrftoken={TOKEN}; sessionid={self.session}",
            "X-CSRFToken": TOKEN,
            "HX-Request": "true",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", f"/sheets/{self.sheet}/sections/P/save/", body, headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200 or "Sheet-Revision" not in answer.headers:
            raise RuntimeError(f"a save was answered with {answer.status}")
        self.revision = int(answer.headers["Sheet-Revision"])


def used(top: psutil.Process) -> float:
    """Seconds of the processor of a process and of those that it has started."""
    total = 0.0
    for process in (top, *top.children(recursive=True)):
        spent = process.cpu_times()
        total += spent.user + spent.system
    return total


def database(system: System) -> psutil.Process:
    """The server of the system's database."""
    number = system.execute("SELECT pg_backend_pid()")[0][0]
    return psutil.Process(number).parents()[0]


def keep_durably(system: System) -> None:
    """Let the database write to the disk as in production; for the drills it does not."""
    for name in ("fsync", "full_page_writes"):
        system.execute(f"ALTER SYSTEM SET {name} = on")
    system.execute("SELECT pg_reload_conf()")
    wait_for(lambda: system.execute("SHOW fsync") == [["on"]], "the database does not take fsync=on")


def block(way: Way, cell: Cell, server: psutil.Process, saves: int) -> None:
    """Save so many times and add up what it cost."""
    web = psutil.Process(way.process)
    before = used(web), used(server)
    for _number in range(saves):
        began = time.perf_counter()
        cell.save(way.port)
        way.seconds.append(time.perf_counter() - began)
    way.web += used(web) - before[0]
    way.database += used(server) - before[1]


def main() -> None:
    """Measure in turns and print both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, default=10, help="of each way")
    parser.add_argument("--saves", type=int, default=100, help="of a block")
    given = parser.parse_args()
    system = System(ROOT / ".local" / "load")
    try:
        keep_durably(system)
        kept = dict(
            system.execute(
                "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes')"
            )
        )
        with second_server(system) as off:
            ways = {"off": off, "on": Way(system.web.pid, system.port)}
            cell, server = Cell(system), database(system)
            for way in ways.values():  # the first requests load what the others find
                block(way, cell, server, 20)
                way.seconds, way.web, way.database = [], 0.0, 0.0
            for _number in range(given.blocks):
                for way in ways.values():
                    block(way, cell, server, given.saves)
    finally:
        system.stop()
    print(f"database: {', '.join(f'{name}={value}' for name, value in sorted(kept.items()))}")
    print(f"a save (ms), {given.blocks} blocks of {given.saves}{'':<6}synchronous_commit off          on")
    rows = {
        "wall time, median": lambda way: statistics.median(way.seconds),
        "wall time, 95 %": lambda way: statistics.quantiles(way.seconds, n=20)[-1],
        "processor, web process": lambda way: way.web / len(way.seconds),
        "processor, database": lambda way: way.database / len(way.seconds),
    }
    for name, figure in rows.items():
        print(f"  {name:<42}{figure(ways['off']) * 1000:>12.2f}{figure(ways['on']) * 1000:>12.2f}")


if __name__ == "__main__":
    main()
