"""Runs web server, worker and beat as children of one command and keeps them running.

This is for a rehearsal on one machine. In production each process is a service of its own (README).
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from config import embedded

GRACE = 12  # seconds a child gets to finish after SIGTERM


class PortTakenError(Exception):
    """Another process listens on the port."""


def commands(host: str, port: int) -> dict[str, list[str]]:
    """The three processes of the system."""
    python = [sys.executable, "-m"]
    return {
        "web": [
            *python,
            "gunicorn",
            "config.wsgi:application",
            "--bind",
            f"{host}:{port}",
            "--workers",
            "2",
            "--threads",
            "4",
            "--timeout",
            "60",
            "--graceful-timeout",
            "5",
            "--log-level",
            "warning",
            "--max-requests",
            "20000",
            "--max-requests-jitter",
            "1000",
        ],
        "worker": [
            *python,
            "celery",
            "-A",
            "config",
            "worker",
            "--concurrency",
            "1",
            "--loglevel",
            "WARNING",
            "--without-gossip",
            "--without-mingle",
        ],
        "beat": [
            *python,
            "celery",
            "-A",
            "config",
            "beat",
            "--loglevel",
            "WARNING",
            "--schedule",
            str(embedded.home() / "beat-schedule"),
            "--pidfile",
            "",
        ],
    }


class Supervisor:
    """Starts the processes, restarts those that end, and stops all on Ctrl-C or SIGTERM."""

    def __init__(self, host: str, port: int, say: Callable[[str], None]) -> None:
        self.host, self.port, self.say = host, port, say
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False
        self.logs = embedded.home("logs")

    def run(self, announce: Callable[[], None]) -> None:
        """Start everything, call ``announce`` when the site answers, return after a stop signal.

        Raises PortTakenError before anything is started.
        """
        self._claim_port()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        try:
            for name in commands(self.host, self.port):
                self._start(name)
            if self._wait_until_ready():
                announce()
            while not self.stopping:
                self._watch()
                time.sleep(1)
        finally:
            self._end()

    def _claim_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise PortTakenError(f"{self.host}:{self.port}") from error

    def _start(self, name: str) -> None:
        log = (self.logs / f"{name}.log").open("ab")
        # A session of its own: Ctrl-C reaches this process first, and it stops the others in order.
        self.children[name] = subprocess.Popen(  # noqa: S603 the commands above, no user input
            commands(self.host, self.port)[name],
            stdout=log,
            stderr=log,
            cwd=embedded.BASE_DIR,
            env=os.environ.copy(),
            start_new_session=True,
        )

    def _watch(self) -> None:
        for name, child in list(self.children.items()):
            if child.poll() is not None and not self.stopping:
                self.say(f"{name} ended with {child.returncode}; starting it again")
                self._start(name)
        for name in embedded.restart_stopped():
            self.say(f"{name} had stopped; it runs again")

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not self.stopping:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/", timeout=2):
                    return True
            except OSError:
                if self.children["web"].poll() is not None:
                    raise RuntimeError(_tail(self.logs / "web.log")) from None
                time.sleep(0.2)
        return False

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _end(self) -> None:
        self.say("stopping")
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + GRACE
        for child in self.children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-20:])
