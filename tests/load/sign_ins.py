"""What filling pays while many people sign in at once.

    uv run python -m tests.load.sign_ins --people 200 --blocks 6 --seconds 15

Starts the system of the drills behind its proxy. One respondent saves a cell again and again, in blocks that take
turns: alone, and while 200 people sign in, each again as soon as it has succeeded and as the page asks. Prints the
times of the saves of both side by side, how many sign-ins succeeded, and whose processor time it was.
"""

import argparse
import http.client
import multiprocessing
import os
import random
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlencode

import psutil

from tests.drills.load_client import TOKEN
from tests.drills.servers import PASSWORD
from tests.drills.system import ROOT, System
from tests.load.durability import keep_durably
from tests.load.slow_connections import Respondent, shown, times

CLIENT_NICENESS = (
    15  # those who sign in sit at machines of their own: theirs must not slow the servers of this one
)
NETWORKS = 100


def people(port: int, count: int, stop: Event, results: Any) -> None:
    """Sign ``count`` accounts in until ``stop``; puts the number of each status, 0 without an answer."""
    os.nice(CLIENT_NICENESS)
    with ThreadPoolExecutor(count) as pool:
        statuses = list(pool.map(lambda number: _person(port, number, stop), range(count)))
    results.put(sum(statuses, Counter()))


def _person(port: int, number: int, stop: Event) -> Counter[int]:
    seen: Counter[int] = Counter()
    body = urlencode({"username": f"load-{number}", "password": PASSWORD})
    headers = {
        "Cookie": f"csrftoken={TOKEN}",
        "X-CSRFToken": TOKEN,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    while not stop.is_set():
        status, pause = 0, 1.0
        # Many offices, not one: the proxy and the site limit the attempts of an address.
        here = (f"127.0.1.{1 + number % NETWORKS}", 0)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=25, source_address=here)
        try:
            connection.request("POST", "/sign-in/", body, headers)
            answer = connection.getresponse()
            answer.read()
            status, pause = answer.status, float(answer.headers.get("Retry-After") or 1)
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        seen[status] += 1
        stop.wait(0 if status == 302 else pause * random.uniform(0.5, 1.5))
    return seen


def make_accounts(system: System, count: int) -> None:
    """Accounts that share a password; one statement for each, as the process of the servers executes them."""
    columns = [
        name
        for (name,) in system.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'survey_user' AND column_name <> 'id'"
        )
    ]
    values = ", ".join("'load-' || n" if name == "username" else name for name in columns)
    system.execute(
        f"INSERT INTO survey_user ({', '.join(columns)}) SELECT {values} FROM survey_user, generate_series(0, {count - 1}) n"
        " WHERE username = 'drill-sign-in' RETURNING id"
    )


class Meter:
    """Processor seconds since it was made, by what the processes of the system do."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.before = self._read()

    def spent(self) -> Counter[str]:
        """Seconds by kind."""
        return self._read() - self.before

    def _read(self) -> Counter[str]:
        spent: Any = Counter()  # of seconds: fractions, which the type does not know
        for top in (self.system.web, self.system.proxy, self.system.servers):
            parent = psutil.Process(top.pid)  # type: ignore[union-attr]  # there is a proxy
            for process in (parent, *parent.children(recursive=True)):
                try:
                    used = process.cpu_times()
                    spent[self._kind(process)] += used.user + used.system
                except psutil.NoSuchProcess:
                    continue
        for process in psutil.process_iter(["name"]):  # servers leave their parents
            if "postgres" in (process.info["name"] or "") and self._is_ours(process):
                used = process.cpu_times()
                spent["database"] += used.user + used.system
        return spent

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return str(self.system.folder) in process.cwd()
        except (psutil.Error, OSError):
            return False

    def _kind(self, process: psutil.Process) -> str:
        line = " ".join(process.cmdline())
        if "passwords.hashing" in line:
            return "hashing"
        if "nginx" in line or "nginx" in process.name():
            return "proxy"
        if "gunicorn" in line:
            paths = [socket.laddr for socket in process.net_connections(kind="unix")]
            pools = {
                name
                for name in ("web", "sign_in", "uploads")
                for path in paths
                if f"/{name}.sock" in str(path)
            }
            return f"web, pool {pools.pop()}" if len(pools) == 1 else "web, master"
        return "other"


def settle(system: System, patience: float = 90) -> None:
    """Wait until what the people have begun has ended: a queue that nobody waits for is worked off, too."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        meter = Meter(system)
        time.sleep(1)
        if meter.spent()["hashing"] < 0.02:
            return


def main() -> None:
    """Measure in turns and print both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--blocks", type=int, default=6, help="of each kind")
    parser.add_argument("--seconds", type=float, default=15, help="of a block")
    given = parser.parse_args()
    system = System(ROOT / ".local" / "load", proxied=True)
    try:
        keep_durably(system)
        make_accounts(system, given.people)
        save = Respondent(system)
        times(save, 5)
        measured: dict[bool, tuple[list[float], int]] = {False: ([], 0), True: ([], 0)}
        spent: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
        statuses: Counter[int] = Counter()
        for number in range(given.blocks * 2):
            busy = number % 2 == 1
            stop = multiprocessing.Event()
            results: Any = multiprocessing.Queue()
            signing_in = multiprocessing.Process(
                target=people, args=(system.port, given.people, stop, results)
            )
            if busy:
                signing_in.start()
                time.sleep(2)
            meter = Meter(system)
            saves, failed = times(save, given.seconds)
            spent[busy] += meter.spent()
            measured[busy] = measured[busy][0] + saves, measured[busy][1] + failed
            if busy:
                stop.set()
                statuses += results.get(timeout=120)
                signing_in.join()
                settle(system)
            print(f"  {'signing in' if busy else 'alone':<12}{shown(saves, failed)}", flush=True)
    finally:
        system.stop()
    alone, busy_times = (statistics.median(measured[busy][0]) for busy in (False, True))
    print(
        f"\nsaves, median / 95 %   alone: {shown(*measured[False])}   {given.people} signing in: {shown(*measured[True])}"
    )
    print(f"slower by {busy_times / alone - 1:.0%} in the median")
    seconds = given.blocks * given.seconds
    done = statuses[302]
    print(
        f"signed in: {done} ({done / seconds:.1f} a second); asked to try again: {statuses[503]}; others: "
        f"{ {status: count for status, count in statuses.items() if status not in (302, 503)} }"
    )
    print("\nprocessor time, seconds of a second")
    for kind in sorted(spent[False].keys() | spent[True].keys()):
        print(f"  {kind:<20}{spent[False][kind] / seconds:>8.3f}{spent[True][kind] / seconds:>8.3f}")


if __name__ == "__main__":
    main()
