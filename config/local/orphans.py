"""A record of started processes, so that what a killed supervisor leaves can be found and ended.

A number of a process is used again by the system. A process is ours only if it also began when the record
says so; members of its group are ours because the number of a group is not given away while one of them runs.
Needs no Django.
"""

import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

PATIENCE = 5.0  # seconds between SIGTERM and SIGKILL
PATIENCE_SERVER = 60.0  # a database writes down what it has in memory
FILE = "processes.json"


@dataclass(frozen=True, slots=True)
class Started:
    """A process that was started: its number and its begin, which together name it for ever."""

    name: str
    pid: int
    began: str
    group: bool = True  # it leads a group whose members belong to it
    signal: int = signal.SIGTERM
    patience: float = PATIENCE


def began(pid: int) -> str:
    """When a process began, not moved by the clock of the machine; empty when there is none, or a dead one."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists():
            return str(process.create_time())
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {stat.read_text().rpartition(')')[2].split()[19]}"
    except (psutil.Error, OSError):
        return ""


def is_python(pid: int) -> bool:
    """True when a Python program runs under this number."""
    try:
        return "python" in psutil.Process(pid).name().lower() and bool(began(pid))
    except psutil.Error:
        return False


def started(
    name: str, pid: int, *, group: bool = True, by: int = signal.SIGTERM, patience: float = PATIENCE
) -> Started:
    """The record of a running process."""
    return Started(name, pid, began(pid), group, by, patience)


def write(folder: Path, processes: Iterable[Started]) -> None:
    """Keep the record; a reader sees the former or the new one, never a part."""
    path = folder / FILE
    new = path.with_suffix(".new")
    new.write_text(json.dumps([asdict(process) for process in processes]), encoding="utf-8")
    new.replace(path)


def read(folder: Path) -> list[Started]:
    """The record; empty when there is none."""
    try:
        return [Started(**process) for process in json.loads((folder / FILE).read_text(encoding="utf-8"))]
    except (FileNotFoundError, ValueError, TypeError):
        return []


def members(process: Started) -> list[int]:
    """Numbers of the processes that still belong to a record: the process itself and its group."""
    now = began(process.pid)
    if now and now != process.began:
        return []  # the number belongs to somebody else, so nothing of ours is left
    pids = [process.pid] if now else []
    if process.group:
        for pid in psutil.pids():
            try:
                if pid != process.pid and os.getpgid(pid) == process.pid and began(pid):
                    pids.append(pid)
            except OSError:  # it has ended meanwhile, or is not ours to see
                continue
    return pids


def end(processes: Iterable[Started]) -> list[str]:
    """End what is left of these processes; the names of those that were found running."""
    left = {process: pids for process in processes if (pids := members(process))}
    for process, pids in left.items():
        _send(pids, process.signal)
    clock = time.monotonic()
    waiting = dict(left)
    while waiting:
        for process in list(waiting):
            pids = members(process)
            if not pids:
                del waiting[process]
            elif time.monotonic() - clock > process.patience:
                _send(pids, signal.SIGKILL)
        time.sleep(0.05)
    return [process.name for process in left]


def _send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            continue
