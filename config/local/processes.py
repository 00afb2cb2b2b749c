"""Runs proxy, web server, worker and beat as children of one command and keeps them running.

This is for a rehearsal on one machine. In production each process is a service of its own (README).
"""

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO

from config.local import embedded, orphans

GRACE = 12  # seconds a child gets to finish after SIGTERM
WEB = "web"
LONGEST_SOCKET = 90  # bytes of the path of a Unix socket that every system takes
_lock: IO[bytes] | None = None


class PortTakenError(Exception):
    """Another process listens on the port."""


class AlreadyRunningError(Exception):
    """Another supervisor runs on the same data."""


def commands() -> dict[str, list[str]]:
    """The processes of the system besides the proxy. Where web listens says WEB_BIND."""
    python = [sys.executable, "-m"]
    return {
        WEB: [*python, "gunicorn", "--config", "python:config.web.server", "config.wsgi:application"],
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


def take_over() -> list[str]:
    """Become the one supervisor of the local data and end what a killed predecessor has left; names of that.

    Raises AlreadyRunningError. The system gives the lock back with the process that holds it, however it ends.
    """
    global _lock
    folder = embedded.home()
    if _lock is None:
        lock = (folder / "supervisor.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise AlreadyRunningError(str(folder)) from error
        _lock = lock
    former = orphans.read(folder)
    # The predecessor's watchdog may be at work on the same processes; together they are done sooner.
    ended = orphans.end(former)
    orphans.write(folder, [])
    return [name for name in ended if name != "watchdog"]


class Supervisor:
    """Starts the processes, restarts those that end, and stops all on Ctrl-C or SIGTERM."""

    def __init__(self, host: str, port: int, progress: Callable[[str], None]) -> None:
        self.host, self.port, self.progress = host, port, progress
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.commands: dict[str, list[str]] = {}
        self.watchdog: subprocess.Popen[bytes] | None = None
        self.stopping = False
        self.folder = embedded.home()
        self.logs = embedded.home("logs")
        self.bind = str(socket_folder())

    def guard(self) -> None:
        """Start the watchdog: from here on nothing outlives this process. Raises AlreadyRunningError."""
        if _lock is None:
            take_over()
        self.watchdog = subprocess.Popen(  # noqa: S603 a module of the project
            [sys.executable, "-m", "config.local.watchdog", str(self.folder)],
            cwd=embedded.BASE_DIR,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._record()

    def run(self, announce: Callable[[], None]) -> None:
        """Start everything, call ``announce`` when the site answers, return after a stop signal.

        Raises PortTakenError before anything is started.
        """
        self._claim_port()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        self.commands = commands() | {"proxy": self._proxy()}
        try:
            for name in self.commands:
                self._start(name)
            if self._wait_until_ready():
                announce()
            while not self.stopping:
                self._watch()
                time.sleep(1)
        finally:
            self._end()

    def release(self) -> None:
        """The last act: nothing is left that the watchdog would have to end."""
        orphans.write(self.folder, [])
        if self.watchdog is not None and self.watchdog.stdin is not None:
            self.watchdog.stdin.close()
            self.watchdog.wait()

    def _claim_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise PortTakenError(f"{self.host}:{self.port}") from error

    def _proxy(self) -> list[str]:
        from config.web.proxy import (  # settings are read when they are needed
            Proxy,
            program,
            upstreams_of,
            write,
        )

        folder = embedded.home("proxy")
        path = write(
            Proxy(
                folder=folder,
                upstreams=upstreams_of(self.bind),
                listen=f"{self.host}:{self.port}",
                # Data of a demonstration that root has started are readable by root only.
                user="root" if os.geteuid() == 0 else "",
                workers="1",
            )
        )
        return [*program(), "-p", str(folder), "-c", str(path)]

    def _start(self, name: str) -> None:
        log = (self.logs / f"{name}.log").open("ab")
        # A session of its own: Ctrl-C reaches this process first, and it stops the others in order.
        self.children[name] = subprocess.Popen(  # noqa: S603 the commands above, no user input
            self.commands[name],
            stdout=log,
            stderr=log,
            cwd=embedded.BASE_DIR,
            env=os.environ | {"WEB_BIND": self.bind, "BEHIND_PROXY": "1"},
            start_new_session=True,
        )
        log.close()
        self._record()

    def _record(self) -> None:
        """Write down what runs, with the servers."""
        running = {name: child.pid for name, child in self.children.items()}
        if self.watchdog is not None:
            running["watchdog"] = self.watchdog.pid
        orphans.write(
            self.folder,
            [
                *(orphans.started(name, pid) for name, pid in running.items()),
                *embedded.running(),
            ],
        )

    def _watch(self) -> None:
        for name, child in list(self.children.items()):
            if child.poll() is not None and not self.stopping:
                self.progress(f"{name} ended with {child.returncode}; starting it again")
                # Its own children may still hold its port or its work.
                orphans.end([orphans.Started(name, child.pid, "", patience=0)])
                self._start(name)
        if self.watchdog is not None and self.watchdog.poll() is not None and not self.stopping:
            self.guard()
        for name in embedded.restart_stopped():
            self.progress(f"{name} had stopped; it runs again")
            self._record()

    def _wait_until_ready(self) -> bool:
        """True when the site answers, however long that takes; False when a signal stops it before."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 compared, not bound
        while not self.stopping:
            try:
                with urllib.request.urlopen(f"http://{host}:{self.port}/health/", timeout=5):
                    return True
            except OSError:
                for name in (WEB, "proxy"):
                    if self.children[name].poll() is not None:
                        raise RuntimeError(_tail(self.logs / f"{name}.log")) from None
                time.sleep(0.2)
        return False

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _end(self) -> None:
        self.progress("stopping")
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
        orphans.end(orphans.Started(name, child.pid, "", patience=0) for name, child in self.children.items())


def socket_folder() -> Path:
    """Where the web processes listen for the proxy: private, and with a path short enough for a Unix socket."""
    folder = embedded.home("run")
    if len(str(folder)) > LONGEST_SOCKET:
        folder = (
            Path(tempfile.gettempdir())
            / f"ndrs-{os.getuid()}-{hashlib.sha256(bytes(folder)).hexdigest()[:12]}"
        )
        folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    return folder


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-20:])
