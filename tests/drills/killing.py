"""Finds the processes of a site by its folder, and kills one of a kind."""

import os
import random
import signal
import time
from pathlib import Path

import psutil

KINDS = (
    "web worker",
    "web master",
    "celery worker",
    "beat",
    "backend",
    "postmaster",
    "valkey",
    "proxy",
    "supervisor",
)
SUPERVISOR = "tests.drills.site"


class Processes:
    """The processes below one folder of local servers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, kind: str) -> list[int]:
        """Numbers of the running processes of a kind."""
        if kind in {"backend", "postmaster"}:
            return self._postgres(kind)
        pids = []
        for process in psutil.process_iter(["pid", "cmdline", "ppid", "status"]):
            line = " ".join(process.info["cmdline"] or ())
            if process.info["status"] != psutil.STATUS_ZOMBIE and self._is(kind, line, process):
                pids.append(process.info["pid"])
        return pids

    def _is(self, kind: str, line: str, process: psutil.Process) -> bool:
        if kind == "valkey":
            return "valkey-server" in line and f":{self._valkey_port()}" in line  # it hides its environment
        if kind == "proxy":
            return "nginx" in line and str(self.folder) in line
        words = {
            "web worker": "gunicorn",
            "web master": "gunicorn",
            "celery worker": "config worker",
            "beat": "config beat",
            "supervisor": SUPERVISOR,
        }
        if words[kind] not in line or not self._lies_here(process):
            return False
        if kind in {"web worker", "web master"}:
            return self._has_parent_of("gunicorn", process) == (kind == "web worker")
        return True

    def _valkey_port(self) -> str:
        path = self.folder / "valkey_port"
        return path.read_text() if path.exists() else "none"

    def _lies_here(self, process: psutil.Process) -> bool:
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            return False
        return environment.get("LOCAL_DIR") == str(self.folder)

    def _has_parent_of(self, word: str, process: psutil.Process) -> bool:
        try:
            parent = process.parent()
            return parent is not None and word in " ".join(parent.cmdline())
        except psutil.Error:
            return False

    def _postgres(self, kind: str) -> list[int]:
        try:
            postmaster = int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])
            process = psutil.Process(postmaster)
            if "postgres" not in process.name():
                return []
            children = [child for child in process.children() if "survey" in " ".join(child.cmdline())]
        except (OSError, ValueError, IndexError, psutil.Error):
            return []
        return [postmaster] if kind == "postmaster" else [child.pid for child in children]


def order(kills: int, seed: int) -> list[str]:
    """Kinds to kill, each about as often, in the order of the seed."""
    source = random.Random(seed)
    kinds: list[str] = []
    while len(kinds) < kills:
        kinds += source.sample(KINDS, len(KINDS))
    return kinds[:kills]


def kill(processes: Processes, kind: str, source: random.Random, patience: float = 60) -> int:
    """Kill one process of a kind; waits for one to exist. Raises TimeoutError when there is none."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        pids = processes.of(kind)
        if pids:
            pid = source.choice(sorted(pids))
            os.kill(pid, signal.SIGKILL)
            return pid
        time.sleep(0.1)
    raise TimeoutError(f"no process to kill: {kind}")
