"""The system under test: servers, a web process and a worker, each a process that can be killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery
from redis import Redis
from redis.exceptions import RedisError

from config.local.processes import commands

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 150  # seconds; a busy machine is slow
TOKEN = "d" * 32  # CSRF token, the same in cookie and header
# Variables of the test process's own servers, which the system under test must not inherit.
NOT_INHERITED = {
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "FIELD_KEYS",
    "AUDIT_KEYS",
    "AUDIT_EXPORT_KEY",
    "LOCAL_MODE",
    "LOCAL_DIR",
    "XDG_RUNTIME_DIR",
}
SHORT_LIMITS = {
    "RUN_LOST_SECONDS": "1",
    "RUN_RESEND_SECONDS": "0",
    "STATEMENT_SECONDS": "3",
    "PLAIN_STATIC": "1",
}


def wait_for(condition: Callable[[], Any], message: str, seconds: float = PATIENCE) -> Any:
    """The first true value of ``condition``. Raises TimeoutError with the message after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise TimeoutError(message)


@dataclass(frozen=True)
class Answer:
    """An HTTP response; redirects are not followed."""

    status: int
    body: str
    headers: Any


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """Do not follow redirects."""


class System:
    """Starts everything in a folder; ``stop`` ends every process that it started.

    With ``proxied`` the port is that of the proxy, and the web process listens behind it as in the demonstration.
    """

    def __init__(self, folder: Path, *, proxied: bool = False) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        clean = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        self.log = (folder / "drills.log").open("wb")
        self.servers = subprocess.Popen(
            [sys.executable, "-m", "tests.drills.servers"],
            cwd=ROOT,
            stderr=self.log,
            text=True,
            bufsize=1,
            env={**clean, "LOCAL_DIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        built = self._read()
        self.data: dict[str, Any] = built["data"]
        self.environment = {**clean, **SHORT_LIMITS, **built["environment"]}
        self.port = free_port()
        self.environment["WEB_BIND"] = f"127.0.0.1:{self.port}"
        self.proxy: subprocess.Popen[bytes] | None = None
        if proxied:
            self.environment |= {"WEB_BIND": str(folder / "run"), "BEHIND_PROXY": "1"}
            self.proxy = self._start_proxy()
        self.web = self._spawn("web")
        self.worker: subprocess.Popen[bytes] | None = None
        # Sends by name what beat would send: this process has the settings of another database.
        self.beat = Celery("drills", broker=self.environment["REDIS_URL"], set_as_current=False)
        self.beat.conf.task_ignore_result = True
        wait_for(lambda: self.is_responding(), "the web process does not answer")

    def _read(self) -> Any:
        line = self.servers.stdout.readline()  # type: ignore[union-attr]  # a pipe
        if not line:
            raise RuntimeError((self.folder / "drills.log").read_text(errors="replace")[-3000:])
        return json.loads(line)

    def execute(self, command: str) -> Any:
        """Send a command or SQL statement to the process of the servers and return its result."""
        self.servers.stdin.write(" ".join(command.split()) + "\n")  # type: ignore[union-attr]  # a pipe
        return self._read()

    def _start_proxy(self) -> "subprocess.Popen[bytes]":
        """nginx with the configuration that production has."""
        write = ["manage.py", "write_proxy_files", "--out", str(self.folder / "proxy")]
        write += ["--bind", self.environment["WEB_BIND"], "--listen", f"127.0.0.1:{self.port}"]
        write += ["--user", "root"] if os.geteuid() == 0 else []
        made = subprocess.run(
            [sys.executable, *write],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return self._spawn_command(made.stdout.split())

    def _spawn(self, name: str) -> "subprocess.Popen[bytes]":
        return self._spawn_command(commands()[name])

    def _spawn_command(self, command: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def start_worker(self) -> None:
        """A worker process with its one child."""
        self.worker = self._spawn("worker")

    def kill_worker(self) -> None:
        """SIGKILL to the worker and its child, as the kernel does when memory runs out."""
        assert self.worker is not None
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait()

    def send(self, task: str, *arguments: Any) -> None:
        """Send a task of ``survey.jobs.tasks`` to the broker."""
        self.beat.send_task(f"survey.jobs.tasks.{task}", args=arguments)

    def sweep(self) -> None:
        """Send the sweep that beat sends, unless the queue holds tasks: queued sweeps would delay the tasks that they send."""
        if self.idle():
            self.send("sweep")

    def idle(self) -> bool:
        """True when nothing waits in the queue; a worker takes one task at a time."""
        try:
            return Redis.from_url(self.environment["REDIS_URL"]).llen("celery") == 0  # type: ignore[no-any-return]  # redis has no exact types
        except RedisError:
            return False

    def run_row(self, pk: int) -> dict[str, Any]:
        """State, attempts, result and job of a run."""
        rows = self.execute(
            "SELECT r.state, j.stage, j.attempts, r.result_hash, j.id FROM estimation_estimationrun r"
            f" JOIN survey_job j ON j.id = r.job_id WHERE r.id={pk}"
        )
        return dict(zip(("state", "stage", "attempts", "hash", "job"), rows[0], strict=True))

    def is_responding(self) -> bool:
        """Whether the web process answers its health check."""
        try:
            return self.ask("/health/").status == 200
        except OSError:
            return False

    def ask(
        self,
        path: str,
        session: str = "",
        data: dict[str, Any] | None = None,
        language: str = "zh-hans",
        cookie: str = "",
        *,
        script: bool = False,
    ) -> Answer:
        """Send GET, or POST when ``data`` is given, with a session cookie; ``script`` adds the header of htmx."""
        body = urllib.parse.urlencode(data, doseq=True).encode() if data is not None else None
        cookies = f"csrftoken={TOKEN}; sessionid={session}" if session else f"csrftoken={TOKEN}"
        cookies += f"; {cookie.partition(';')[0]}" if cookie else ""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            body,
            {"Cookie": cookies, "X-CSRFToken": TOKEN, "Accept-Language": language}
            | ({"HX-Request": "true"} if script else {}),
        )
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=PATIENCE) as answer:
                return Answer(answer.status, answer.read().decode(), answer.headers)
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, refused.read().decode(), refused.headers)

    def stop(self) -> None:
        """End the processes and the servers."""
        for process in (self.worker, self.web, self.proxy):
            if process is not None and process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        self.servers.stdin.close()  # type: ignore[union-attr]  # a pipe
        self.servers.wait(30)
        self.servers.stdout.close()  # type: ignore[union-attr]  # a pipe
        self.log.close()


def free_port() -> int:
    """A free TCP port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
