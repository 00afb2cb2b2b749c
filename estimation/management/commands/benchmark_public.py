"""``manage.py benchmark_public``: requests per second of the public site, cached and not cached.

Without ``--url`` the application is called in this process, without a network: first with every page rendered,
then from memory, so that the ratio does not depend on the machine. With ``--url`` a running server on
this machine is measured over a few persistent connections; count and time are bounded.
"""

import http.client
import time
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.core.handlers.wsgi import WSGIHandler
from django.core.management.base import CommandError
from django.test import RequestFactory, override_settings

from estimation.public.selectors import current
from survey.management.base import SurveyCommand

MOST = 50_000  # requests
LONGEST = 60.0  # seconds


class Command(SurveyCommand):
    """Rates and their ratio."""

    help = "Measure how many requests a second the public site answers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Address, path, number of requests."""
        parser.add_argument("--url", default="", help="a server on this machine, as http://127.0.0.1:8000")
        parser.add_argument("--path", default="/zh/", help="the page (/zh/)")
        parser.add_argument("--requests", type=int, default=2000)
        parser.add_argument("--connections", type=int, default=8)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        count = options["requests"]
        if not 1 <= count <= MOST or not 1 <= options["connections"] <= 64:
            raise CommandError(f"--requests from 1 to {MOST}, --connections from 1 to 64.")
        if options["url"]:
            self.over_the_network(options["url"], options["path"], count, options["connections"])
            return
        if current() is None:
            raise CommandError("Nothing has been published yet: there is no page to measure.")
        rendered = self.in_process(options["path"], min(count, 200), keep=False)
        cached = self.in_process(options["path"], count, keep=True)
        self.stdout.write(f"rendered anew  {rendered:10,.0f} requests a second, one process")
        self.stdout.write(f"from memory    {cached:10,.0f} requests a second, one process")
        self.stdout.write(f"ratio          {cached / rendered:10,.1f}")

    def in_process(self, path: str, count: int, *, keep: bool) -> float:
        """Requests a second of the whole application stack in this process."""
        factory = RequestFactory()
        with override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False):
            handler = WSGIHandler()

            def ask(number: int) -> None:
                address = path if keep else f"{path}?sort={number}"  # an address that is not cached yet
                response = handler.get_response(factory.get(address))
                if response.status_code != 200:
                    raise CommandError(f"{address} answers {response.status_code}")
                response.close()

            ask(-1)
            began = time.perf_counter()
            for number in range(count):
                ask(number)
            return count / (time.perf_counter() - began)

    def over_the_network(self, url: str, path: str, count: int, connections: int) -> None:
        """Requests a second of a server on this machine, over persistent connections."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        if parts.scheme != "http" or not (host == "localhost" or _is_loopback(host)):
            raise CommandError("--url must be http:// on the loopback address of this machine.")
        share = max(1, count // connections)
        began = time.perf_counter()
        with ThreadPoolExecutor(connections) as pool:
            done = list(pool.map(lambda _number: _ask_often(host, port, path, share), range(connections)))
        seconds = time.perf_counter() - began
        self.stdout.write(
            f"{sum(done):,} requests over {connections} connections: {sum(done) / seconds:,.0f} a second"
            " (client and server share this machine)"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _ask_often(host: str, port: int, path: str, count: int) -> int:
    """Send ``count`` requests over one connection; the number of answers within the time limit."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    end, done = time.monotonic() + LONGEST, 0
    headers = {"Accept-Encoding": "gzip"}
    while done < count and time.monotonic() < end:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise CommandError(f"{path} answers {answer.status}")
        done += 1
    connection.close()
    return done
