"""A running proxy: one session cannot send more than a person, and a full pool of sign-in has a page of its own."""

import http.client
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config.web.pools import pools
from config.web.proxy import Proxy, program, write
from tests.drills.system import free_port

WAITING = next(pool.waiting for pool in pools() if pool.name == "sign_in")


class Application(BaseHTTPRequestHandler):
    """Answers at once; a form of sign-in when the test lets it."""

    free = threading.Event()

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_POST(self) -> None:
        """Answer later."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.free.wait(30)
        self.do_GET()

    def log_message(self, *_line: Any) -> None:
        """Nothing."""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    Application.free.clear()
    servers = {
        pool.name: ThreadingHTTPServer(("127.0.0.1", 0), Application, bind_and_activate=False)
        for pool in pools()
    }
    for server in servers.values():
        server.request_queue_size = 128
        server.server_bind()
        server.server_activate()
        threading.Thread(target=server.serve_forever, daemon=True).start()
    listen = free_port()
    user = "root" if os.geteuid() == 0 else ""  # it has to read the folder of the test
    upstreams = {name: [f"127.0.0.1:{server.server_port}"] for name, server in servers.items()}
    configuration = write(
        Proxy(
            folder=tmp_path,
            upstreams=upstreams,
            listen=f"127.0.0.1:{listen}",
            user=user,
            workers="1",
            attempts=1000,
        )
    )
    process = subprocess.Popen([*program(), "-p", str(tmp_path), "-c", str(configuration)])
    for _attempt in range(100):
        with suppress(OSError):
            ask(listen, "/health/")
            break
        time.sleep(0.05)
    yield listen
    Application.free.set()
    process.terminate()
    process.wait(timeout=10)
    for server in servers.values():
        server.shutdown()
        server.server_close()


def ask(port: int, path: str, method: str = "GET", session: str = "") -> tuple[int, dict[str, str], str]:
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
    cookies = {"Cookie": f"a=b; {settings.SESSION_COOKIE_NAME}={session}"} if session else {}
    connection.request(method, path, headers={"Accept-Language": "en", **cookies})
    response = connection.getresponse()
    answer = (response.status, dict(response.getheaders()), response.read().decode())
    connection.close()
    return answer


def test_a_session_that_sends_far_more_than_a_person_is_slowed_down_and_others_are_not(port: int) -> None:
    began = time.monotonic()
    statuses = Counter(ask(port, "/sheets/1/", session="robot")[0] for _request in range(400))
    allowed = 200 + 20 * (time.monotonic() - began) + 2
    assert 200 <= statuses[200] <= allowed and statuses[429] == 400 - statuses[200]
    assert ask(port, "/sheets/1/", session="robot")[1].get("Retry-After") == "60"
    # Others at the same address, each as fast as a script that sends what has waited, and strangers.
    others = [ask(port, "/sheets/1/", session=f"person-{n % 40}")[0] for n in range(400)]
    assert set(others) == {200} and ask(port, "/sheets/1/")[0] == 200


def test_beyond_the_sign_ins_that_may_wait_a_page_says_so_and_loads_again(port: int) -> None:
    with ThreadPoolExecutor(WAITING + 4) as threads:
        waiting = [threads.submit(ask, port, "/sign-in/", "POST") for _person in range(WAITING + 4)]
        for _attempt in range(200):
            status, headers, body = ask(port, "/sign-in/")
            if status == 503:
                break
            time.sleep(0.05)
        assert status == 503 and "Very many people are signing in" in body
        assert (headers["Refresh"], headers["Retry-After"]) == ("15", "15")
        assert ask(port, "/sheets/1/", session="filler")[0] == 200  # those who are inside do not notice
        Application.free.set()
        counts = Counter(future.result()[0] for future in waiting)
        assert counts[200] <= WAITING and counts[200] + counts[503] == WAITING + 4
    assert ask(port, "/sign-in/")[0] == 200
