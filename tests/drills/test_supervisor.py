"""Drills of the supervisor: it, its watchdog and its children are killed, and nothing is left or twice there."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from config.local import orphans
from tests.drills.system import NOT_INHERITED, ROOT, free_port, wait_for

pytestmark = pytest.mark.slow
ALL_NAMES = ["beat", "postgres", "proxy", "valkey", "watchdog", "web", "worker"]


class Supervised:
    """A supervisor in a process of its own, on one folder, started as often as a test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        clean = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        self.environment = clean | {"LOCAL_DIR": str(folder)}
        self.log = folder / "supervised.log"
        self.process: subprocess.Popen[bytes] | None = None  # the one that was started last

    def started(self) -> "subprocess.Popen[bytes]":
        """The one that an earlier test has left running, or a new one."""
        left = self.process is not None and self.process.poll() is None
        return self.process if left and self.process else self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it and wait until it says that the site answers."""
        self.process = process = self.launch()
        wait_for(
            lambda: "\nready" in self.printed() or process.poll() is not None, "the supervisor is not ready"
        )
        assert process.poll() is None, self.printed()
        return process

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start it without waiting."""
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.drills.supervised", str(self.port)],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def printed(self) -> str:
        """What the newest one has printed."""
        return self.log.read_text(errors="replace")

    def record(self) -> dict[str, orphans.Started]:
        """What is written down as running."""
        return {process.name: process for process in orphans.read(self.folder)}

    def running(self) -> list[str]:
        """Names in the record that are really running."""
        return sorted(process.name for process in self.record().values() if orphans.members(process))

    def status(self) -> int:
        """Of the process probe, 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/", timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return 0

    def programs(self) -> list[str]:
        """Command lines of the Python programs whose environment names the folder."""
        lines = []
        for process in psutil.process_iter():
            try:
                environment = process.environ()
            except psutil.Error:
                continue
            if environment.get("LOCAL_DIR") == str(self.folder):
                lines.append(" ".join(process.cmdline()))
        return lines

    def port_is_free(self) -> bool:
        """Nobody listens on the port of the site."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError:
                return False
        return True


@pytest.fixture(scope="module")
def supervised() -> Iterator[Supervised]:
    """A folder without data; not below a private one, for PostgreSQL has its own account where root starts it."""
    result = Supervised(ROOT / ".local" / "supervised")
    shutil.rmtree(result.folder, ignore_errors=True)
    result.folder.mkdir(parents=True)
    yield result
    if result.process is not None and result.process.poll() is None:  # a test has failed
        result.process.kill()
        result.process.wait()
    orphans.end(orphans.read(result.folder))


def test_without_a_watchdog_the_next_start_ends_what_was_left(supervised: Supervised) -> None:
    process = supervised.start()
    before = supervised.record()
    os.kill(before["watchdog"].pid, signal.SIGSTOP)  # it would see the supervisor end
    for pid in (process.pid, before["watchdog"].pid):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    left = sorted(set(ALL_NAMES) - {"watchdog"})
    assert sorted(name for name in left if orphans.members(before[name])) == left, "the drill kills too much"
    supervised.start()
    assert sorted(supervised.printed().split("\n")[0].split()[1:]) == left
    assert not any(orphans.members(started) for started in before.values())
    assert supervised.running() == ALL_NAMES
    assert sum("celery -A config beat" in line for line in supervised.programs()) == 1


def test_a_killed_supervisor_leaves_no_process(supervised: Supervised) -> None:
    process = supervised.started()
    before = supervised.record()
    assert supervised.running() == ALL_NAMES
    assert supervised.status() == 200
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(
        lambda: not any(orphans.members(started) for started in before.values()),
        "something outlives its supervisor",
    )
    assert supervised.port_is_free()
    assert supervised.programs() == []


def is_replaced(supervised: Supervised, name: str, number: int) -> bool:
    """Whether the process of this name has another number."""
    return bool(supervised.record()[name].pid != number)


def test_a_killed_web_master_is_replaced_and_so_are_its_processes(supervised: Supervised) -> None:
    process = supervised.started()
    try:
        former = supervised.record()["web"]
        wait_for(lambda: len(orphans.members(former)) > 2, "the master has no processes")
        os.kill(former.pid, signal.SIGKILL)
        wait_for(lambda: supervised.record()["web"].pid != former.pid, "the master is not started again")
        assert not orphans.members(former)
        wait_for(lambda: supervised.status() == 200, "the site does not answer again")
        for name in ("proxy", "worker", "beat", "watchdog"):
            killed = supervised.record()[name]
            os.kill(killed.pid, signal.SIGKILL)
            wait_for(partial(is_replaced, supervised, name, killed.pid), f"{name} stays away")
            assert not orphans.members(killed), f"members of the former {name}"
        wait_for(lambda: supervised.status() == 200, "the site does not answer again")
        assert supervised.running() == ALL_NAMES

        second = supervised.launch()  # on the same data
        assert second.wait(120) != 0
        assert "AlreadyRunningError" in supervised.printed()
        assert supervised.running() == ALL_NAMES, "the second one has touched the first"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert supervised.programs() == [] and supervised.port_is_free()
    assert supervised.record() == {}


def test_a_stranger_with_a_recorded_number_is_left_alone(tmp_path: Path) -> None:
    unrelated = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
    try:
        recorded = orphans.started("web", unrelated.pid)
        assert orphans.members(recorded) == [unrelated.pid]
        orphans.write(tmp_path, [orphans.Started("web", unrelated.pid, "another boot 1")])
        assert orphans.end(orphans.read(tmp_path)) == []
        assert unrelated.poll() is None
        orphans.write(tmp_path, [recorded])
        assert orphans.end(orphans.read(tmp_path)) == ["web"]
        assert unrelated.wait(5) == -signal.SIGTERM
    finally:
        unrelated.kill()
