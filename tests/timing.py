"""Where the time of the tests goes: ``pytest --where-time-goes`` prints it by folder and by worker.

A second of the clock is a second of the process that runs the test, of the processes that it has started (servers, a
browser), of its connection to the database, or of waiting: for a lock, a page, a start, or for the processor itself
where more runs than it can take. Processes at work at the same time count together, so waiting is at least what is
printed. What ran between two tests longer than ``SHORT`` is counted for the later one.
"""

import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterator
from dataclasses import astuple, dataclass
from typing import Any

import psutil
import pytest

MARK = "TIMED_BY"  # in the environment of everything that the process of the tests starts
SHORT = 0.2  # seconds: after a shorter phase the other processes are not looked through
HEADINGS = ("tests", "clock", "test process", "its processes", "database", "waiting")
SUBJECTS = ("survey", "estimation")  # folders of tests that are divided further


@dataclass(slots=True)
class Seconds:
    """Of a phase or of many: the clock, and the processor of whom."""

    clock: float = 0.0
    own: float = 0.0
    started: float = 0.0
    database: float = 0.0
    waiting: float = 0.0

    def add(self, other: "Seconds") -> None:
        """Count another phase, too."""
        self.clock += other.clock
        self.own += other.own
        self.started += other.started
        self.database += other.database
        self.waiting += other.waiting


class Meter:
    """Measures the phases of the tests of this process."""

    def __init__(self) -> None:
        os.environ[MARK] = str(os.getpid())
        self.process = psutil.Process()
        self.ours: dict[psutil.Process, bool] = {}
        self.before = self.of_started()
        self.phase = Seconds()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Forget what was started between two tests by others than a test."""
        self.phase = Seconds()
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        """Measure the fixtures."""
        return (yield from self.measured())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Measure the test."""
        return (yield from self.measured())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        """Measure the end of the fixtures."""
        return (yield from self.measured())

    def measured(self) -> Iterator[None]:
        """The hook, with ``phase`` as what it took."""
        clock, own, (backend, database) = time.perf_counter(), time.process_time(), self.of_database()
        try:
            return (yield)
        finally:
            took = Seconds(time.perf_counter() - clock, time.process_time() - own)
            last, now = self.of_database()
            took.database = max(0.0, now - (database if last == backend else 0.0))
            if took.clock > SHORT:
                started = self.of_started()
                took.started, self.before = max(0.0, started - self.before), started
            took.waiting = max(0.0, took.clock - took.own - took.started - took.database)
            self.phase = took

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, Any]:
        """Send the seconds along with the report: pytest-xdist hands its attributes over."""
        report: Any = yield
        report.seconds = astuple(self.phase)
        return report

    def of_started(self) -> float:
        """Seconds of all that was started, whether it still runs or has ended."""
        ended = self.process.cpu_times()
        total = ended.children_user + ended.children_system
        for process in psutil.process_iter():
            try:
                if process not in self.ours:
                    mine = process.environ().get(MARK) == os.environ[MARK]
                    self.ours[process] = mine and process.pid != self.process.pid
                if self.ours[process]:
                    total += sum(process.cpu_times()[:4])
            except psutil.Error:
                continue
        return total

    def of_database(self) -> tuple[int, float]:
        """The process behind the connection of the test, and its seconds."""
        from django.db import connection

        session = connection.connection
        if session is None or session.closed:
            return 0, 0.0
        try:
            pid = session.info.backend_pid
            return pid, sum(psutil.Process(pid).cpu_times()[:2])
        except psutil.Error:  # a server elsewhere
            return 0, 0.0


class Table:
    """Collects the reports of all workers and prints them."""

    def __init__(self) -> None:
        self.began = time.time()
        self.folders: dict[str, Seconds] = defaultdict(Seconds)
        self.workers: dict[str, list[float]] = {}
        self.tests: dict[str, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a phase of a test."""
        folder = folder_of(report.nodeid)
        self.folders[folder].add(Seconds(*report.seconds))  # type: ignore[attr-defined]  # Meter's
        self.tests[folder].add(report.nodeid)
        worker = getattr(report, "worker_id", "alone")
        first = self.workers.setdefault(worker, [report.start, report.stop])[0]
        self.workers[worker] = [first, report.stop]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Folders, most of the clock first; then when each worker began and ended."""
        write = terminalreporter.write_line
        terminalreporter.section("where the time goes, in seconds")
        write(" " * 32 + "".join(f"{heading:>15}" for heading in HEADINGS))
        total = Seconds()
        for folder, seconds in sorted(self.folders.items(), key=lambda pair: -pair[1].clock):
            total.add(seconds)
            write(line(folder, len(self.tests[folder]), seconds))
        write(line("all", sum(map(len, self.tests.values())), total))
        for worker, (first, last) in sorted(self.workers.items()):
            write(
                f"{worker}: first test after {first - self.began:.0f} s, ended after {last - self.began:.0f} s"
            )


def folder_of(nodeid: str) -> str:
    """The folder of a test: the second one of a subject, the first one otherwise."""
    folders = nodeid.partition("::")[0].split("/")[:-1]
    return "/".join(folders[1 : 3 if folders[1:2] and folders[1] in SUBJECTS else 2]) or "."


def line(name: str, tests: int, seconds: Seconds) -> str:
    """A line of the table."""
    return f"{name:<32}{tests:>15}" + "".join(f"{number:>15.1f}" for number in astuple(seconds))
