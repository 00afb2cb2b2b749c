"""The whole system as a user starts it: ``manage.py demo`` in a process of its own, with data of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SCALE = "0.01"
READY = 900.0  # seconds, for a busy machine; a process that ends fails at once
# Variables of the test process's own servers, which the demonstration must not inherit.
NOT_INHERITED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "FIELD_KEYS",
    "AUDIT_KEYS",
    "AUDIT_EXPORT_KEY",
    "LOCAL_MODE",
    "LOCAL_DIR",
    "PLAIN_STATIC",
    "XDG_RUNTIME_DIR",
    "DJANGO_SETTINGS_MODULE",
)

IN_A_ROW = 10


class Stack:
    """A running demonstration. `start` returns when it is ready; `stop` is Ctrl-C."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        self.environment["LOCAL_DIR"] = str(folder)
        self.environment["STATIC_ROOT"] = str(folder / "static")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Build the country in an empty folder and wait until web, database, broker and worker answer."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.resume()

    def resume(self) -> None:
        """Start with the existing data."""
        command = [sys.executable, "manage.py", "demo", "--scale", SCALE, "--port", str(self.port)]
        with (self.folder / "demo.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.wait("/health/ready/", READY)
        except TimeoutError:
            self.stop()
            raise

    def wait(self, path: str, seconds: float) -> None:
        """Until the page answers 200 several times in a row. Raises TimeoutError with the end of the log.

        There are two web processes, each with its own connections, so one answer does not show that both are ready.
        """
        end = time.monotonic() + seconds
        answers = 0
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(self.url + path, timeout=5):
                    answers += 1
                if answers == IN_A_ROW:
                    return
            except (urllib.error.URLError, OSError):
                answers = 0
                if self.process is not None and self.process.poll() is not None:
                    break
                time.sleep(0.3)
        raise TimeoutError(f"{path} does not answer\n{self.log()[-3000:]}")

    def log(self) -> str:
        """What the command printed."""
        return (self.folder / "demo.log").read_text(errors="replace")

    def manage(self, code: str) -> Any:
        """Run a piece of code in the stack's own settings; what it prints is read as JSON."""
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", code],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout)

    def children(self) -> list[int]:
        """Process numbers of everything that carries this stack's folder in its environment."""
        numbers = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"LOCAL_DIR={self.folder}".encode() in entry.read_bytes().split(b"\0"):
                    numbers.append(int(entry.parent.name))
            except OSError:
                continue
        return numbers

    def broker(self) -> int:
        """Process number of Valkey: it overwrites its environment with its title, which names the port."""
        title = f"127.0.0.1:{(self.folder / 'valkey_port').read_text().strip()}".encode()
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            line = entry.read_bytes() if entry.exists() else b""
            if b"valkey" in line and title in line:
                return int(entry.parent.name)
        raise LookupError("Valkey does not run")

    def stop(self) -> int:
        """Ctrl-C. Returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


def free_port() -> int:
    """A free TCP port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
