"""A web host with a folder for each release and a name for the present one, as config/deploy/README.md lays it out."""

import http.client
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Thread

import psutil

from config.web.pools import addresses
from tests.drills.system import wait_for

PATIENCE = 60.0  # seconds for an answer on a busy machine


def ask(path: str, request: bytes) -> http.client.HTTPResponse:
    """One request over a Unix socket with a connection of its own, as the proxy sends it."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE)
        line.connect(path)
        line.sendall(request)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        answer.read()
        return answer


class Visitor(Thread):
    """Asks one pool for its health again and again."""

    REQUEST = b"GET /health/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    def __init__(self, path: str, stop: Event) -> None:
        super().__init__(daemon=True)
        self.path, self.stop = path, stop
        self.answered = 0
        self.failures: list[str] = []

    def ask(self) -> None:
        """Ask once. Raises OSError or HTTPException when there is no good answer."""
        status = ask(self.path, self.REQUEST).status
        if status != 200:
            raise http.client.HTTPException(str(status))

    def run(self) -> None:
        """Called by ``start``."""
        while not self.stop.wait(0.005):
            try:
                self.ask()
                self.answered += 1
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))


class WebHost:
    """gunicorn in a folder, started as survey-web.service starts it."""

    def __init__(
        self,
        folder: Path,
        releases: Mapping[str, Path],
        environment: Mapping[str, str],
        application: str = "config.wsgi:application",
    ) -> None:
        self.folder, self.releases = folder, releases
        self.present = folder / "survey"
        (folder / "run").mkdir(parents=True)
        self.switch(next(iter(releases)))
        programs = self.present / ".venv" / "bin"
        command = [str(programs / "python"), str(programs / "gunicorn")]
        with (folder / "log").open("wb") as log:
            self.first = subprocess.Popen(
                [*command, "--config", "python:config.web.server", application],
                cwd=self.present,
                env={
                    **environment,
                    "PWD": str(self.present),
                    "WEB_BIND": str(folder / "run"),
                    "WEB_WORKERS": "1",
                },
                stdout=log,
                stderr=log,
            )
        self.master = self.first.pid
        self.sockets = [name.removeprefix("unix:") for name in addresses(str(folder / "run"))]

    def switch(self, release: str) -> None:
        """Let the name of the present release lead to another folder."""
        new = self.folder / "new"
        new.symlink_to(self.releases[release])
        new.replace(self.present)

    def wait(self) -> None:
        """Until every pool answers."""
        stop = Event()

        def answers() -> bool:
            if self.first.poll() is not None:
                raise RuntimeError(self.log())
            try:
                for path in self.sockets:
                    Visitor(path, stop).ask()
            except (OSError, http.client.HTTPException):
                return False
            return True

        wait_for(answers, f"{self.folder} does not answer")

    def log(self) -> str:
        """The end of what the processes have said."""
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def running(self) -> set[str]:
        """Releases in whose folder the web processes of the master run."""
        names = {os.path.realpath(path): name for name, path in self.releases.items()}
        return {names[child.cwd()] for child in psutil.Process(self.master).children()}

    def stop(self) -> None:
        """End all processes."""
        for pid in {self.master, self.first.pid}:
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGTERM)
        self.first.wait(60)
        if self.master != self.first.pid:
            wait_for(lambda: not psutil.pid_exists(self.master), "a master does not end")
