"""What slow connections do to everybody else, with the proxy and without it.

    uv run python -m tests.load.slow_connections --connections 500 --seconds 20

Starts the system of the drills (servers and web processes of its own) twice, once with the proxy in front and once
without, and prints the times of /health/ and of a saved cell beside no, slow-header and slow-body connections. Then
it prints the processor time of a request on both ways.
"""

import argparse
import http.client
import statistics
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import psutil

from tests.drills.load_client import TOKEN
from tests.drills.system import ROOT, System
from tests.load.slow_clients import Kind, SlowClients

TIMEOUT = 10.0  # seconds after which a person would have gone


def ask(
    system: System, method: str, path: str, body: str | None = None, cookie: str = ""
) -> tuple[int, dict[str, str]]:
    """One request on a connection of its own; status 0 when no answer comes in time."""
    connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=TIMEOUT)
    headers = {"Cookie": f"csrftoken={TOKEN}; sessionid={cookie}", "X-CSRFToken": TOKEN, "HX-Request": "true"}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, dict(answer.headers)
    except (OSError, http.client.HTTPException):
        return 0, {}
    finally:
        connection.close()


class Respondent:
    """Somebody who saves one cell after the other."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.session, sheet, _revision = system.data["concurrent_sheets"][0]
        self.save = f"/sheets/{sheet}/sections/P/save/"
        self.sheet, self.value = sheet, 0

    def __call__(self) -> bool:
        """Save the next value; True when it was acknowledged."""
        self.value += 1
        rows = self.system.execute(f"SELECT revision FROM survey_submission WHERE id={self.sheet}")
        body = urlencode({"revision": rows[0][0], "cell": "P06", "P06.value": self.value, "P06.unit": "TB"})
        status, headers = ask(self.system, "POST", self.save, body, self.session)
        return status == 200 and "Sheet-Revision" in headers


def times(act: Callable[[], bool], seconds: float) -> tuple[list[float], int]:
    """Milliseconds of the acts that succeeded within ``seconds``, and how many failed."""
    measured, failed, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        if act():
            measured.append((time.perf_counter() - began) * 1000)
        else:
            failed += 1
        time.sleep(0.05)
    return measured, failed


def shown(milliseconds: Sequence[float], failed: int) -> str:
    """Median, 95th percentile and failures."""
    if not milliseconds:
        return f"no answer ({failed} tries)"
    high = statistics.quantiles(milliseconds, n=20)[-1] if len(milliseconds) > 1 else milliseconds[0]
    return f"{statistics.median(milliseconds):.0f} / {high:.0f} ms" + (f", {failed} failed" if failed else "")


def measure(system: System, count: int, seconds: float) -> list[list[str]]:
    """A line for no, slow-header and slow-body connections: health, autosave."""
    acts = (lambda: ask(system, "GET", "/health/")[0] == 200, Respondent(system))
    for act in acts:
        act()
    lines = [["none", *(shown(*times(act, seconds)) for act in acts)]]
    kinds: tuple[Kind, ...] = ("headers", "bodies")
    for kind in kinds:
        with SlowClients("127.0.0.1", system.port, count, kind):
            time.sleep(1)
            lines.append([f"{count} slow {kind}", *(shown(*times(act, seconds)) for act in acts)])
        time.sleep(2)
    return lines


def processor(system: System) -> float:
    """Seconds of the processor that web processes and proxy have used, with those that have ended."""
    used = 0.0
    for top in (system.web, system.proxy):
        if top is not None:
            process = psutil.Process(top.pid)
            for child in (process, *process.children(recursive=True)):
                spent = child.cpu_times()
                used += spent.user + spent.system
    return used


def cost(system: System, path: str, cookie: str, requests: int) -> float:
    """Milliseconds of the processor for a request."""
    for _warm in range(10):
        ask(system, "GET", path, cookie=cookie)
    before = processor(system)
    for _number in range(requests):
        ask(system, "GET", path, cookie=cookie)
    return (processor(system) - before) * 1000 / requests


def main() -> None:
    """Measure both ways and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--requests", type=int, default=300, help="for the processor time of a request")
    given = parser.parse_args()
    costs: dict[str, list[float]] = {}
    for proxied in (True, False):
        system = System(ROOT / ".local" / "load", proxied=proxied)
        try:
            print(f"\n{'behind the proxy' if proxied else 'without a proxy'} (median / 95 %)", flush=True)
            for line in [
                ["slow connections", "/health/", "autosave"],
                *measure(system, given.connections, given.seconds),
            ]:
                print(f"  {line[0]:<22}{line[1]:<28}{line[2]}", flush=True)
            session, sheet, _revision = system.data["concurrent_sheets"][0]
            for path in ("/health/", "/zh/", "/sign-in/", f"/sheets/{sheet}/sections/P/"):
                costs.setdefault(path, []).append(cost(system, path, session, given.requests))
        finally:
            system.stop()
    print("\nprocessor time of a request, web processes and proxy together (ms)")
    print(f"  {'':<30}{'proxy':>8}{'without':>10}")
    for path, (with_proxy, without) in costs.items():
        print(f"  {path:<30}{with_proxy:>8.2f}{without:>10.2f}")


if __name__ == "__main__":
    main()
