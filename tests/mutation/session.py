"""One session of pytest for all mutants of a target: collected once, measured once, forked for each mutant.

A fork has everything loaded, and the database as it was before the first test. It changes the code of the loaded
functions and runs the tests that reach the changed lines, the fastest file first.
"""

import json
import os
import resource
import signal
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any, LiteralString

import psutil
import pytest
from coverage import Coverage

from tests.mutation.mutants import Mutant, changed, lines_of_statement, runs_during_import
from tests.mutation.replacement import replace_functions

ENDLESS_SECONDS = 10.0  # of processor time, added to three times what the tests took
ROOT = Path(__file__).resolve().parents[2]
IDLE_SECONDS = 120.0  # of the clock, in which a fork used less of the processor than the next line
MOVING_SECONDS = 0.2
MEMORY = 8 * 2**30
AGAIN = "import anew"  # a verdict that only a new import can give
BROKEN = 70  # exit code of a fork that ended by an exception of its own, which says nothing about the mutant


class FixedExamples:
    """pytest plugin: Hypothesis takes the same examples for every mutant, and does not make a failing one smaller."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Before the modules of the tests are imported."""
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutation", deadline=None, database=None, derandomize=True, phases=phases)
        settings.load_profile("mutation")


class MutationSession(FixedExamples):
    """pytest plugin. Writes lines of JSON: the measurement first, then a verdict for each mutant."""

    def __init__(self, folders: list[str], mutants: list[Mutant], minutes: float, output: IO[str]) -> None:
        self.folders, self.mutants, self.minutes, self.output = folders, mutants, minutes, output
        self.seconds: dict[str, float] = {}
        self.reached: dict[str, dict[int, list[str]]] = {}
        self.items: dict[str, pytest.Item] = {}
        self.controlled: set[str] = set()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        self.items = {item.nodeid: item for item in session.items}
        self.measure(session)
        if session.testsfailed:
            return True
        self.write(seconds=self.seconds, reached=self.reached)
        database = Database()
        begun = time.monotonic()
        for mutant in self.mutants:
            if time.monotonic() - begun > 60 * self.minutes:
                break
            verdict = self.verdict(session, mutant)
            self.write(mutant=asdict(mutant), verdict=verdict)
            if verdict in {"killed", "endless"}:
                database.restore_if_changed(certainly=verdict == "endless")
        database.drop_copy()
        return True

    def write(self, **values: Any) -> None:
        """Write one line of JSON."""
        print(json.dumps(values), file=self.output, flush=True)

    def measure(self, session: pytest.Session) -> None:
        """Run every test of the unchanged program, and keep which test reaches which line."""
        coverage = Coverage(data_file=None, source=self.folders)
        coverage.start()
        try:
            for item, following in _with_following(session, session.items):
                begun = time.process_time()
                coverage.switch_context(item.nodeid)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                coverage.switch_context("")
                self.seconds[item.nodeid] = time.process_time() - begun
                if session.testsfailed:
                    return
        finally:
            coverage.stop()
        data = coverage.get_data()
        for file in data.measured_files():
            self.reached[str(Path(file).relative_to(ROOT))] = data.contexts_by_lineno(file)

    def verdict(self, session: pytest.Session, mutant: Mutant) -> str:
        """``killed``, ``survived``, ``endless``, ``not reached`` or ``import anew``.

        Raises RuntimeError when the same tests fail in a fork without the change.
        """
        tests = tests_of(mutant, self.reached, self.seconds)
        if tests is None:
            return AGAIN
        if not tests:
            return "not reached"
        source, _lines = changed(ROOT, mutant)
        processor = sum(self.seconds[test] for test in tests)

        def run(*, unchanged: bool = False) -> int:
            if not (
                unchanged or replace_functions(ROOT / mutant.path, (ROOT / mutant.path).read_text(), source)
            ):
                return 2
            for item, following in _with_following(session, [self.items[test] for test in tests]):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    return 1
            return 0

        if mutant.path not in self.controlled:
            if in_fork(partial(run, unchanged=True), processor, silenced=False) != 0:
                raise RuntimeError(f"the tests of {mutant.path} fail in a fork without any change")
            self.controlled.add(mutant.path)
        code = in_fork(run, processor)
        # What a test has built once for the whole session was built by the unchanged program.
        return {None: "endless", 0: AGAIN, 2: AGAIN}.get(code, "killed")


def _with_following(
    session: pytest.Session, items: list[pytest.Item]
) -> Iterator[tuple[pytest.Item, pytest.Item]]:
    """Each test with the next one, the last with the session: its fixtures stay, those of modules end."""
    following: list[Any] = [*items[1:], session]
    return zip(items, following, strict=True)


def tests_of(
    mutant: Mutant, reached: dict[str, dict[int, list[str]]], seconds: dict[str, float]
) -> list[str] | None:
    """Tests that reach the statement, fastest file first; None for what runs when the module is imported."""
    if runs_during_import(ROOT, mutant):
        return None  # most modules are imported before the measurement begins
    lines = reached.get(mutant.path, {})
    first, last = lines_of_statement(ROOT, mutant)
    names = {name for line in range(first, last + 1) for name in lines.get(line, ())}
    return None if "" in names else fastest_first(names, seconds)


def fastest_first(names: set[str], seconds: dict[str, float]) -> list[str]:
    """By file, so that what the tests of a file share is built once."""
    files: dict[str, float] = defaultdict(float)
    for name in names:
        files[name.partition("::")[0]] += seconds[name]
    order = {name: position for position, name in enumerate(seconds)}
    return sorted(names, key=lambda name: (files[name.partition("::")[0]], order[name]))


def in_fork(
    run: Callable[[], int], seconds: float, idle: float = IDLE_SECONDS, *, silenced: bool = True
) -> int | None:
    """Exit code of a function in a child process; None when it had to be ended.

    seconds : processor time that its tests took; it may use three times as much and ENDLESS_SECONDS
    stuck : seconds of the clock after which a child that does nothing is ended
    quiet : what it prints is thrown away

    Raises RuntimeError when the function raised an exception, which is printed.
    """
    child = os.fork()
    if child == 0:
        code, log = BROKEN, os.dup(2)
        try:
            os.setsid()
            if silenced:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                os.dup2(1, 2)
            limit = int(3 * seconds + ENDLESS_SECONDS)
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            code = run()
        except BaseException:
            os.write(log, traceback.format_exc().encode())
        os._exit(code)
    process = psutil.Process(child)
    used, deadline = 0.0, time.monotonic() + idle
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            if code == BROKEN:
                raise RuntimeError("a fork ended by an exception of its own")
            return None if code in {-signal.SIGXCPU, -signal.SIGKILL} else code
        time.sleep(0.01)
        # A busy machine makes a fork slow, which is no verdict; one that waits for a lock uses no processor.
        if (now := _processor_seconds(process)) > used + MOVING_SECONDS:
            used, deadline = now, time.monotonic() + idle
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


class Database:
    """The test database and its copy, which replaces it when a mutant has left rows behind."""

    def __init__(self) -> None:
        from django.db import connection, connections

        for wrapper in connections.all(initialized_only=True):
            wrapper.close()
            # A child must inherit neither a connection nor a pool, whose threads do not run in it.
            wrapper.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's
        known = connection.settings_dict
        self.name = str(known["NAME"])
        self.copy = f"{self.name}_copy"
        self.address = {
            name.lower(): known[name] for name in ("HOST", "PORT", "USER", "PASSWORD") if known[name]
        }
        self.used = self.name.startswith("test_")
        if self.used:
            self._copy(self.name, self.copy)

    def restore_if_changed(self, *, certainly: bool) -> None:
        """Make the database from its copy when tests have left people or units, or when one was ended halfway."""
        if self.used and (certainly or self._has_rows()):
            self._copy(self.copy, self.name)

    def drop_copy(self) -> None:
        """The copy is of no use to a later run."""
        if self.used:
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.copy)

    def _has_rows(self) -> bool:
        from survey.access.models import User
        from survey.frame.models import ReportingUnit

        tables = [model._meta.db_table for model in (User, ReportingUnit)]
        return any(self._execute("SELECT 1 FROM {} LIMIT 1", table, database=self.name) for table in tables)

    def _copy(self, source: str, copy: str) -> None:
        # A database that somebody is connected to cannot be copied; tests may have left connections of their threads.
        self._execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            database=source,
        )
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", copy)
        self._execute("CREATE DATABASE {} TEMPLATE {}", copy, source)

    def _execute(self, statement: LiteralString, *names: str, database: str = "postgres") -> bool:
        """Run a statement about tables or databases; whether it found rows."""
        from psycopg import connect, sql

        with connect(**self.address, dbname=database, autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
            return cursor.rowcount > 0
